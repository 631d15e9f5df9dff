"""scripts/lib/newest_python prints an interpreter only if it is newer than the everyday one and can be embedded."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def interpreter(path, hexversion):
    """A program that answers as an interpreter of that version would; 0: it cannot be embedded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat >/dev/null\necho {hexversion}\n")
    path.chmod(0o755)
    return path


def newest(everyday, **variables):
    """(exit code, what it printed), where only the variables say what interpreters there are."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TROUPE_", "PYENV_"))}
    env.update({name: str(value) for name, value in variables.items()})
    command = [ROOT / "scripts/lib/newest_python", everyday]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize(
    ("version", "found"),
    [(0x030D00F0, True), (0x030B0BF0, False), (0x030B02F0, False), (0x030A0DF0, False), (0, False)],
)
def test_one_that_is_named(tmp_path, version, found):
    everyday = interpreter(tmp_path / "everyday", 0x030B02F0)
    named = interpreter(tmp_path / "named", version)
    assert newest(everyday, TROUPE_NEWEST_PYTHON=named) == ((0, str(named)) if found else (1, ""))


def test_the_newest_of_pyenv(tmp_path):
    everyday = interpreter(tmp_path / "everyday", 0x030C01F0)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    for name, version in (("3.13.0", 0xF30D00F0), ("3.14.2", 0xF30E02F0), ("3.15.0a1", 0)):
        interpreter(tmp_path / "pyenv/versions" / name / "bin/python", version)
    wanted = tmp_path / "pyenv/versions/3.14.2/bin/python"
    assert newest(everyday, PYENV_ROOT=tmp_path / "pyenv", PATH=path) == (0, str(wanted))
