#!/usr/bin/env python3
"""Prints what happens to calls, and goes on where it was after any interruption: events.py URL TOKEN [EVENTS]"""
import http.client
import json
import sys
import time
import urllib.parse
import urllib.request


def events(url, token, patterns, last=None):
    """The events, for ever: (name, data). A loss of the connection is made good by the last id."""
    while True:
        request = urllib.request.Request(f"{url}/v1/events?" + urllib.parse.urlencode({"events": patterns}),
                                         headers={"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last else {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as stream:
                fields = {}
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        fields[name] = value
                        continue
                    if "event" in fields:
                        last = fields.get("id", last)
                        yield fields["event"], json.loads(fields["data"])
                    fields = {}
        except urllib.error.HTTPError as error:
            if error.code in (400, 401, 403):
                sys.exit(json.load(error)["detail"])
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(2)


def main():
    url, token, patterns = (sys.argv[1:] + ["call.*"])[:3]
    for name, data in events(url, token, patterns):
        call = data.get("call", {})
        print(name, call.get("caller_number"), call.get("called_number"), flush=True)


main()
