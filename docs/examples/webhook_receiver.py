#!/usr/bin/env python3
"""Receives webhooks: verifies each, and prints it once. webhook_receiver.py PORT SECRET"""
import collections
import hashlib
import hmac
import http.server
import json
import sys
import time


def is_genuine(secret, header, body, now=None):
    """secret, body: bytes; header: Ctibus-Signature."""
    fields = dict(part.split("=", 1) for part in header.split(","))
    signed = fields["t"].encode() + b"." + body
    wanted = hmac.new(secret, signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, fields["v1"]) and abs((now or time.time()) - int(fields["t"])) < 300


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = collections.OrderedDict()  # ids of the last events: a post may come twice

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            genuine = is_genuine(sys.argv[2].encode(), self.headers["Ctibus-Signature"] or "", body)
        except (KeyError, ValueError):
            genuine = False
        if genuine and self.headers["Ctibus-Id"] not in self.seen:
            self.seen[self.headers["Ctibus-Id"]] = True
            if len(self.seen) > 10000:
                self.seen.popitem(last=False)
            event = json.loads(body)
            print(event["event"], event.get("call", {}).get("caller_number"), flush=True)
        self.send_response(204 if genuine else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
