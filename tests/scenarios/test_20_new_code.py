"""New code in a supervised fleet: reloads, code that does not start, and what workers leave behind."""

import fcntl
import os
import shutil
import signal
import sys
import termios

import pytest
import raw
from browser import Visitor
from fleet import PROJECT, wait_until
from supervised import SECONDS, Supervised, kill

BROKEN = "import nowhere_to_be_found\n"
LEAVES = """
import subprocess
for own_session in (False, True):
    left = subprocess.Popen(["sleep", "1000"], start_new_session=own_session)
    print(f"level=INFO event=left child_pid={left.pid}", flush=True)
"""


@pytest.fixture
def edited(tmp_path, database):
    """A function that starts a supervised fleet with a copy of the project; (it, the copy's views.py)."""
    started = []

    def make(*options, change="", **more):
        copy = tmp_path / "project"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
        views = copy / "house" / "views.py"
        views.write_text(views.read_text() + change)
        process = Supervised(tmp_path / "up", database, *options, project=copy, **more)
        started.append(process)
        return process.__enter__(), views

    yield make
    for running in reversed(started):
        running.__exit__(None, None, None)


def word(process):
    """What the Reloaded view shows, freshly mounted."""
    with raw.Client(process.fleet.front) as client:
        return client.mount("house.views.Reloaded").html


def edit(views, old, new):
    """Replace a text."""
    source = views.read_text()
    assert old in source
    views.write_text(source.replace(old, new))


def test_reload(edited):
    process, views = edited()
    before = process.pids()
    assert "before" in word(process)
    edit(views, '"before"', '"after"')
    out, _ = process.run("reload")
    assert out.endswith("reloaded 2 workers\n")
    order = [out.index(text) for text in ("worker-1.2", "worker-1.1 ", "worker-2.2", "worker-2.1 ")]
    assert order == sorted(order)
    rows = process.rows()
    assert [(row["state"], row["generation"], row["restarts"]) for row in rows] == [("ready", 2, 0)] * 2
    assert not {row["pid"] for row in rows} & set(before)
    assert "after" in word(process)
    edit(views, '"after"', '"at last"')
    process.up.process.send_signal(signal.SIGHUP)
    process.wait_rows(lambda rows: [row["generation"] for row in rows] == [3, 3], "SIGHUP to reload")
    process.up.wait_line("event=reloaded workers=2", process.up.text().index("by=SIGHUP"))
    assert "at last" in word(process)


def test_state_of_older_code(edited):
    """What another state_version left goes through migrate(); where that takes nothing over, the page begins anew."""
    process, views = edited()
    kept = views.parent / "kept.py"
    port = process.fleet.start_web("web")
    migrate = """
    def migrate(self, version, state):
        return {"total": 100 * version + state["count"]}
"""
    with Visitor(port).open("/versioned/") as page:
        assert ">1<" in page.shows("increment")
        source = kept.read_text()
        before, after = source.split("class Versioned")
        after = after.replace("state_version = 1\n", f"state_version = 2\n{migrate}", 1).replace("count", "total", 1)
        kept.write_text(before + "class Versioned" + after.replace("self.count", "self.total"))
        process.run("reload")
        assert ">102<" in page.shows("increment")
        assert not page.unasked
        edit(kept, "state_version = 2", "state_version = 3")
        edit(kept, 'return {"total"', 'return None and {"total"')
        process.fleet.expect_log("event=restore_failed .*returned None for state_version 2")
        process.run("reload")
        assert page.wait_type("lost")["reason"] == "worker_left"
        assert page.join()["fresh"] is True
        assert ">1<" in page.shows("increment")


def test_reload_of_what_does_not_start(edited):
    """The old workers go on, and the command says what is wrong."""
    process, views = edited()
    before = process.pids()
    good = views.read_text()
    views.write_text(BROKEN + good)
    process.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    process.fleet.expect_log("event=project_failed", name="up")
    _, err = process.run("reload", code=1)
    assert "Traceback (most recent call last)" in err
    assert "worker-1 failed to start with the new code: exit code 3: ModuleNotFoundError:" in err
    assert "No module named 'nowhere_to_be_found'" in err
    assert process.pids() == before
    assert "before" in word(process)
    views.write_text(good)
    process.run("reload")
    assert not set(process.pids()) & set(before)


def test_respawn_that_does_not_start(edited):
    """It is tried again and again, with the reason in the log and the status, and the others live."""
    process, views = edited()
    first, second = process.pids()
    good = views.read_text()
    views.write_text(BROKEN + good)
    process.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    process.fleet.expect_log("event=project_failed", name="up")
    kill(first)
    line = r'how=boot_failure cause="exit code 3: ModuleNotFoundError: .*next_start_ms=400'
    process.up.wait_line(line)  # the third in a row
    [row, other] = process.rows()
    assert "ModuleNotFoundError" in row["last"] and row["restarts"] >= 2
    assert (other["pid"], other["state"]) == (second, "ready")
    views.write_text(good)
    process.wait_rows(lambda rows: rows[0]["state"] == "ready", "the mended one to start")
    assert process.pids()[1] == second


def test_views_that_do_not_import(edited):
    """Known before anybody's page is placed there: the start fails, with the traceback shown once more at its end."""
    process, _ = edited(change=BROKEN, workers=1, wait=False)
    assert process.up.wait_exit(SECONDS) == 1
    process.watch_logged()
    process.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    process.fleet.expect_log("event=project_failed", name="up")
    end = process.up.text().rpartition("\ntroupe: worker-")[2]
    assert "did not start: exit code 3: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in end
    assert "house/views.py" in end
    process.up.signalled = True  # 1 is what it has to exit with


def waiting(pipe):
    """How many bytes wait in a pipe to be read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_nobody_reads_the_output(edited):
    """Who writes waits, as at any full pipe; the supervisor does not."""
    process, _ = edited(workers=1, change='\nprint("x" * 50 + "\\n" * 200_000, flush=True)\n', wait=False, piped=True)
    text = b""

    def read_until(wanted):
        nonlocal text
        while wanted not in text:
            text += os.read(process.up.process.stderr.fileno(), 65536)

    read_until(b"event=started name=worker-1.1")
    wait_until(lambda: waiting(process.up.process.stderr) > 60_000, "the pipe to be full")
    assert process.rows()[0]["state"] == "starting"
    read_until(b"event=up")
    assert text.count(b"\n") > 200_000
    assert process.status()["state"] == "up"
    process.run("stop")
    assert process.up.wait_exit(SECONDS) == 0
    process.up.process.stderr.close()


def test_what_workers_leave(edited):
    """A process that a worker started ends with it; one that moved to a session of its own, with the fleet."""
    process, _ = edited(workers=1, change=LEAVES)
    line = r"event=left child_pid=(\d+)\n"
    found = [int(pid) for pid in process.up.wait_line(rf"{line}(?:.*\n)*?.*{line}").groups()]
    process.status()
    for pid in found:
        process.watch(pid)
    [worker] = process.pids()
    kill(worker)
    process.wait_gone(found[0])
    process.wait_rows(lambda rows: rows[0]["state"] == "ready", "another worker")
    wait_until(lambda: process.up.text().count("event=left") == 4, "the other worker's processes")
    process.run("stop")
    process.up.wait_exit(SECONDS)
    process.wait_gone(found[1])
