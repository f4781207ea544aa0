"""The page about FreePBX: its lists, word for word, against a recorded Asterisk with FreePBX's queues and hints."""

import contextlib
import json
import re

import pytest
from recording import Player, Recording
from stack import DATA, ROOT, Stack, until
from test_truth import POINTS, differences

PAGE = (ROOT / "docs" / "freepbx.md").read_text(encoding="utf-8")


def lists():
    """Name of the file -> its content, as the page shows it."""
    found = {}
    for names, blocks in re.findall(r"^((?:`\w+\.json`)[^\n]*):\n\n((?:(?:    .*)?\n)+)", PAGE, re.M):
        texts = [block for block in re.split(r"\n\n+", blocks) if block.strip()]
        files = re.findall(r"`(\w+\.json)`", names)[:len(texts)]
        found.update(zip(files, map(json.loads, texts)))
    return found


class Site(Stack):
    """The configuration that is shipped, with the lists of the page."""

    def _write(self, users, lines, extra):
        self.site = ROOT / "config"
        super()._write(users, lines, extra)
        for name, content in lists().items():
            self.path(name).write_text(json.dumps(content))


@contextlib.contextmanager
def site(file):
    with Site(parts=()) as stack, contextlib.closing(Player(Recording(DATA / "23" / file), stack.ports["ami"])) as player:
        for part in ("state", "ami-gw", "cti-gw"):
            stack.start(part)
        yield stack.wait_ready(), player


def test_the_page_has_the_lists():
    assert set(lists()) == {"lines.json", "users.json", "queues.json", "voicemails.json", "meetmes.json"}


@pytest.mark.parametrize("file", ["13-queue-freepbx.ami", "16-hints-combined.ami", "29-presence.ami"])
def test_queues_hints_and_presence(file):
    with site(file) as (stack, player):
        assert not [line for line in stack.programs["state"].lines if " error " in line]
        for point in POINTS[file]:
            player.play(point.offset)
            until(lambda point=point: not differences(stack, point), lambda point=point: (point, differences(stack, point)), 8)


def test_members_are_the_extensions():
    with site("13-queue-freepbx.ami") as (stack, player):
        queue = stack.snapshot("queues")[0]
        until(lambda: stack.snapshot("queues")[0]["phonemembers"] == ["1001", "1002"], lambda: queue)
        player.play(24518)  # 1003 is added
        until(lambda: stack.snapshot("queues")[0]["phonemembers"] == ["1001", "1002", "1003"], "three members")
        assert {p["id"]: p["queues"] for p in stack.snapshot("phones")} == {"1001": ["1"], "1002": ["1"], "1003": ["1"]}
