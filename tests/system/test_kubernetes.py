"""deploy/kubernetes: the manifests fit each other, the image and the programs, which are run with the environment, the keys
and the probes that they have there."""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess

import pytest
import yaml
from private import machine, needs_private

from metrics import table
from postgres import ENCODED, Postgres
from stack import BIN, ROOT, Program, until

FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
EXAMPLE = FOLDER / "example"
HA = FOLDER / "ha"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").split(" AS runtime\n")[1]
SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw")
API = {"Service": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "PodDisruptionBudget": "policy/v1",
       "HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1"}
WORKLOADS = ("Deployment", "StatefulSet")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
RUN = "/run/ctibus/"
SECRET = {line.strip("/") for line in (EXAMPLE / ".gitignore").read_text(encoding="utf-8").splitlines() if line.startswith("/")}


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def kustomization(folder):
    return documents(folder / "kustomization.yaml")[0]


def environment(path):
    """The variables of a file for configMapGenerator."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


MANIFESTS = [document for path in sorted(BASE.glob("*.yaml")) if path.name != "kustomization.yaml" for document in documents(path)]
COMMON = environment(BASE / "ctibus.env")
SITE = {**COMMON, **environment(EXAMPLE / "site.env")}


def of(*kinds):
    return [m for m in MANIFESTS if m["kind"] in kinds]


def workload(service):
    return next(m for m in of(*WORKLOADS) if m["metadata"]["name"] == f"ctibus-{service}")


def container(service):
    return workload(service)["spec"]["template"]["spec"]["containers"][0]


def ports(service):
    return {p["name"]: p["containerPort"] for p in container(service)["ports"]}


def variables(service):
    return {**SITE, **{v["name"]: v["value"] for v in container(service)["env"]}}


def selected(labels):
    """The services whose pods have these labels."""
    return [s for s in SERVICES if labels.items() <= workload(s)["spec"]["template"]["metadata"]["labels"].items()]


# ---- each manifest by itself ----

def test_kustomizations_name_what_there_is():
    base, example = kustomization(BASE), kustomization(EXAMPLE)
    listed = base["resources"] + [f for g in base["configMapGenerator"] for f in g["envs"]]
    assert sorted(listed) == sorted(p.name for p in BASE.iterdir() if p.name != "kustomization.yaml")
    listed = [p["path"] for p in example["patches"]] + [f for g in example["configMapGenerator"] for f in g["envs"]]
    assert sorted(listed) == sorted(p.name for p in EXAMPLE.iterdir() if p.name not in ("kustomization.yaml", ".gitignore", *SECRET))
    assert example["resources"] == ["../base"]
    assert [g["name"] for g in base["configMapGenerator"]] == [g["name"] for g in example["configMapGenerator"]] == ["ctibus"]
    assert all(g["behavior"] == "merge" for g in example["configMapGenerator"])


def test_names_kinds_and_labels():
    assert all(m["apiVersion"] == API[m["kind"]] for m in MANIFESTS), "versions that Kubernetes has"
    names = [(m["kind"], m["metadata"]["name"]) for m in MANIFESTS]
    assert len(names) == len(set(names)) and all(NAME.fullmatch(n) and len(n) < 64 for _, n in names)
    assert all("namespace" not in m["metadata"] for m in MANIFESTS), "the overlay names it"
    assert all(m["metadata"]["labels"]["app.kubernetes.io/name"] == "ctibus" for m in MANIFESTS)
    assert {m["metadata"]["name"] for m in of(*WORKLOADS)} == {f"ctibus-{s}" for s in SERVICES}


def test_selectors_meet_their_pods():
    for service in SERVICES:
        spec = workload(service)["spec"]
        assert selected(spec["selector"]["matchLabels"]) == [service] and len(spec["template"]["spec"]["containers"]) == 1
        for constraint in spec["template"]["spec"].get("topologySpreadConstraints", []):
            assert selected(constraint["labelSelector"]["matchLabels"]) == [service]
    for one in of("Service"):
        assert [f"ctibus-{s}" for s in selected(one["spec"]["selector"])] == [one["metadata"]["name"]]
    for budget in of("PodDisruptionBudget"):
        assert [f"ctibus-{s}" for s in selected(budget["spec"]["selector"]["matchLabels"])] == [budget["metadata"]["name"]]
        assert budget["spec"]["maxUnavailable"] == 1
    for stateful in of("StatefulSet"):
        assert ("Service", stateful["spec"]["serviceName"]) in [(m["kind"], m["metadata"]["name"]) for m in MANIFESTS]


def test_ports_are_there():
    for service in SERVICES:
        numbers = list(ports(service).values())
        assert len(numbers) == len(set(numbers)) and all(len(name) <= 15 for name in ports(service))
    for one in of("Service"):
        service = one["metadata"]["name"].removeprefix("ctibus-")
        given = {p["name"]: (p["port"], p["targetPort"]) for p in one["spec"]["ports"]}
        assert given == {name: (number, name) for name, number in ports(service).items() if name != "health"}
    for policy in of("NetworkPolicy"):
        named = {p["port"] for rule in policy["spec"]["ingress"] for p in rule["ports"]}
        pods = selected(policy["spec"]["podSelector"]["matchLabels"])
        assert pods and all(named <= set(ports(s)) for s in pods), policy["metadata"]["name"]


def test_each_port_is_open_to_whom_it_is_for():
    """As the policies say; a pod that none selects would be open to all."""
    opened = {}
    for policy in of("NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress"]
        for service in selected(policy["spec"]["podSelector"]["matchLabels"]):
            for rule in policy["spec"]["ingress"]:
                for port in rule["ports"]:
                    opened[service, port["port"]] = rule.get("from")
    assert set(opened) == {(s, p) for s in SERVICES for p in ports(s)}
    bus = [opened["state", port] for port in ("publish", "subscribe", "request")]
    assert all([selected(peer["podSelector"]["matchLabels"]) for peer in peers] == [list(SERVICES)] for peers in bus)
    assert all(opened[s, "health"] and "namespaceSelector" in opened[s, "health"][0] for s in SERVICES)
    assert {k for k, peers in opened.items() if peers is None} == {
        ("cti-gw", "cti"), ("cti-gw", "ctis"), ("cti-gw", "web"), ("http-gw", "api"), ("fagi-gw", "fagi")}


def test_containers_are_those_of_the_dockerfile():
    uid, gid = map(int, re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.M).groups())
    image = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["state"]["image"]
    for service in SERVICES:
        spec, one = workload(service)["spec"]["template"]["spec"], container(service)
        assert one["image"] == re.sub(r"\$\{\w+:-(\w+)\}", r"\1", image) and one["command"] == [f"ctibus-{service}"]
        assert (BIN / one["command"][0]).exists()
        own = spec["securityContext"]
        assert own["runAsNonRoot"] and (own["runAsUser"], own["runAsGroup"], own["fsGroup"]) == (uid, gid, gid)
        assert own["seccompProfile"] == {"type": "RuntimeDefault"}
        assert one["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                          "capabilities": {"drop": ["ALL"]}}
        assert spec["enableServiceLinks"] is False and spec["automountServiceAccountToken"] is False
        assert one["resources"]["limits"]["memory"] and one["resources"]["requests"].keys() == {"cpu", "memory"}
    images = kustomization(EXAMPLE)["images"]
    assert [f"{i['name']}:{i['newTag']}" for i in images] == [container("state")["image"]]
    assert f"{images[0]['newName']}:{images[0]['newTag']}" in README


def test_volumes():
    """What is mounted is there; what is written goes to a volume, as the file system is read-only."""
    for service in SERVICES:
        spec, one = workload(service)["spec"], container(service)
        volumes = {v["name"]: v for v in spec["template"]["spec"]["volumes"]}
        claims = {c["metadata"]["name"]: c for c in spec.get("volumeClaimTemplates", [])}
        mounts = {m["name"]: m for m in one["volumeMounts"]}
        assert set(mounts) == set(volumes) | set(claims)
        assert all(mounts[n].get("readOnly") and v["secret"]["defaultMode"] == 0o440 for n, v in volumes.items() if "secret" in v)
        writable = [m["mountPath"] for m in mounts.values() if not m.get("readOnly")]
        written = {n: v for n, v in variables(service).items() if re.search(r"^(sqlite:)?/var/lib/", v)}
        assert (writable == ["/var/lib/ctibus"]) == bool(written) and len(writable) <= 1
        assert all(v.removeprefix("sqlite:").startswith("/var/lib/ctibus/") for v in written.values())
        assert all(c["spec"]["accessModes"] == ["ReadWriteOnce"] for c in claims.values())
    assert "WORKDIR /var/lib/ctibus" in DOCKERFILE


def test_state_is_alone_and_has_one_writer():
    assert workload("state")["kind"] == "StatefulSet" and workload("state")["spec"]["replicas"] == 1
    assert workload("ami-gw")["spec"]["replicas"] == 1 and workload("ami-gw")["spec"]["strategy"] == {"type": "Recreate"}
    queues = workload("http-gw")
    assert queues["kind"] == "StatefulSet" and [c["metadata"]["name"] for c in queues["spec"]["volumeClaimTemplates"]] == ["webhooks"]
    service = next(m for m in of("Service") if m["metadata"]["name"] == "ctibus-state")
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert {m["metadata"]["name"] for m in of("PodDisruptionBudget")} == {"ctibus-fagi-gw", "ctibus-cti-gw", "ctibus-http-gw"}


def test_a_pod_has_time_to_stop():
    def pause(service):
        stop = container(service).get("lifecycle", {}).get("preStop")
        command = stop["exec"]["command"] if stop else ["sleep", "0"]
        assert command[0] == "sleep" and shutil.which("sleep")
        return int(command[1])

    for service in SERVICES:
        drain = int(SITE["CTIBUS__CTI__DRAIN_SECONDS"]) if service == "cti-gw" else 0
        grace = workload(service)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace >= pause(service) + drain + 5, service
    assert pause("cti-gw") > 0 and f"`ctibus.cti.drain_seconds` ({SITE['CTIBUS__CTI__DRAIN_SECONDS']})" in README
    assert int(SITE["CTIBUS__SESSION_GRACE_SECONDS"]) >= int(SITE["CTIBUS__CTI__DRAIN_SECONDS"]), "nobody is shown as logged out"
    update = workload("cti-gw")["spec"]["strategy"]["rollingUpdate"]
    assert update["maxUnavailable"] == 0 and update["maxSurge"] > 0


def test_the_autoscaler():
    (scaler,) = of("HorizontalPodAutoscaler")
    spec = scaler["spec"]
    target = workload("cti-gw")
    assert spec["scaleTargetRef"] == {"apiVersion": target["apiVersion"], "kind": target["kind"], "name": target["metadata"]["name"]}
    assert "replicas" not in target["spec"], "or each `apply` would undo what the autoscaler has done"
    (metric,) = spec["metrics"]
    name = metric["pods"]["metric"]["name"]
    assert metric["type"] == "Pods" and metric["pods"]["target"]["type"] == "AverageValue" and int(metric["pods"]["target"]["averageValue"]) > 0
    known = {m.name: m.kind for m in table()["cti-gw"].values()}
    assert known[name].lower() == "gauge" and f"seriesQuery: '{name}" in README
    assert 1 < spec["minReplicas"] < spec["maxReplicas"]


def test_annotations_lead_to_the_metrics():
    for service in SERVICES:
        notes = workload(service)["spec"]["template"]["metadata"]["annotations"]
        assert notes == {"prometheus.io/scrape": "true", "prometheus.io/port": str(ports(service)["health"])}


# ---- secrets, made as README.md says ----

@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory):
    """A copy of the example with its keys, its password and its people."""
    site = tmp_path_factory.mktemp("kubernetes") / "site"
    shutil.copytree(EXAMPLE, site, ignore=shutil.ignore_patterns(*SECRET))
    lines = [line.strip() for line in README.splitlines()]
    run = shlex.split(next(line for line in lines if line.startswith("docker run")))
    arguments = run[run.index("ctibus-make-keys") + 1:]
    assert arguments[0] == "/keys" and "mkdir -p keys" in lines
    (site / "keys").mkdir()
    subprocess.run([ROOT / "deploy" / "containers" / "make-keys", site / "keys", *arguments[1:]], check=True, capture_output=True,
                   env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "CTIBUS_TLS_NAMES": "DNS:cti.example.com"})
    written = next(line for line in lines if line.startswith("printf"))
    subprocess.run(["sh", "-c", written], cwd=site, check=True)
    shutil.copy(ROOT / "config" / "people.csv", site)
    assert "cp ../../../config/people.csv people.csv" in lines
    assert SECRET <= set(os.listdir(site)), "what .gitignore names is what was made"
    return site


def secrets(site):
    """The content of each Secret by its name: its keys, and the files that they come from."""
    made = {}
    for generator in kustomization(site)["secretGenerator"]:
        pairs = [f.split("=") if "=" in f else (pathlib.PurePath(f).name, f) for f in generator["files"]]
        made[generator["name"]] = {key: site / path for key, path in pairs}
    return made


def test_secrets_are_there(site):
    made = secrets(site)
    assert all(path.is_file() for keys in made.values() for path in keys.values())
    used = {v["secret"]["secretName"] for s in SERVICES for v in workload(s)["spec"]["template"]["spec"]["volumes"] if "secret" in v}
    assert used == set(made)
    assert {e["configMapRef"]["name"] for s in SERVICES for e in container(s)["envFrom"]} == {"ctibus"}
    kept = [g["name"] for g in kustomization(site)["secretGenerator"] if g.get("options", {}).get("disableNameSuffixHash")]
    assert kept == ["ctibus-keys-allowed"], "state watches this one; for the others the pods are replaced"
    assert set(made["ctibus-keys-allowed"]) == {f"{s}.key" for s in SERVICES}
    for service in SERVICES:
        files = made[f"ctibus-keys-{service}"]
        assert set(files) == {"own.key", "own.key_secret"} | ({"state.key"} if service != "state" else set())
        own = re.search(r'public-key = "(.+)"', files["own.key"].read_text())[1]
        assert own in made["ctibus-keys-allowed"][f"{service}.key"].read_text()
    assert set(made["ctibus-tls"]) == {"tls.crt", "tls.key"}


def mount(site, service, root):
    """The Secrets of a pod as Kubernetes mounts them, below root: files that are links into a folder with a date."""
    made = secrets(site)
    spec = workload(service)["spec"]["template"]["spec"]
    for volume in spec["volumes"]:
        if "secret" not in volume:
            continue
        given = next(m for m in container(service)["volumeMounts"] if m["name"] == volume["name"])
        at = root / given["mountPath"].lstrip("/")
        if "subPath" in given:
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made[volume["secret"]["secretName"]][given["subPath"]], at)
            continue
        (at / "..2026_01_01").mkdir(parents=True)
        (at / "..data").symlink_to("..2026_01_01")
        for key, path in made[volume["secret"]["secretName"]].items():
            shutil.copy(path, at / "..2026_01_01" / key)
            (at / key).symlink_to(f"..data/{key}")


def pod_environment(service, root):
    """Of its container, with what is in /run and /var/lib below root."""
    def here(value):
        return value.replace(RUN, f"{root}{RUN}").replace("/var/lib/", f"{root}/var/lib/")
    own = {n: here(v) for n, v in variables(service).items()}
    return {"PATH": os.environ["PATH"], **own, "CTIBUS_CONFIG": f"{root}/etc/ctibus/ctibus.json"}


@pytest.fixture(name="pod")
def fixture_pod(site, tmp_path):
    """A folder with the files of a pod of a service, made anew."""
    def make(service):
        root = tmp_path / service
        shutil.copytree(ROOT / "config", root / "etc" / "ctibus")
        (root / "var" / "lib" / "ctibus").mkdir(parents=True)
        mount(site, service, root)
        return root
    return make


@pytest.mark.parametrize("service", SERVICES)
def test_the_program_accepts_its_configuration(pod, service):
    root = pod(service)
    env = pod_environment(service, root)

    def check(**more):
        done = subprocess.run([BIN / f"ctibus-{service}", "--check"], env={**env, **more}, capture_output=True, text=True, timeout=60,
                              check=False)
        return done.returncode, done.stdout + done.stderr
    assert SITE["CTIBUS_CONFIG"] == "/etc/ctibus/ctibus.json" and "COPY config /etc/ctibus" in DOCKERFILE
    assert check() == (0, "configuration ok\n")
    code, said = check(CTIBUS__CTI__DRAIN_SECOND="7")
    assert code == 2 and "ctibus.cti.drain_second: unknown key" in said, "this finds a key that is none"
    if "CTIBUS_CERTFILE" in env:
        code, said = check(CTIBUS_CERTFILE=f"{root}{RUN}tls/nothing.crt")
        assert code == 2 and "nothing.crt" in said, "and a certificate that is not mounted"


# ---- all of it, running ----

def get(here, port, path):
    """The status that a pod answers a probe with; 0: it does not."""
    done = here.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}{path}")
    return int(done.stdout)


@needs_private()
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_services_run_as_pods(site, pod, tmp_path):
    """With their environment, their keys and their ports, on a machine where the names of the Services are its own."""
    with machine(tmp_path / "machine") as here:
        with open(tmp_path / "machine" / "etc" / "hosts", "a", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 ctibus-state pbx.example.com\n")
        password = (site / "asterisk-password").read_text()
        programs = [Program(here.command(BIN / "ctibus-asterisk-sim", "--office", "--password", password))]
        programs[0].listening("ami")
        for service in SERVICES:
            env = pod_environment(service, pod(service))
            command = BIN / container(service)["command"][0]
            programs.append(Program(here.command("env", "-i", *(f"{n}={v}" for n, v in env.items()), command)))
        for service in SERVICES:
            one = container(service)
            ready, alive = one["readinessProbe"]["httpGet"], one["livenessProbe"]["httpGet"]
            assert (ready["path"], alive["path"]) == ("/readyz", "/healthz") and ready["port"] == alive["port"] == "health"
            number = ports(service)["health"]
            until(lambda: get(here, number, ready["path"]) == 200, lambda s=service: (s, programs[1 + SERVICES.index(s)].lines[-5:]))
            assert get(here, number, alive["path"]) == 200 and get(here, number, "/nothing") == 404
        listening = {int(n) for n in re.findall(r":(\d+) ", here.run("ss", "-Hltn").stdout)}
        assert {n for s in SERVICES for n in ports(s).values()} <= listening
        health = f"http://127.0.0.1:{ports('cti-gw')['health']}/metrics"
        name = of("HorizontalPodAutoscaler")[0]["spec"]["metrics"][0]["pods"]["metric"]["name"]
        assert re.search(rf"^{name} \d", here.run("curl", "-s", health).stdout, re.M)
        env = pod_environment("http-gw", tmp_path / "http-gw")  # as `kubectl exec` has it
        tool = here.run("env", "-i", *(f"{n}={v}" for n, v in env.items()), BIN / "ctibus", "phones")
        assert tool.returncode == 0 and "PJSIP/alice" in tool.stdout, tool.stderr


# ---- two states ----

PEERS = json.loads(environment(HA / "ha.env")["CTIBUS__HA__PEERS"])
STATES = documents(HA / "state.yaml")[0]["spec"]


def of_two(name):
    """The values of a list in the container of two states, and what the patch deletes of that of one."""
    entries = STATES["template"]["spec"]["containers"][0][name]
    return [e for e in entries if "$patch" not in e], [e for e in entries if e.get("$patch") == "delete"]


def test_a_second_state_has_its_own_address():
    made = kustomization(HA)
    assert made["kind"] == "Component" and made["configMapGenerator"] == [{"name": "ctibus", "behavior": "merge", "envs": ["ha.env"]}]
    assert sorted(made["resources"] + ["ha.env"] + [p["path"] for p in made["patches"]]) == sorted(
        p.name for p in HA.iterdir() if p.name != "kustomization.yaml")
    assert list(PEERS) == [f"ctibus-state-{n}" for n in range(STATES["replicas"])] and STATES["replicas"] == 2
    *services, budget = documents(HA / "services.yaml")
    (only,) = [m for m in of("Service") if m["metadata"]["name"] == "ctibus-state"]
    for service, (name, peer) in zip(services, PEERS.items(), strict=True):
        assert (service["apiVersion"], service["kind"], service["metadata"]["name"]) == ("v1", "Service", name)
        assert service["spec"] == {**only["spec"], "selector": {**only["spec"]["selector"], "statefulset.kubernetes.io/pod-name": name}}
        assert peer == {p["name"]: f"tcp://{name}:{p['port']}" for p in service["spec"]["ports"]}
    assert (budget["apiVersion"], budget["kind"], budget["spec"]["maxUnavailable"]) == ("policy/v1", "PodDisruptionBudget", 1)
    (spread,) = STATES["template"]["spec"]["topologySpreadConstraints"]
    assert [selected(labels) for labels in (budget["spec"]["selector"]["matchLabels"], spread["labelSelector"]["matchLabels"])] == [["state"]] * 2
    assert spread["whenUnsatisfiable"] == "DoNotSchedule" and STATES["podManagementPolicy"] == "Parallel"


def test_two_states_keep_nothing_on_a_volume():
    one = container("state")
    added, deleted = of_two("env")
    assert {e["name"] for e in deleted} == {"CTIBUS__DATABASE"} <= {e["name"] for e in one["env"]}
    mounts, gone = of_two("volumeMounts")
    (claim,) = workload("state")["spec"]["volumeClaimTemplates"]
    assert {m["mountPath"] for m in gone} == {m["mountPath"] for m in one["volumeMounts"] if m["name"] == claim["metadata"]["name"]}
    assert STATES["volumeClaimTemplates"] is None
    (volume,), (mount_of_it,), (file,) = STATES["template"]["spec"]["volumes"], mounts, added
    assert volume["name"] == mount_of_it["name"] and file == {"name": "CTIBUS__DATABASE_FILE", "value": mount_of_it["mountPath"] + "/uri"}
    (secret,) = with_two_states({})["secretGenerator"]
    assert secret == {"name": volume["secret"]["secretName"], "files": ["uri=database"]}


def with_two_states(site):
    """The kustomization of a site after what README.md says of two states."""
    (block,) = re.findall(r"^```yaml\n(components:\n.*?)^```", README, re.M | re.S)
    more = yaml.safe_load(block)
    assert more["components"] == ["../ha"] and set(more) == {"components", "secretGenerator"}
    return {**site, **more, "secretGenerator": site.get("secretGenerator", []) + more["secretGenerator"]}


@pytest.fixture(name="server", scope="module")
def fixture_server():
    server = Postgres()
    yield server
    server.close()


@needs_private()
def test_a_second_state_takes_over(pod, server, tmp_path):
    """Both run as pods on one machine, where each has an address of its own; gateways follow the one that is active."""
    addresses = dict(zip(PEERS, ("127.0.1.10", "127.0.1.11"), strict=True))
    with machine(tmp_path / "machine") as here:
        with open(tmp_path / "machine" / "etc" / "hosts", "a", encoding="utf-8") as hosts:
            hosts.writelines(f"{address} {name}\n" for name, address in addresses.items())
            hosts.write("127.0.0.1 pbx.example.com\n")
        database = server.empty().rsplit("/", 1)[1].split("?")[0]

        def start(service, root, env):
            command = [f"{n}={v}" for n, v in env.items()] + [BIN / container(service)["command"][0]]
            return Program(here.command("env", "-i", *command))

        def environment_of(service, root):
            return {**pod_environment(service, root), **environment(HA / "ha.env")}

        asterisk = Program(here.command(BIN / "ctibus-asterisk-sim", "--office"))
        asterisk.listening("ami")
        states = {}
        for name, address in addresses.items():
            root = pod("state").rename(tmp_path / name)
            (root / "run/ctibus/database").mkdir()
            (root / "run/ctibus/database/uri").write_text(f"postgresql://asterisk:{ENCODED}@:{server.port}/{database}?host={server.dir}")
            env = environment_of("state", root)
            for gone in of_two("env")[1]:
                del env[gone["name"]]
            env.update({e["name"]: f"{root}{e['value']}" for e in of_two("env")[0]}, CTIBUS__HA__NAME=name)  # as gethostname has it in a pod
            env = {n: v.replace("0.0.0.0", address) for n, v in env.items()}
            states[name] = start("state", root, env)
            states[name].listening("request")
        gateways = [start(s, root, environment_of(s, root)) for s, root in ((s, pod(s)) for s in ("ami-gw", "http-gw"))]
        tool = environment_of("http-gw", tmp_path / "http-gw")

        def ctibus(*words):
            return here.run("env", "-i", *(f"{n}={v}" for n, v in tool.items()), BIN / "ctibus", *words).stdout

        def roles():
            return dict(re.findall(r"^(ctibus-state-\d) +(active|standby) ", ctibus("ha", "status"), re.M))

        until(lambda: sorted(roles().values()) == ["active", "standby"], lambda: (ctibus("ha", "status"), [p.lines[-5:] for p in states.values()]))
        until(lambda: "PJSIP/alice" in ctibus("phones"), lambda: [p.lines[-5:] for p in gateways])
        first = next(name for name, role in roles().items() if role == "active")
        other = next(name for name in PEERS if name != first)
        entered = states[first].process.pid  # that of nsenter, which has the program as its child
        os.kill(int(pathlib.Path(f"/proc/{entered}/task/{entered}/children").read_text(encoding="utf-8")), signal.SIGKILL)
        until(lambda: roles().get(other) == "active", lambda: (ctibus("ha", "status"), states[other].lines[-5:]))
        until(lambda: "PJSIP/alice" in ctibus("phones"), lambda: [p.lines[-5:] for p in gateways])


# ---- kustomize ----

def kustomize_version():
    if not shutil.which("kubectl"):
        return 0
    said = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False, timeout=60)
    version = json.loads(said.stdout or "{}").get("kustomizeVersion", "v0")
    return int(re.match(r"v?(\d+)", version)[1])


def kustomize(site):
    shutil.copytree(BASE, site.parent / "base", dirs_exist_ok=True)
    shutil.copytree(HA, site.parent / "ha", dirs_exist_ok=True)
    said = subprocess.run(["kubectl", "kustomize", site], capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 0 and said.stderr == "", said.stderr
    return list(yaml.safe_load_all(said.stdout))


@pytest.mark.skipif(kustomize_version() < 4, reason="there is no kubectl of 1.21 or newer")
def test_kustomize_builds_the_site(site):
    built = kustomize(site)
    there = {(m["kind"], m["metadata"]["name"]) for m in built}
    assert {(m["kind"], m["metadata"]["name"]) for m in MANIFESTS} <= there
    assert {m["metadata"]["namespace"] for m in built} == {"ctibus"}
    (config,) = [m for m in built if m["kind"] == "ConfigMap"]
    assert config["data"] == SITE
    for m in built:
        if m["kind"] in WORKLOADS:
            spec = m["spec"]["template"]["spec"]
            (one,) = spec["containers"]
            assert one["image"] == "registry.example.com/ctibus:dev"
            assert all(("ConfigMap", e["configMapRef"]["name"]) in there for e in one["envFrom"])
            assert all(("Secret", v["secret"]["secretName"]) in there for v in spec["volumes"] if "secret" in v)
    outside = {m["metadata"]["name"] for m in built if m["kind"] == "Service" and m["spec"].get("type") == "LoadBalancer"}
    assert outside == {"ctibus-cti-gw", "ctibus-http-gw", "ctibus-fagi-gw"} and "ctibus-state" not in outside


@pytest.mark.skipif(kustomize_version() < 4, reason="there is no kubectl of 1.21 or newer")
def test_kustomize_builds_the_site_with_two_states(site, tmp_path):
    two = tmp_path / "site"
    shutil.copytree(site, two)
    written = next(line for line in (line.strip() for line in README.splitlines()) if line.startswith("printf") and line.endswith(">database"))
    subprocess.run(["sh", "-c", written], cwd=two, check=True)
    (two / "kustomization.yaml").write_text(yaml.safe_dump(with_two_states(kustomization(site))))
    built = kustomize(two)
    there = {(m["kind"], m["metadata"]["name"]): m for m in built}
    (config,) = [m for m in built if m["kind"] == "ConfigMap"]
    assert config["data"] == {**SITE, **environment(HA / "ha.env")}
    state = there["StatefulSet", "ctibus-state"]["spec"]
    assert state["replicas"] == 2 and "volumeClaimTemplates" not in state
    pods = state["template"]["spec"]
    (one,) = pods["containers"]
    assert {v["name"] for v in pods["volumes"]} == {m["name"] for m in one["volumeMounts"]}
    assert all(("Secret", v["secret"]["secretName"]) in there for v in pods["volumes"])
    assert "CTIBUS__DATABASE" not in {e["name"] for e in one["env"]}
    assert all(("Service", name) in there for name in PEERS) and ("PodDisruptionBudget", "ctibus-state") in there
