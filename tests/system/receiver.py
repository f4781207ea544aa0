"""The other side of webhooks and of the API: a receiver, and a network that can be cut."""

import collections
import contextlib
import http.server
import json
import select
import socket
import threading
import time

Post = collections.namedtuple("Post", "time path headers body")


class Receiver:
    """An HTTP server that keeps what it is sent. `answer(post)`: the status to answer with."""

    def __init__(self, port=0, answer=lambda post: 204):
        self.posts = []
        self.answer = answer
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(time.time(), self.path, self.headers, body)
                status = outer.answer(post)
                if 200 <= status < 300:
                    outer.posts.append(post)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def events(self, call=None):
        found = [json.loads(p.body) for p in self.posts]
        return [e for e in found if call is None or e.get("call", {}).get("id") == call]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Relay:
    """A TCP port that leads to another one; cut() ends what is there and lets nothing through until mend()."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = set()
        self.lock = threading.Lock()
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near):
        far = None
        with contextlib.suppress(OSError):
            far = socket.create_connection(("127.0.0.1", self.target), 5)
            with self.lock:
                if self.is_cut:
                    raise OSError("cut")
                self.connections |= {near, far}
            while True:
                for s in select.select([near, far], [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        raise OSError("the end")
                    (far if s is near else near).sendall(data)
        with self.lock:
            self.connections -= {near, far}
        for s in (near, far):
            if s:
                s.close()

    def cut(self):
        with self.lock:
            self.is_cut = True
            for s in self.connections:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)

    def mend(self):
        with self.lock:
            self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()
