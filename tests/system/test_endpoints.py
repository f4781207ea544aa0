"""Services that listen at an address of IPv6, or at a name."""

import socket
import subprocess

import pytest

from stack import BIN, Stack, free_port, until


@pytest.mark.parametrize("host", ("[::1]", "localhost"))
def test_bus_and_doors_at_ipv6_and_at_a_name(host):
    ports = {n: free_port() for n in ("publish", "subscribe", "request")}
    http = free_port()
    bare = host.strip("[]")
    with Stack("20/02-call-answered.ami", parts=("sim",), config={
            **{f"ctibus.bus.{n}": f"tcp://{host}:{p}" for n, p in ports.items()},
            "main.incoming_tcp.CTI": [bare, 0, True], "main.incoming_tcp.FAGI": [bare, 0, True],
            "main.incoming_tcp.WEBI": [bare, 0, True], "main.incoming_tcp.INFO": [bare, 0, True],
            "ctibus.cti.websocket": f"{host}:0", "ctibus.api.listen": f"{host}:0", "ctibus.http.fagi-gw": f"{host}:{http}"}) as s:
        for service in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw"):
            check = [BIN / f"ctibus-{service}", "--config", s.path("ctibus.json"), "--check"]
            assert subprocess.run(check, stdout=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
            s.start(service)
        s.wait_ready("state", "ami-gw", "cti-gw", "http-gw")
        probe = [BIN / "ctibus-fagi-gw", "--config", s.path("ctibus.json"), "--healthcheck"]
        until(lambda: subprocess.run(probe, timeout=30, check=False).returncode == 0, "fagi-gw is ready")
        assert s.snapshot("phones")
        with socket.create_connection((bare, s.programs["http-gw"].api), 5) as c:
            c.sendall(b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert c.makefile("rb").read().startswith(b"HTTP/1.1 200 OK\r\n")
