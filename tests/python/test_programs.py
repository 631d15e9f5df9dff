"""The commands of an installation: what they become, and with which interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from troupe import programs

SCRIPT = Path(__file__).parents[2] / "worker" / "troupe-worker"


@pytest.fixture
def became(monkeypatch):
    """What os.execv was called with."""
    calls = []
    monkeypatch.setattr(os, "execv", lambda program, argv: calls.append((program, argv)))
    monkeypatch.setattr(sys, "argv", ["/env/bin/name", "--name=w"])
    return calls


def test_a_worker_runs_in_this_environment_unless_told_otherwise(became, monkeypatch):
    monkeypatch.delenv("TROUPE_PYTHON", raising=False)
    program = str(programs.BIN / "troupe-worker")
    programs.worker()
    assert became.pop() == (program, [program, f"--python={sys.executable}", "--name=w"])
    programs.troupe()
    assert os.environ["TROUPE_PYTHON"] == sys.executable
    monkeypatch.setenv("TROUPE_PYTHON", "/other/python")
    programs.troupe()
    assert os.environ["TROUPE_PYTHON"] == "/other/python"


def test_a_broker_needs_none(became):
    programs.broker()
    program = str(programs.BIN / "troupe-broker")
    assert became == [(program, [program, "--name=w"])]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "python3"),
        (["--back=x", "--python={}"], "a b"),
        (["--python", "{}", "--name", "w"], "a b"),
        (["-P", "/nonexistent", "--python={}"], "a b"),
    ],
)
def test_the_interpreter_of_a_wheels_worker(tmp_path, arguments, expected):
    for name in ("python3", "a b"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name}"; printf "%s\\n" "$@"\n')
        (tmp_path / name).chmod(0o755)
    words = [word.format(tmp_path / "a b") for word in arguments]
    env = {"PATH": f"{tmp_path}:/bin"}
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=True, env=env)
    flags = ["-P", "-u", "-X", "utf8", "-m", "troupe.runtime.worker_program"]
    assert done.stdout.splitlines() == [expected, *flags, *words]
