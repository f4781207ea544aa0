"""WEBI, INFO and ANNOUNCE, as web interfaces, people and Asterisks use them."""

import contextlib
import socket

from stack import TIMEOUT, until


def webi(stack, *pieces, end=False, timeout=TIMEOUT):
    """Sends pieces of text to WEBI and reads to the end. `end`: says that nothing more comes."""
    port = stack.programs["state"].listening("WEBI")
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        for piece in pieces:
            s.sendall(piece if isinstance(piece, bytes) else piece.encode())
        if end:
            s.shutdown(socket.SHUT_WR)
        return s.makefile("rb").read().decode().splitlines()


class Console:
    """A connection to INFO: through its Unix socket, or over TCP."""

    def __init__(self, stack, receive_buffer=None, source=None, tcp=False):
        tcp = tcp or receive_buffer or source
        self.socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(TIMEOUT)
        port = stack.programs["state"].listening("INFO")
        self.socket.connect(("127.0.0.1", port) if tcp else str(stack.path("console.sock")))
        self.file = self.socket.makefile("rb")

    def raw(self, data):
        self.socket.sendall(data)

    def line(self, timeout=TIMEOUT):
        """The next line, or None at the end."""
        self.socket.settimeout(timeout)
        line = self.file.readline()
        return line.decode().rstrip("\n") if line else None

    def answer(self):
        """The lines of an answer, and how it ended: OK or KO."""
        lines = []
        while True:
            line = self.line()
            assert line is not None, lines
            if line in ("XIVO-INFO:OK", "XIVO-INFO:KO"):
                return lines, line.removeprefix("XIVO-INFO:")
            lines.append(line)

    def ask(self, command):
        self.raw(command.encode() + b"\n")
        return self.answer()

    def ok(self, command):
        lines, end = self.ask(command)
        assert end == "OK", (command, lines)
        return lines

    def ko(self, command):
        lines, end = self.ask(command)
        assert end == "KO", (command, lines)
        return "\n".join(lines)

    def table(self, command):
        """The rows of a table as {TITLE: cell}. Cells are cut where the titles begin."""
        head, *rows = self.ok(command)
        names = head.split()
        starts = [head.index(f" {n}") + 1 if i else 0 for i, n in enumerate(names)]
        ends = [*starts[1:], None]
        return [{n: r[a:b].strip() for n, a, b in zip(names, starts, ends)} for r in rows]

    def until(self, command, condition, what):
        """Asks for a table until a row fulfils the condition; that row."""
        def find():
            return next((row for row in self.table(command) if condition(row)), None)
        return until(find, what)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def announce(stack, text=b"asterisk xivo\n", source="127.0.0.1"):
    port = stack.programs["state"].listening("ANNOUNCE")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.sendto(text, ("127.0.0.1", port))
