"""The generated schemas, and what passes by: a monitor of the bus, and a man in the middle of the requests to state."""

import collections
import json
import re
import subprocess
import threading

import jsonschema
import msgpack
import zmq

from stack import BIN, Context, free_port


class Schemas:
    """What `ctibus schema` prints, and which part of it is about what."""

    def __init__(self):
        self.document, asyncapi = (json.loads(subprocess.run([BIN / "ctibus", "schema", "--format", name], check=True,
                                                             stdout=subprocess.PIPE).stdout)
                                   for name in ("jsonschema", "asyncapi"))
        jsonschema.Draft202012Validator.check_schema(self.document)
        self.defs = self.document["$defs"]
        self.topics = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", channel["address"])), name)
                       for name, channel in asyncapi["channels"].items() if channel["address"]]
        self.validators = {}

    def topic(self, topic):
        """The name of the schema of a topic, by the addresses of the AsyncAPI document."""
        names = [name for pattern, name in self.topics if pattern.fullmatch(topic)]
        assert len(names) == 1, (topic, names)
        return names[0]

    def line(self, line):
        """The name of the schema of a line that a client got."""
        if "error_string" in line or "warning_string" in line:
            return "client.error"
        if line["class"] != "getlist":
            name = f"client.get.{line['class']}"
            return name if name in self.defs else "client.other"
        name = f"client.get.getlist.{line['function']}"
        return name if "list" in line else f"{name}.{line['listname']}"

    def message(self, message):
        """The name of the schema of a message of a client."""
        name = f"client.send.{message['class']}"
        for field in ("function", "command", "message"):
            if f"{name}.{message.get(field)}" in self.defs:
                return f"{name}.{message[field]}"
        return name

    def fault(self, name, body):
        """What is wrong with a body, in words, or None."""
        if name not in self.validators:
            assert name in self.defs, f"{name} is in no schema: {body}"
            schema = {"$defs": self.defs, "$ref": f"#/$defs/{name}"}
            self.validators[name] = jsonschema.Draft202012Validator(schema)
        error = jsonschema.exceptions.best_match(self.validators[name].iter_errors(body))
        return error and f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]} in {str(body)[:600]}"


class Traffic(threading.Thread):
    """Keeps all that is published, and stands between state and those that connect to `port`: [(name of schema, body)]."""

    def __init__(self, schemas, subscribe, request):
        super().__init__(daemon=True)
        self.schemas = schemas
        self.kept = []
        self.published = collections.Counter()  # topics, by the name of their schema
        self.context = Context()
        self.monitor = self.context.socket(zmq.SUB)
        self.monitor.set_hwm(1000000)
        self.monitor.connect(f"tcp://127.0.0.1:{subscribe}")
        self.monitor.subscribe(b"")
        self.port = free_port()
        self.front = self.context.socket(zmq.ROUTER)
        self.front.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.front.bind(f"tcp://127.0.0.1:{self.port}")
        self.request = f"tcp://127.0.0.1:{request}"
        self.poller = zmq.Poller()
        self.behind, self.asked = {}, {}  # identity -> socket to state; (identity, side, id) -> method
        self.going = True
        self.trouble = None

    def run(self):
        for one in (self.monitor, self.front):
            self.poller.register(one, zmq.POLLIN)
        try:
            while self.going:
                ready = dict(self.poller.poll(100))
                if self.monitor in ready:
                    self.take_published()
                if self.front in ready:
                    self.pass_on()
                for identity, one in list(self.behind.items()):
                    if one in ready:
                        self.pass_back(identity, one)
        except Exception as e:  # pylint: disable=broad-except
            self.trouble = e

    def take_published(self):
        for _ in range(1000):
            if not self.monitor.poll(0):
                return
            topic, _, body = self.monitor.recv_multipart()
            name, body = self.schemas.topic(topic.decode()), msgpack.unpackb(body)
            self.published[name] += 1
            self.kept.append((name, body))

    def pass_on(self):
        while self.front.poll(0):
            identity, *frames = self.front.recv_multipart()
            if identity not in self.behind:
                one = self.behind[identity] = self.context.socket(zmq.DEALER)
                one.identity = identity
                one.connect(self.request)
                self.poller.register(one, zmq.POLLIN)
            self.look("client", "state", identity, frames)
            self.behind[identity].send_multipart(frames)

    def pass_back(self, identity, one):
        while one.poll(0):
            frames = one.recv_multipart()
            self.look("state", "client", identity, frames)
            self.front.send_multipart([identity, *frames])

    def look(self, side, other, identity, frames):
        _, number, word, *body = frames
        number, word, body = msgpack.unpackb(number), word.decode(), msgpack.unpackb(body[0]) if body and body[0] else {}
        if f"request.{word}" in self.schemas.defs:
            self.asked[identity, side, number] = word
            self.kept.append((f"request.{word}", body))
        elif word in ("ok", "more"):
            self.kept.append((f"reply.{self.asked[identity, other, number]}", body))

    def close(self):
        self.going = False
        self.join(10)
        for one in (self.monitor, self.front, *self.behind.values()):
            one.close(0)
        self.context.term()
        assert self.trouble is None, self.trouble
