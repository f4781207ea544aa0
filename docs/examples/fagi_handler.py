#!/usr/bin/python3
"""Answers a script of the dialplan, AGI(agi://HOST:5002/greeting,en): sets GREETING on the channel.

    fagi_handler.py [tcp://127.0.0.1:5552]        (Debian: python3-zmq, python3-msgpack)

It says hello to state and registers for the scripts that it answers; state then asks it with
fagi.call, and fagi-gw sets what it answers. Who says nothing for 6 s is taken for gone, so it pings;
when state was restarted (another epoch, or it does not know us) it says hello anew.
"""
import itertools
import os
import sys

import msgpack
import zmq

ENDPOINT = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5552"
WORDS = {"fr": "Bonjour", "de": "Guten Tag", "en": "Good day"}

context = zmq.Context()
state = context.socket(zmq.DEALER)
state.connect(ENDPOINT)
ids = itertools.count(1)


def send(word, body, number=None):
    """A request with a number of our own, or the answer to the request of that number."""
    number = number or next(ids)
    state.send_multipart([msgpack.packb(1), msgpack.packb(number), word, msgpack.packb(body)])
    return number


def greeting(call):
    """call: ipbx, script, channel, uniqueid, args, env (agi_callerid...), known (the channel, or None)."""
    language = call["args"][0] if call["args"] else call["env"].get("agi_language", "en")
    name = call["env"].get("agi_calleridname", "unknown")
    word = WORDS.get(language, WORDS["en"])
    return {"GREETING": word if name == "unknown" else f"{word}, {name}"}


SCRIPTS = {"greeting": greeting}


def say_hello():
    hello = send(b"hello", {"service": "greeter", "instance": f"greeter-{os.getpid()}", "version": "1"})
    send(b"worker.register", {"kind": "fagi", "scripts": list(SCRIPTS), "channel": False})
    return hello


hello, epoch = say_hello(), None
while True:
    if not state.poll(1000):
        send(b"ping", {})
        continue
    _, number, word, body = state.recv_multipart()
    number, body = msgpack.unpackb(number), msgpack.unpackb(body)
    if word == b"fagi.call":
        script = SCRIPTS.get(body["script"])
        send(b"ok" if script else b"not_found", {"variables": script(body)} if script else {}, number)
    elif number == hello:
        epoch = body["epoch"]
        print("registered", flush=True)
    elif word == b"unknown_peer" or body.get("epoch", epoch) != epoch:
        hello, epoch = say_hello(), None
