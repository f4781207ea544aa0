"""Programs on the bus that answer what state asks them, under a test's control."""

import itertools

import msgpack
import zmq

from stack import Context

serial = itertools.count(1)


class BusProgram:
    """Says hello to state; `asks` is the request that state sends it."""

    def __init__(self, stack, asks):
        self.asks = asks
        self.context = Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(f"tcp://127.0.0.1:{stack.ports['request']}")
        self.ids = itertools.count(1)
        assert self.hello() == b"ok"

    def hello(self):
        return self.ask(b"hello", {"service": "handler", "instance": f"handler-{next(serial)}", "version": "1"})[0]

    def send(self, number, word, body):
        self.socket.send_multipart([msgpack.packb(1), msgpack.packb(number), word, msgpack.packb(body)])

    def ask(self, word, body):
        """A request to state: the status and the body of the answer."""
        number = next(self.ids)
        self.send(number, word, body)
        return self.receive(number)[1:]

    def receive(self, number=None):
        """(number, word, body) of a frame that answers `number`, or of the next request."""
        while True:
            assert self.socket.poll(30000), "nothing came"
            _, n, word, body = self.socket.recv_multipart()
            n = msgpack.unpackb(n)
            if n == number or (number is None and word == self.asks):
                return n, word, msgpack.unpackb(body)
            if word == b"ping":
                self.send(n, b"ok", {})

    def close(self):
        self.socket.close(0)
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
