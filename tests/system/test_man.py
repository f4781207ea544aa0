"""The man pages and the completions of bash and zsh, which are made of what --help says."""

import re
import shutil
import subprocess

import pytest

from stack import BIN, ROOT

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")


@pytest.fixture(name="made", scope="module")
def fixture_made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([ROOT / "scripts" / "man", BIN, folder], check=True, timeout=60)
    return folder


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def text(page):
    """Without roff's own marks."""
    return page.read_text().replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


@pytest.mark.parametrize("service", SERVICES)
def test_each_option_of_a_service_is_there(made, service):
    page = text(made / f"ctibus-{service}.8")
    help_text = said(BIN / f"ctibus-{service}", "--help")
    options = re.findall(r"--[a-z][a-z-]*", help_text)
    assert options and all(option in page for option in options)
    assert help_text.splitlines()[1].rstrip(".") in page and ".SH EXIT STATUS" in page and ".SH SIGNALS" in page


def test_each_command_of_the_tool_is_there(made):
    page = text(made / "ctibus.1")
    commands = re.findall(r"^  ([a-z]+)", said(BIN / "ctibus", "--help"), re.M)
    assert len(commands) > 20 and all(re.search(rf"^  {c}( |$)", page, re.M) for c in commands)
    examples = page[page.index(".SH EXAMPLES"):page.index(".SH EXIT STATUS")]
    assert all(re.search(rf"^\$ .*\bctibus (--\w+ \w+ )?{c}\b", examples, re.M) for c in commands)
    wrong = page[page.index("A phone's lamp is wrong"):page.index(".SH COMMANDS")]
    assert "ctibus explain phone:xivo/11" in wrong and "ctibus doctor" in wrong, "what to do first stands first"


def test_each_option_of_the_simulator_is_there(made):
    page = text(made / "ctibus-asterisk-sim.1")
    options = re.findall(r"--[a-z][a-z-]*", said(BIN / "ctibus-asterisk-sim", "--help"))
    assert len(options) > 10 and all(option in page for option in options)


def test_no_line_is_taken_for_a_request(made):
    """Text that begins with a dot or a quote would be lost."""
    known = {".TH", ".SH", ".B", ".BR", ".I", ".TP", ".nf", ".fi"}
    for page in made.glob("ctibus*.[18]"):
        lines = page.read_text().splitlines()
        assert {line.split()[0] for line in lines if line.startswith(".")} <= known and not any(line.startswith("'") for line in lines), page


def complete(made, *words):
    """What bash offers for the last of the words."""
    script = f"""
        source {made / "ctibus.bash"}
        COMP_WORDS=({" ".join(f"'{w}'" for w in words)}) COMP_CWORD={len(words) - 1}
        cd {made}; _ctibus; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(said("bash", "-c", script).split())


def test_completion(made):
    assert complete(made, "ctibus", "sn") == {"snapshot"}
    assert {"token", "tokens", "webhooks", "help", "--json"} <= complete(made, "ctibus", "")
    assert complete(made, "ctibus", "help", "expl") == {"explain"}
    assert complete(made, "ctibus", "--config", "x.json", "token", "--sc") == {"--scope"}
    assert complete(made, "ctibus", "check", "ctibus-st") == {"ctibus-state.8", "ctibus-state.8.gz"}, "files"


def complete_in_zsh(made, *words):
    """What zsh would offer for the last of the words."""
    script = f"""
        _describe() {{ print -rl -- "${{(@P)argv[-1]}}" }}
        _files() {{ print FILES }}
        words=({" ".join(f"'{w}'" for w in words)}) CURRENT={len(words)}
        offered() {{ source {made / "ctibus.zsh"} }}; offered
    """
    return set(said("zsh", "-fc", script).splitlines())


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_completion_of_zsh(made):
    words = complete_in_zsh(made, "ctibus", "")
    commands = re.findall(r"^  ([a-z]+)", said(BIN / "ctibus", "--help"), re.M)
    assert {w.split(":")[0] for w in words} == {*commands, "help", "--config", "--context", "--json", "--help", "--version"}
    assert "phones:Shows the phones with their lamps, those with TEXT in their row" in words
    assert all(w.count("(") == w.count(")") and w.count(":") < 2 for w in words)
    assert complete_in_zsh(made, "ctibus", "help", "") == {w for w in words if not w.startswith("--")}
    assert {"--scope", "FILES"} <= complete_in_zsh(made, "ctibus", "--config", "x.json", "token", "")


@pytest.mark.parametrize("args,says", [(("snapsho",), "did you mean snapshot?"), (("help", "explian"), "did you mean explain?"),
                                       (("nonsense",), "`ctibus --help` shows them")])
def test_a_command_that_is_misspelt(args, says):
    done = subprocess.run([BIN / "ctibus", *args], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


def test_help_of_one_command():
    assert said(BIN / "ctibus", "help", "explain") == said(BIN / "ctibus", "explain", "--help")
