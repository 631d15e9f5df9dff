"""troupe-worker of a wheel: which interpreter it becomes."""

import os
import sys

import pytest

from troupe.runtime import worker_program


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], None),
        (["--back=x", "--python=/a/python"], "/a/python"),
        (["--python", "/a/python", "--name", "w"], "/a/python"),
        (["-P", "/a/python", "--python=/b/python"], "/b/python"),
        (["--python"], None),
    ],
)
def test_the_interpreter(arguments, expected):
    assert worker_program.chosen_python(arguments) == expected


def test_it_goes_on_as_that_interpreter(monkeypatch):
    became = []
    monkeypatch.setattr(os, "execv", lambda program, argv: became.append((program, argv)))
    monkeypatch.setattr(sys, "argv", ["/env/bin/troupe-worker", "--python=/a/python", "--name=w"])
    worker_program.replace_process()
    words = ["/a/python", "-P", "-u", "-X", "utf8", "-m", "troupe.runtime.worker_program", "--python=/a/python"]
    assert became == [("/a/python", [*words, "--name=w"])]
