"""What makes a fault hard to use: in the programs, in the units of systemd, in docker-compose.yml."""

import base64
import configparser
import json
import platform
import re
import shutil
import subprocess

import pytest
import yaml

from stack import BIN, ROOT, Stack
from test_fax import PDF, wait_for

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
PROGRAMS = [f"ctibus-{s}" for s in SERVICES] + ["ctibus", "ctibus-asterisk-sim"]
UNITS = ROOT / "deploy" / "systemd"
needs_readelf = pytest.mark.skipif(not shutil.which("readelf"), reason="readelf is not installed (binutils)")


def readelf(program, *flags):
    return subprocess.run(["readelf", "--wide", *flags, BIN / program], capture_output=True, text=True, check=True,
                          timeout=60).stdout


def setting(name):
    """Of the build that is tested."""
    return re.search(rf"^{name}:\w+=(.*)$", (BIN.parent / "CMakeCache.txt").read_text(), re.M)[1]


@needs_readelf
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_placed_anywhere_and_its_tables_cannot_be_written(program):
    assert re.search(r"Type:\s+DYN", readelf(program, "--file-header"))
    dynamic = readelf(program, "--dynamic")
    assert re.search(r"\(FLAGS_1\).*\bNOW\b.*\bPIE\b", dynamic) and "BIND_NOW" in dynamic
    assert "TEXTREL" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic
    segments = readelf(program, "--segments")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK(\s+0x\w+){5}\s+RW ", segments), "no code on the stack"
    loaded = re.findall(r"LOAD(?:\s+0x\w+){5}\s+(R?W?\s?E?)", segments)
    assert loaded and not any("W" in flags and "E" in flags for flags in loaded)


@needs_readelf
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_guards_its_stack_and_its_copies(program):
    if setting("CTIBUS_SANITIZE") or setting("CTIBUS_FUZZ") == "ON":
        pytest.skip("a build with sanitizers")
    symbols = readelf(program, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    if setting("CMAKE_BUILD_TYPE") in ("Release", "RelWithDebInfo", "MinSizeRel"):
        assert "__snprintf_chk" in symbols and "__memcpy_chk" in symbols


@needs_readelf
def test_each_file_of_ours_is_compiled_so():
    """The flags of the build, since a symbol may come from one file alone."""
    if setting("CTIBUS_SANITIZE") or setting("CTIBUS_FUZZ") == "ON":
        pytest.skip("a build with sanitizers")
    commands = json.loads((BIN.parent / "compile_commands.json").read_text())
    assert len(commands) > 200
    jumps = "-fcf-protection=full" if platform.machine() == "x86_64" else "-fPIE"
    for c in commands:
        for flag in ("-fstack-protector-strong", "-fstack-clash-protection", "-fPIE", jumps):
            assert flag in c["command"], c["file"]
        assert ("-D_FORTIFY_SOURCE=3" in c["command"]) == ("-O" in c["command"] and "-O0" not in c["command"]), c["file"]


# --- systemd ---

class Options(dict):
    """Of a unit: those that stand several times as a list."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(service):
    """The section [Service] with what holds for all."""
    name = f"ctibus-{service}{'@' if service == 'ami-gw' else ''}.service"
    found = {}
    for path in (UNITS / name, UNITS / "ctibus-.service.d" / "hardening.conf"):
        parser = configparser.RawConfigParser(strict=False, dict_type=Options)
        parser.optionxform = str
        parser.read_string(path.read_text())
        for key, value in parser["Service"].items():
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_is_bounded_watched_and_shut_in(service):
    options = unit(service)
    assert options["Type"] == ["notify"] and options["NotifyAccess"] == ["main"]
    assert 5 <= int(options["WatchdogSec"][0]) <= 60 and options["Restart"] == ["always"]
    assert re.fullmatch(r"\d+[MG]", options["MemoryMax"][0])
    assert int(options["LimitNOFILE"][0]) >= 4096 and options["LimitCORE"] == ["0"] and int(options["TasksMax"][0]) <= 64
    for name in ("DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateUsers",
                 "PrivateIPC", "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs",
                 "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality", "MemoryDenyWriteExecute",
                 "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC"):
        assert options[name] == ["yes"], name
    assert options["ProtectSystem"] == ["strict"] and options["CapabilityBoundingSet"] == [""]
    assert options["SystemCallArchitectures"] == ["native"] and options["SystemCallFilter"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed (systemd)")
def test_systemd_finds_the_units_safe(tmp_path):
    shutil.copytree(UNITS, tmp_path / "units")
    for path in sorted((tmp_path / "units").glob("*.service")):
        r = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        assert "Overall exposure level" in r.stdout, r.stdout
        assert r.returncode == 0, r.stdout
        assert "Unknown" not in r.stdout and "Failed to parse" not in r.stdout, r.stdout


# --- containers ---

def test_each_container_is_bounded():
    text = (ROOT / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    for name, service in services.items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


GHOSTSCRIPT = """#!/bin/sh
tr '\\0' '\\n' </proc/$$/environ >"{seen}"
exec /usr/bin/gs "$@"
"""


@pytest.mark.skipif(not shutil.which("gs"), reason="gs is not installed (ghostscript)")
def test_ghostscript_does_not_see_our_environment(tmp_path, monkeypatch):
    seen, program = tmp_path / "seen", tmp_path / "gs"
    program.write_text(GHOSTSCRIPT.format(seen=seen))
    program.chmod(0o755)
    monkeypatch.setenv("CTIBUS_TEST_SECRET_FILE", "/etc/passwd")
    with Stack(config={"ctibus.fax.ghostscript": str(program)}) as s:
        c = s.wait_ready().client("alice")
        c.ask("faxsend", destination="0123456", filename="a.pdf", size=len(PDF), data=base64.b64encode(PDF).decode())
        assert wait_for(c, "fax_progress")["status"] == "PRESENDFAX"
        c.close()
    assert seen.read_text() == ""
