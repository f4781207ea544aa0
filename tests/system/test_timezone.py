"""The time zone of dates that people are shown."""

import datetime
import subprocess
import zoneinfo

import pytest
import yaml

from stack import BIN, ROOT, Stack, until

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")


def offset(zone):
    return datetime.datetime.now(zoneinfo.ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize("zone, by", (("Asia/Kolkata", "key"), ("America/St_Johns", "TZ"), ("UTC", "key"), ("UTC", "TZ")))
def test_the_history_of_calls_is_told_in_it(zone, by, monkeypatch):
    monkeypatch.setenv("TZ", zone if by == "TZ" else "Pacific/Auckland")
    with Stack("20/02-call-answered.ami", pace="x3", config={"ctibus.timezone": zone} if by == "key" else {}) as s:
        s.wait_ready()
        bob = s.client("bob")

        def calls():
            return bob.ask("history", xuserid="xivo/2", size="5", mode="1")["history"]
        until(calls, "calls are logged")
        told = datetime.datetime.fromisoformat(calls()[0]["calldate"])
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + offset(zone)
        assert abs(now - told) < datetime.timedelta(minutes=3)
        bob.close()


def test_the_tool_tells_times_in_it():
    with Stack(parts=("state",), config={"ctibus.timezone": "Asia/Kathmandu"}) as s:
        process = subprocess.Popen([BIN / "ctibus", "--config", s.path("ctibus.json"), "tail", "svc"], text=True,
                                   stdout=subprocess.PIPE)
        hour, minute = map(int, process.stdout.readline().split(":")[:2])
        process.terminate()
        process.wait(10)
        now = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Kathmandu"))
        assert abs(now.hour * 60 + now.minute - hour * 60 - minute) % 1439 <= 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_zone_that_there_is_not_is_a_fault(service, monkeypatch):
    with Stack(parts=()) as s:
        def check(*flags):
            return subprocess.run([BIN / f"ctibus-{service}", "--config", s.path("ctibus.json"), "--check", *flags],
                                  capture_output=True, text=True, timeout=30, check=False)
        for good in ("Europe/Paris", "UTC", "Etc/GMT+5"):
            assert check("--set", f"ctibus.timezone={good}").returncode == check().returncode, good
        for bad in ("Europe/Pariss", "../../../etc/passwd", "/etc/localtime", "Europe", "CET-1CEST", "tzdata.zi", "x" * 300):
            r = check("--set", f"ctibus.timezone={bad}")
            assert r.returncode == 2 and "ctibus.timezone: there is no time zone" in r.stderr, bad
        monkeypatch.setenv("TZ", "Europe/Pariss")
        r = check()
        assert r.returncode == 2 and "environment: TZ: there is no such time zone" in r.stderr
        assert "TZ" not in check("--set", "ctibus.timezone=Europe/Paris").stderr
        for good in ("", "Europe/Paris", "CET-1CEST", ":Europe/Paris", "UTC"):
            monkeypatch.setenv("TZ", good)
            assert "TZ" not in check().stderr, good


def test_containers_have_it():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in SERVICES:
        assert services[name]["environment"]["TZ"] == "${TZ:-UTC}"
    assert "tzdata" in subprocess.run([ROOT / "scripts" / "packages", "runtime"], capture_output=True, text=True,
                                      check=True, timeout=30).stdout.split()
