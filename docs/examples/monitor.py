#!/usr/bin/python3
"""Prints the lamps of all phones, and how they change: it may begin at any time, and goes on when state was restarted.
With CURVE a key of `ctibus keygen --role monitor` is enough."""
from ctibus import Copy

for ipbx, name, i, fields, changed in Copy("lamps").changes():
    if name == "phones" and fields is None:
        print(f"{ipbx} {i} gone", flush=True)
    elif name == "phones" and "hintstatus" in changed:
        print(f"{ipbx} {fields['number']} {changed['hintstatus']}", flush=True)
