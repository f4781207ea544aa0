"""A name server of the tests' own, for ctibus.dns.server."""

import contextlib
import ipaddress
import socket
import struct
import threading

NXDOMAIN, SERVFAIL = 3, 2


class NameServer:
    """Knows `names`: a name -> its addresses, or NXDOMAIN, SERVFAIL, None (no answer), or (seconds, addresses)."""

    def __init__(self, **names):
        self.names = {name.replace("_", "."): what for name, what in names.items()}
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, peer = self.socket.recvfrom(4096)
                self._answer(question, peer)

    def _answer(self, question, peer):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack_from(">H", question, at + 1)[0]
        name = ".".join(labels).lower()
        self.asked.append(name)
        what, delay = self.names.get(name, NXDOMAIN), 0
        if isinstance(what, tuple):
            delay, what = what
        if what is None:
            return
        records, code = b"", what if isinstance(what, int) else 0
        for address in what if isinstance(what, list) else []:
            packed = ipaddress.ip_address(address).packed
            if {4: 1, 16: 28}[len(packed)] == kind:
                records += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 5, len(packed)) + packed
        answer = (question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, records.count(b"\xc0\x0c"), 0, 0)
                  + question[12:at + 5] + records)
        threading.Timer(delay, self._send, (answer, peer)).start()

    def _send(self, answer, peer):
        with contextlib.suppress(OSError):  # closed meanwhile
            self.socket.sendto(answer, peer)

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def silent_address(address, port):
    """Where nobody answers a connection: the queue of a socket that listens is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            s = stack.enter_context(socket.socket())
            s.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                s.connect((address, port))
        yield
