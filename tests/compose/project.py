"""docker-compose.yml as a project of the tests' own: another name, free ports, a site with many users."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from engine import compose_command, run
from stack import free_port, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = "ctibus-test"
USERS = 600
FIRST_ID = 1001  # of user u1
HEAL_SECONDS = 60  # conditions are met long before; a machine that does something else as well has its time
DOORS = {"cti": 5003, "ctis": 5013, "websocket": 5080, "api": 5088, "fagi": 5002, "subscribe": 5551, "request": 5552}


class Failed(Exception):
    """A command did not do what it should; holds what it said."""


def docker(*args, timeout=600):
    done = run("docker", *args, timeout=timeout)
    if done.returncode != 0:
        raise Failed(f"docker {' '.join(map(str, args))}: {done.stdout}")
    return done.stdout


def write_site(folder):
    """The site of config/demo/, with users u1, u2... beside its own; readable by the containers' user."""
    for given in (ROOT / "config" / "demo").iterdir():
        if given.suffix in (".json", ".csv"):
            (folder / given.name).write_text(given.read_text())
    users = json.loads((folder / "users.json").read_text())
    like = users[0]
    users += [{**like, "id": str(FIRST_ID - 1 + i), "firstname": "User", "lastname": str(i), "loginclient": f"u{i}",
               "passwdclient": f"u{i}", "agentid": None, "voicemailid": None} for i in range(1, USERS + 1)]
    (folder / "users.json").write_text(json.dumps(users))
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)


class Compose:
    """Called like docker-compose; raises Failed for an exit code that is not 0."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ctibus-compose-")
        folder = pathlib.Path(self.folder.name)
        (folder / "site").mkdir()
        write_site(folder / "site")
        volume = {"volumes": [f"{folder}/site:/etc/ctibus/demo:ro"]}
        recorded = {"command": ["ctibus-asterisk-sim", "--listen=0.0.0.0:5038", "--status=127.0.0.1:5039",
                                "--capture=/usr/local/share/ctibus/captures/20/02-call-answered.ami",
                                "--fagi=fagi-gw:5002"]}
        (folder / "site.yml").write_text(json.dumps(
            {"services": {"asterisk-sim": recorded,
                          **{s: volume for s in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "monitor")}}}))
        self.command = [*compose_command(), "--project-name", PROJECT, "--project-directory", ROOT,
                        "--file", ROOT / "docker-compose.yml", "--file", ROOT / "deploy" / "containers" / "bus.yml",
                        "--file", folder / "site.yml"]
        self.ports = {door: free_port() for door in DOORS}
        os.environ.update({"CTIBUS_TAG": "test", "CTIBUS_SITE": "/etc/ctibus/demo", "CTIBUS_PEERS_PUBLISH_PORT": "0",
                           "CTIBUS_PEERS_REQUEST_PORT": "0", "CTIBUS_CTI_PORT": str(self.ports["cti"]),
                           "CTIBUS_CTIS_PORT": str(self.ports["ctis"]), "CTIBUS_FAGI_PORT": str(self.ports["fagi"]),
                           "CTIBUS_WEBSOCKET_PORT": str(self.ports["websocket"]), "CTIBUS_API_PORT": str(self.ports["api"]),
                           "CTIBUS_BUS_SUBSCRIBE_PORT": str(self.ports["subscribe"]),
                           "CTIBUS_BUS_REQUEST_PORT": str(self.ports["request"])})
        # the build of a test needs no more than what the classic builder and BuildKit share
        os.environ.setdefault("DOCKER_BUILDKIT", "0")

    def __call__(self, *args, timeout=600):
        done = self.try_to(*args, timeout=timeout)
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, args))}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def try_to(self, *args, timeout=600):
        return run(*self.command, *args, timeout=timeout)

    def made(self):
        """The services that have containers, running or not."""
        return set(docker("ps", "-a", "--filter", f"label=com.docker.compose.project={PROJECT}",
                          "--format", '{{.Label "com.docker.compose.service"}}').split())

    def containers(self, service):
        return self("ps", "-q", service).split()

    def inspect(self, service, what):
        return [docker("inspect", "--format", what, c).strip() for c in self.containers(service)]

    def is_healthy(self, service, count=1):
        return self.inspect(service, "{{.State.Health.Status}}") == ["healthy"] * count

    def wait_healthy(self, service, count=1, seconds=HEAL_SECONDS):
        until(lambda: self.is_healthy(service, count), f"{service} is healthy", seconds)

    def kill_process(self, service):
        """As if it had crashed: the restart policy has to bring it back."""
        pid = int(self.inspect(service, "{{.State.Pid}}")[0])
        since = self.restarts(service)
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.restarts(service) > since, f"{service} is started again", HEAL_SECONDS)

    def restarts(self, service):
        return int(self.inspect(service, "{{.RestartCount}}")[0])

    def snapshot(self, *what):
        text = self("exec", "-T", "cti-gw", "ctibus", "snapshot", *what)
        return [json.loads(line) for line in text.splitlines()]

    def http(self, container, port, page):
        """What an HTTP page of a container says, or None."""
        address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                         container).strip()
        try:
            with urllib.request.urlopen(f"http://{address}:{port}/{page}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def clients_of(self, container):
        """How many clients are logged in there."""
        for line in (self.http(container, 9104, "metrics") or "").splitlines():
            if line.startswith("ctibus_cti_clients "):
                return int(float(line.split()[1]))
        return 0

    def balancer(self):
        """Name -> whether clients are sent there, of the instances that the balancer knows."""
        text = self.http(self.containers("haproxy")[0], 8404, "metrics") or ""
        found = {}
        for line in text.splitlines():
            if line.startswith('haproxy_server_status{proxy="cti-gw"') and 'state="UP"' in line:
                found[line.split('server="')[1].split('"')[0]] = line.endswith(" 1")
        return found

    def wait_balanced(self, count):
        until(lambda: sum(self.balancer().values()) == count, f"the balancer sends clients to {count} instances",
              HEAL_SECONDS)

    def clean(self):
        self.try_to("down", "--volumes", "--remove-orphans")


class Monitor:
    """A monitor beside it all, with a key that may only subscribe: `ctibus tail` of whole planes."""

    PLANES = ("xod", "tel", "cti", "svc")

    def __init__(self, compose):
        self.container = compose("run", "-d", "monitor", "ctibus", "tail", *self.PLANES).split()[-1]

    def lines(self):
        """(when, text) of what it has said about the streams, and how many messages it has printed."""
        done = subprocess.run(["docker", "logs", "--timestamps", self.container], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=True)
        said = []
        for line in done.stderr.splitlines():
            when, _, text = line.partition(" ")
            said.append((_seconds(when), text))
        return said, done.stdout

    def stop(self):
        docker("rm", "-f", self.container)


def _seconds(stamp):
    """2026-01-31T12:00:00.123456789Z as seconds since 1970."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(f"0.{fraction or 0}")
