"""The page about FreePBX: its commands against a recorded Asterisk with FreePBX's queues and hints."""

import contextlib
import json
import pathlib
import re
import shlex
import tempfile

import pytest
from recording import Player, Recording
from stack import DATA, ROOT, Client, Stack, free_port, until
from test_setup import ctibus
from test_truth import POINTS, differences

PAGE = (ROOT / "docs" / "freepbx.md").read_text(encoding="utf-8")


def command(name):
    """The commands of this name on the page, as lists of arguments."""
    return [shlex.split(line)[1:] for line in re.findall(r"^    (ctibus .*)$", PAGE, re.M) if shlex.split(line)[1] == name]


def set_up(file, folder):
    """Runs what the page says; there is no PBX of its name, and no /etc to write to."""
    port = free_port()
    with contextlib.closing(Player(Recording(DATA / "23" / file), port)):
        given = {"pbx.example.org": "127.0.0.1", "/etc/ctibus": str(folder)}
        arguments = [given.get(a, a) for a in command("setup")[0]]
        code, out, err = ctibus(*arguments, "--port", str(port), "--secret", "secret", "--yes")
        assert code == 0, out + err
    for arguments in command("passwd"):
        code, out, err = ctibus("--config", str(folder / "ctibus.json"), *arguments, "--clear", "--stdin",
                                given="correct horse\n")
        assert code == 0, out + err
    return json.loads((folder / "ctibus.json").read_text())


@contextlib.contextmanager
def site(file):
    with tempfile.TemporaryDirectory(prefix="ctibus-freepbx-") as name, Stack(parts=()) as stack:
        folder = pathlib.Path(name)
        made = set_up(file, folder)
        assert made["ctibus"]["features"]["publish"] == ["astdb", "devstate"], "it is known as a FreePBX"
        own = json.loads(stack.path("ctibus.json").read_text())  # the addresses of a test
        for section in ("main", "ctibus"):
            made[section].update(own[section])
        made["ipbxes"]["xivo"]["ipbx_connection"]["ipport"] = stack.ports["ami"]
        stack.path("ctibus.json").write_text(json.dumps(made))
        stack.path("people.csv").write_text((folder / "people.csv").read_text())
        with contextlib.closing(Player(Recording(DATA / "23" / file), stack.ports["ami"])) as player:
            for part in ("state", "ami-gw", "cti-gw"):
                stack.start(part)
            stack.wait_ready()
            until(lambda: stack.programs["state"].logged("its Asterisk has"), "the lists are there")
            until(lambda: stack.programs["ami-gw"].count("resync of xivo: complete") > 1, "what is in them is listed")
            yield stack, player


def test_the_page_has_the_commands():
    assert len(command("setup")) == 1 and len(command("passwd")) == 2 and command("doctor") == [["doctor"]]
    groups = json.loads(re.search(r"`groups.json`[^\n]*:\n\n((?:    .*\n)+)", PAGE)[1])
    assert groups[0]["number"] == "600"


@pytest.mark.parametrize("file", ["13-queue-freepbx.ami", "16-hints-combined.ami", "29-presence.ami"])
def test_queues_hints_and_presence(file):
    with site(file) as (stack, player):
        assert not [line for line in stack.programs["state"].lines if " error " in line]
        for point in POINTS[file]:
            player.play(point.offset)
            until(lambda point=point: not differences(stack, point), lambda point=point: (point, differences(stack, point)), 8)


def test_members_are_the_extensions():
    with site("13-queue-freepbx.ami") as (stack, player):
        def queue():
            return next(q for q in stack.snapshot("queues") if q["number"] == "400")
        until(lambda: queue()["phonemembers"] == ["pjsip-1001", "pjsip-1002"], queue)
        player.play(24518)  # 1003 is added
        until(lambda: queue()["phonemembers"] == ["pjsip-1001", "pjsip-1002", "pjsip-1003"], queue)
        phones = {p["id"]: p["queues"] for p in stack.snapshot("phones")}
        assert all("400" in phones[f"pjsip-{n}"] for n in (1001, 1002, 1003)), phones


def test_people_of_the_page_log_in():
    with site("13-queue-freepbx.ami") as (stack, _):
        users = {u["loginclient"]: u for u in stack.snapshot("users") if u["loginclient"]}
        assert users["alice"]["fullname"] == "Alice Martin" and users["carole"]["profileclient"] == "supervisor"
        client = Client(stack.programs["cti-gw"].cti)
        client.login("carole", "correct horse")
        client.close()
