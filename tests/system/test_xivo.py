"""A XiVO's own configuration, as its web interface writes it."""

import subprocess

import pytest
from stack import BIN, ROOT

XIVO = ROOT / "tests" / "data" / "xivo"


@pytest.mark.parametrize("program", ["state", "ami-gw", "cti-gw", "fagi-gw", "federation"])
@pytest.mark.parametrize("year", ["2011", "2012"])
def test_its_keys_are_no_faults(year, program):
    ran = subprocess.run([BIN / f"ctibus-{program}", "--config", XIVO / f"configuration-{year}.json", "--check"],
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    assert "secret" not in ran.stderr
    assert ("is taken as ipbxes.xivo-test.ipbx_connection" in ran.stderr) == (year == "2011")
