"""Several sites, each a whole stack, that know each other: for tests of federation."""

import contextlib
import json
import subprocess

import zmq.auth

from stack import BIN, Stack, free_port, until

PARTS = ("state", "federation", "cti-gw")


class Site(Stack):
    """A stack whose IPBX has a name of its own, and ports for its peers."""

    def __init__(self, name, **options):
        super().__init__(parts=(), **options)
        self.name = name
        self.peer_ports = (free_port(), free_port())
        subprocess.run([BIN / "ctibus", "keygen", self.path("site.key")], check=True, stdout=subprocess.DEVNULL)
        self.public = zmq.auth.load_certificate(self.path("site.key"))[0].decode()
        tree = self.tree()
        tree["ipbxes"] = {name: tree["ipbxes"]["xivo"]}
        publish, request = self.peer_ports
        tree["ctibus"]["federation"] = {"publish": f"tcp://127.0.0.1:{publish}",
                                        "request": f"tcp://127.0.0.1:{request}", "key": "site.key"}
        self.write(tree)

    def tree(self):
        return json.loads(self.path("ctibus.json").read_text())

    def write(self, tree):
        """Whole at any moment: a program that starts meanwhile reads the old one or the new one."""
        self.path("ctibus.json.new").write_text(json.dumps(tree))
        self.path("ctibus.json.new").rename(self.path("ctibus.json"))

    def federation(self, **options):
        tree = self.tree()
        tree["ctibus"]["federation"].update(options)
        self.write(tree)

    def knows(self, other, name=None, **more):
        """The configuration's entry for another site; reached as it says, or somewhere else (`at`: two ports)."""
        tree = self.tree()
        publish, request = more.pop("at", other.peer_ports)
        host = more.pop("host", "127.0.0.1")
        tree["ipbxes"][name or other.name] = {"peer": {
            "publish": f"tcp://{host}:{publish}", "request": f"tcp://{host}:{request}",
            "publickey": other.public, **more}}
        self.write(tree)

    def run(self, *parts):
        for part in parts or PARTS:
            self.start(part)
        self.wait_ready(*(parts or PARTS))
        return self

    def link(self, name):
        """How the link to another site is, as clients' gateways see it."""
        found = [o for o in self.snapshot("ipbx") if o["id"] == name]
        return found[0]["link"] if found else None

    def objects(self, site, name):
        return {o["id"]: o for o in self.snapshot(name) if o["ipbx"] == site}

    def wait_link(self, name, state="up", timeout=30):
        until(lambda: self.link(name) == state, f"{self.name} sees {name} {state}", timeout)


@contextlib.contextmanager
def sites(*all_of_them):
    with contextlib.ExitStack() as stack:
        for site in all_of_them:
            stack.enter_context(site)
        yield all_of_them


def pair(**options):
    """Two that know each other."""
    paris, lyon = Site("paris", **options), Site("lyon", **options)
    paris.knows(lyon)
    lyon.knows(paris)
    return paris, lyon
