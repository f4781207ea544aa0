"""A PostgreSQL server of its own: with a database as XiVO's (the table userfeatures), or with empty ones for state."""

import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from stack import Stack, free_port, until

TABLE = """CREATE TABLE userfeatures (id serial PRIMARY KEY, firstname varchar(128) NOT NULL DEFAULT '',
  enablexfer integer NOT NULL DEFAULT 1, callrecord integer NOT NULL DEFAULT 0,
  incallfilter integer NOT NULL DEFAULT 0, enablevoicemail integer NOT NULL DEFAULT 0,
  enablednd integer NOT NULL DEFAULT 0, enableunc integer NOT NULL DEFAULT 0,
  destunc varchar(128) NOT NULL DEFAULT '', enablerna integer NOT NULL DEFAULT 0,
  destrna varchar(128) NOT NULL DEFAULT '', enablebusy integer NOT NULL DEFAULT 0,
  destbusy varchar(128) NOT NULL DEFAULT '');
  INSERT INTO userfeatures (id) SELECT generate_series(1, 8)"""
PASSWORD = "profor@mat:ique"
ENCODED = "profor%40mat%3Aique"


class Postgres:
    """Refuses to run as root: then it runs as the user that its package makes."""

    def __init__(self):
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctibus-pg-"))
        if self.user:
            shutil.chown(self.dir, "postgres", "postgres")
        (self.dir / "password").write_text(PASSWORD)
        (self.dir / "password").chmod(0o644)
        self.port = free_port()
        self.names = itertools.count()
        subprocess.run([self.bin / "initdb", "-D", self.dir / "data", "-U", "asterisk", "-A", "scram-sha-256", "-E", "UTF8",
                        "--locale", "C", "--no-sync", "--pwfile", self.dir / "password"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", **self.user)
        self._make_certificates()
        self.process = None
        self.start()

    def _make_certificates(self):
        """The server's own, which is its CA as well, and one that has signed nothing."""
        for name in ("server", "other"):
            key = self.dir / f"{name}.key"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.dir / f"{name}.pem"],
                           check=True, capture_output=True)
            key.chmod(0o600)
            if self.user:
                shutil.chown(key, "postgres", "postgres")

    def start(self):
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.dir / "data", "-k", self.dir, "-h", "127.0.0.1", "-p", str(self.port),
             "-c", "ssl=on", "-c", f"ssl_cert_file={self.dir}/server.pem", "-c", f"ssl_key_file={self.dir}/server.key",
             "-c", "fsync=off", "-c", "max_connections=40"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/", **self.user)
        until(lambda: self.run("SELECT 1", "postgres", check=False).returncode == 0, "PostgreSQL answers")

    def kill(self):
        self.process.send_signal(signal.SIGQUIT)  # its processes end at once, without leaving shared memory behind
        self.process.wait()

    def processes(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    @contextlib.contextmanager
    def stopped(self):
        """It takes connections and queries, and answers none."""
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def run(self, sql, database="asterisk", check=True):
        return subprocess.run([self.bin / "psql", "-XAtqv", "ON_ERROR_STOP=1", "-h", self.dir, "-p", str(self.port),
                               "-U", "asterisk", "-d", database, "-c", sql],
                              env={"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]},
                              capture_output=True, text=True, check=check, timeout=30)

    def fresh(self, table=TABLE):
        """The database as it is in the beginning."""
        self.run("DROP DATABASE IF EXISTS asterisk WITH (FORCE)", "postgres")
        self.run("CREATE DATABASE asterisk", "postgres")
        if table:
            self.run(table)
        return self

    def empty(self):
        """The URI of a new database."""
        name = f"ctibus{next(self.names)}"
        self.run(f"CREATE DATABASE {name}", "postgres")
        return self.uri(database=name)

    def uri(self, user="asterisk", password=ENCODED, host=None, database="asterisk", parameters=""):
        at = f"{host or '127.0.0.1'}:{self.port}/{database}"
        return f"postgresql://{user}:{password}@{at}?encoding=utf8{parameters}"

    def row(self, user, *columns):
        """The values of a user's row, as text."""
        values = self.run(f"SELECT {','.join(columns)} FROM userfeatures WHERE id = {user}").stdout.strip().split("|")
        return values[0] if len(columns) == 1 else tuple(values)

    def close(self):
        self.kill()
        shutil.rmtree(self.dir)


@pytest.fixture(scope="module", autouse=True, params=["sqlite", "postgresql"])
def each_database(request):
    """A file of tests that imports this is carried out with both. The server, or None."""
    if request.param == "sqlite":
        yield None
        return
    server = Postgres()
    Stack.new_database = server.empty
    yield server
    Stack.new_database = None
    server.close()
