"""The golden vectors are what their generator writes."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["messages.json", "invalid.json", "values.json"])
def test_committed_vectors_are_the_generated_ones(tmp_path, name):
    pytest.importorskip("msgpack")
    subprocess.run([sys.executable, ROOT / "scripts/lib/make_vectors.py", tmp_path], check=True)
    assert (tmp_path / name).read_text() == (ROOT / "proto/vectors" / name).read_text()
