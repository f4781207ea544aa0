"""What Asterisk does when its dialplan calls AGI(agi://...): for tests of fagi-gw."""

import itertools
import re
import socket

from stack import TIMEOUT

ENVIRONMENT = {
    "network": "yes", "network_script": "presence", "request": "agi://127.0.0.1:5002/presence",
    "channel": "SIP/pstn-00000000", "language": "en", "type": "SIP", "uniqueid": "1795425629.0",
    "version": "20", "callerid": "0601020304", "calleridname": "0601020304", "callingpres": "0",
    "callingani2": "0", "callington": "0", "callingtns": "0", "dnid": "0123456701",
    "rdnis": "unknown", "context": "from-extern", "extension": "0123456701", "priority": "8",
    "enhanced": "0.0", "accountcode": "", "threadid": "139920692000448"}


CALLS = itertools.count(1)


def environment(script, *args, **values):
    """The bytes, with some values other than usual; a call of its own unless `uniqueid` says which."""
    lines = {**ENVIRONMENT, "uniqueid": f"1795425629.{next(CALLS)}", "network_script": script, "request": f"agi://127.0.0.1:5002/{script}",
             **values, **{f"arg_{i}": a for i, a in enumerate(args, 1)}}
    return "".join(f"agi_{k}: {v}\n" for k, v in lines.items()).encode() + b"\n"


def variables(lines):
    """What SET VARIABLE lines set, with quotes and backslashes taken off as Asterisk does."""
    found = {}
    for line in lines:
        m = re.fullmatch(r'SET VARIABLE (\S+) "((?:[^"\\]|\\.)*)"', line)
        assert m, line
        found[m[1]] = re.sub(r"\\(.)", r"\1", m[2])
    return found


class Call:
    """One FastAGI session, from Asterisk's side."""

    def __init__(self, port, source=None):
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def begin(self, script, *args, **values):
        return self.send(environment(script, *args, **values))

    def lines(self, answer=b"200 result=1\n"):
        """The commands until the server closes its side, each answered; then ours is closed, too."""
        found = []
        for line in self.file:
            found.append(line.decode().rstrip("\n"))
            if answer:
                self.send(answer)
        self.close()
        return found

    def answer(self):
        """The variables that are set."""
        return variables(self.lines())

    def close(self):
        self.file.close()
        self.socket.close()


def ask(port, script, *args, **values):
    return Call(port).begin(script, *args, **values).answer()
