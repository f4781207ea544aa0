"""The Makefile configures one folder for what is run, installed and tested: only the first of these is compiled in a hurry."""

import os
import shutil
import subprocess

import pytest

from stack import ROOT

# Notes how it is called, and keeps what it is told as cmake does.
CMAKE = """#!/bin/sh
echo "$@" >>calls
case "$1" in --build) exit ;; esac
mkdir -p build
touch build/build.ninja build/CMakeCache.txt
for arg; do
    case "$arg" in
    -D*) name=${arg#-D} && sed -i "/^${name%%=*}:/d" build/CMakeCache.txt && echo "${name%%=*}:BOOL=${name#*=}" >>build/CMakeCache.txt ;;
    esac
done
"""


@pytest.fixture(name="make")
def fixture_make(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    for path, text in (("scripts/deps", "#!/bin/sh\n"), ("scripts/run", "#!/bin/sh\n"), ("bin/cmake", CMAKE)):
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)

    def make(target):
        """How cmake is called to configure; None: it is not."""
        (tmp_path / "calls").write_text("")
        subprocess.run(["make", "-s", target], cwd=tmp_path, check=True, timeout=30,
                       env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
        calls = (tmp_path / "calls").read_text().splitlines()
        assert any(call.startswith("--build") for call in calls), calls
        configured = [call for call in calls if not call.startswith("--build")]
        assert len(configured) < 2
        return configured[0] if configured else None
    return make


@pytest.mark.parametrize("then", ["build", "build-tests"])
def test_what_was_only_run_is_compiled_anew_for_more(make, then):
    assert "-DCTIBUS_QUICK=ON" in make("run") and make("run") is None
    assert "-DCTIBUS_QUICK=OFF" in make(then) and make(then) is None
    assert make("run") is None, "what is there is run"


def test_the_tests_are_added_to_what_is_installed(make):
    assert "-DBUILD_TESTING=OFF" in make("build") and make("build") is None
    assert "-DBUILD_TESTING=ON" in make("build-tests") and make("build-tests") is None
    assert make("build") is None and make("build-tests") is None
