"""scripts/test counts what its runners say, and says when one said nothing."""

import json
import re
import signal
from pathlib import Path

import pytest
import test as runner
import test_counts
from test_counts import Counts

ROOT = Path(__file__).resolve().parents[2]


def test_junit():
    text = """<?xml version="1.0"?><testsuites><testsuite>
    <testcase name="a"/><testcase name="b"><failure message="no"/></testcase>
    <testcase name="c"><error message="fixture"/></testcase><testcase name="d"><skipped/></testcase>
    <testcase name="e"><system-out>words</system-out></testcase></testsuite></testsuites>"""
    assert test_counts.from_junit(text) == Counts(2, 2, 1)


@pytest.mark.parametrize("mark", ["#", "\u2139"])
def test_node(mark):
    lines = ["tests 7", "pass 3", "fail 1", "cancelled 1", "skipped 1", "todo 1", "duration_ms 12.5"]
    text = "ok 1 - a # pass 99\n" + "".join(f"{mark} {line}\n" for line in lines)
    assert test_counts.from_node(text) == Counts(3, 2, 2)
    assert test_counts.from_node("nothing ran") == Counts()


def meson(*entries):
    """A testlog.json of (result, stdout) pairs."""
    return "\n".join(json.dumps({"name": "t", "result": result, "stdout": out}) for result, out in entries)


def test_meson():
    text = meson(
        ("OK", "CUnit\n9 passed, 0 failed\n"),
        ("FAIL", "8 passed, 2 failed\n"),
        ("FAIL", "5 passed, 0 failed\nand then a leak\n"),
        ("FAIL", "died at once"),
        ("TIMEOUT", ""),
        ("OK", "a program without counts"),
        ("SKIP", ""),
    )
    assert test_counts.from_meson(text) == Counts(9 + 8 + 5 + 1, 2 + 1 + 1 + 1, 1)


def test_gates():
    lines = [
        "ok    layers   0.1 s",
        "FAIL  ruff   0.2 s",
        "      ok 3 s of something",
        "skip  javascript   0.0 s  skipped: no node",
    ]
    text = "\n".join(lines)
    assert test_counts.from_gates(text) == Counts(1, 1, 1)


def test_settled():
    assert test_counts.settled(Counts(3), 1) == Counts(3, 1)
    assert test_counts.settled(Counts(3, 2), 1) == Counts(3, 2)
    assert test_counts.settled(Counts(3), 0) == Counts(3)


def test_the_documents_know_every_group():
    assert list(runner.WHAT) == list(runner.GROUPS)
    rows = [f"| `{name}` | {what} | `{runner.GROUPS[name].folder}` |" for name, what in runner.WHAT.items()]
    assert "\n".join(rows) in (ROOT / "tests" / "README.md").read_text()
    usage = (ROOT / "scripts" / "test").read_text()
    assert [name for name in runner.GROUPS if not re.search(rf"\b{name}\b", usage)] == []


def test_words():
    assert str(Counts(3, 0)) == "3 passed, 0 failed"
    assert str(Counts(3, 1, 2)) == "3 passed, 1 failed, 2 skipped"


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A checkout of its own with groups that say what a test tells them to; returns the table to fill."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a_test").touch()
    table = {}
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "GROUPS", table)
    return table


def group(*result, folder="here", build=""):
    """A group with that result."""
    return runner.Group(folder, build, lambda: result)


def summary(session, capsys):
    """(exit code, last line, the whole output)."""
    code = session.summary()
    text = capsys.readouterr().out
    return code, text.splitlines()[-1], text


def test_all_good(groups, capsys):
    groups.update(a=group(Counts(3), 0), b=group(Counts(2, 0, 1), 0))
    session = runner.Session(build=False)
    session.group("a")
    session.group("b")
    assert summary(session, capsys)[:2] == (0, "5 passed, 0 failed, 1 skipped")


@pytest.mark.parametrize("result", [(Counts(3, 1), 1), (Counts(3), 1), (Counts(3), -9), (Counts(3, 1), 0)])
def test_a_failure_does_not_stop_the_next_group(groups, capsys, result):
    groups.update(a=group(*result), b=group(Counts(2), 0))
    session = runner.Session(build=False)
    session.group("a")
    session.group("b")
    assert summary(session, capsys)[:2] == (1, "5 passed, 1 failed")


def test_no_tests_are_a_failure(groups, capsys):
    groups.update(a=group(Counts(), 0))
    session = runner.Session(build=False)
    session.group("a")
    code, last, text = summary(session, capsys)
    assert (code, last) == (1, "0 passed, 1 failed") and "ran no tests" in text


def test_a_runner_that_is_not_there_is_a_failure(groups, capsys):
    def run():
        raise FileNotFoundError("no .venv-oldest/bin/python")

    groups.update(a=runner.Group("here", "", run))
    session = runner.Session(build=False)
    session.group("a")
    code, last, text = summary(session, capsys)
    assert (code, last) == (1, "0 passed, 1 failed") and "no .venv-oldest" in text


def test_a_missing_folder_is_said(groups, capsys):
    groups.update(a=group(Counts(1), 0, folder="not/there"))
    session = runner.Session(build=False)
    session.group("a")
    code, last, text = summary(session, capsys)
    assert (code, last) == (runner.SKIPPED, "0 passed, 0 failed, 1 skipped") and "not/there is not there yet" in text


@pytest.mark.parametrize(
    ("found", "told"), [(True, (0, "4 passed, 0 failed")), (False, (runner.SKIPPED, "0 passed, 0 failed, 1 skipped"))]
)
def test_without_a_newer_python_its_groups_are_skipped(groups, tmp_path, capsys, monkeypatch, found, told):
    def call(command, capture=False):
        assert command[-2:] == ["tests/python/a.py", "tests/python/b.py"]
        report = next(part for part in command if part.startswith("--junitxml=")).partition("=")[2]
        Path(report).write_text("<testsuite>" + '<testcase name="a"/>' * 4 + "</testsuite>")
        return 0, ""

    monkeypatch.setattr(runner, "call", call)
    if found:
        (tmp_path / runner.NEWEST).mkdir()
    groups.update(a=runner.Group("here", "newest", runner.pytest("tests/python", runner.NEWEST, only=("a.py", "b.py"))))
    session = runner.Session(build=False)
    session.group("a")
    assert summary(session, capsys)[:2] == told


def test_a_build_that_fails_fails_what_needs_it(groups, capsys, monkeypatch):
    monkeypatch.setattr(runner, "STEPS", {"setup": ["true"], "plain": ["false"]})
    groups.update(a=group(Counts(5), 0, build="plain"), b=group(Counts(2), 0))
    session = runner.Session(build=True)
    session.group("a")
    session.group("b")
    code, last, text = summary(session, capsys)
    assert (code, last) == (1, "2 passed, 2 failed") and "not run" in text


def test_what_hangs_is_killed_with_its_children(groups, monkeypatch, capfd):
    monkeypatch.setattr(runner, "GROUP_SECONDS", 0.2)
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.5)
    code, _ = runner.call(["sh", "-c", "sleep 60 & sleep 60"], capture=True)
    assert code in (-signal.SIGINT, -signal.SIGKILL)
    assert "was stopped" in capfd.readouterr().out
