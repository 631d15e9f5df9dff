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
        one = Supervised(tmp_path / "up", database, *options, project=copy, **more)
        started.append(one)
        return one.__enter__(), views

    yield make
    for one in reversed(started):
        one.__exit__(None, None, None)


def word(one):
    """What the Reloaded view shows, freshly mounted."""
    with raw.Client(one.fleet.front) as client:
        return client.mount("house.views.Reloaded").html


def edit(views, old, new):
    """Replace a text."""
    source = views.read_text()
    assert old in source
    views.write_text(source.replace(old, new))


def test_reload(edited):
    one, views = edited()
    before = one.pids()
    assert "before" in word(one)
    edit(views, '"before"', '"after"')
    out, _ = one.run("reload")
    assert out.endswith("reloaded 2 workers\n")
    order = [out.index(text) for text in ("worker-1.2", "worker-1.1 ", "worker-2.2", "worker-2.1 ")]
    assert order == sorted(order)
    rows = one.rows()
    assert [(row["state"], row["generation"], row["restarts"]) for row in rows] == [("ready", 2, 0)] * 2
    assert not {row["pid"] for row in rows} & set(before)
    assert "after" in word(one)
    edit(views, '"after"', '"at last"')
    one.up.process.send_signal(signal.SIGHUP)
    one.wait_rows(lambda rows: [row["generation"] for row in rows] == [3, 3], "SIGHUP to reload")
    one.up.wait_line("event=reloaded workers=2", one.up.text().index("by=SIGHUP"))
    assert "at last" in word(one)


def test_state_of_older_code(edited):
    """What another state_version left goes through migrate(); where that takes nothing over, the page begins anew."""
    one, views = edited()
    kept = views.parent / "kept.py"
    port = one.fleet.start_web("web")
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
        one.run("reload")
        assert ">102<" in page.shows("increment")
        assert not page.unasked
        edit(kept, "state_version = 2", "state_version = 3")
        edit(kept, 'return {"total"', 'return None and {"total"')
        one.fleet.expect_log("event=restore_failed .*takes nothing over from state_version 2")
        one.run("reload")
        assert page.wait_type("lost")["reason"] == "worker_left"
        assert page.join()["fresh"] is True
        assert ">1<" in page.shows("increment")


def test_reload_of_what_does_not_start(edited):
    """The old workers go on, and the command says what is wrong."""
    one, views = edited()
    before = one.pids()
    good = views.read_text()
    views.write_text(BROKEN + good)
    one.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    one.fleet.expect_log("event=project_failed", name="up")
    _, err = one.run("reload", code=1)
    assert "Traceback (most recent call last)" in err
    assert "worker-1 failed to start with the new code: exit code 3: ModuleNotFoundError:" in err
    assert "No module named 'nowhere_to_be_found'" in err
    assert one.pids() == before
    assert "before" in word(one)
    views.write_text(good)
    one.run("reload")
    assert not set(one.pids()) & set(before)


def test_respawn_that_does_not_start(edited):
    """It is tried again and again, with the reason in the log and the status, and the others live."""
    one, views = edited()
    first, second = one.pids()
    good = views.read_text()
    views.write_text(BROKEN + good)
    one.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    one.fleet.expect_log("event=project_failed", name="up")
    kill(first)
    line = r'how=boot_failure cause="exit code 3: ModuleNotFoundError: .*next_start_ms=400'
    one.up.wait_line(line)  # the third in a row
    [row, other] = one.rows()
    assert "ModuleNotFoundError" in row["last"] and row["restarts"] >= 2
    assert (other["pid"], other["state"]) == (second, "ready")
    views.write_text(good)
    one.wait_rows(lambda rows: rows[0]["state"] == "ready", "the mended one to start")
    assert one.pids()[1] == second


def test_views_that_do_not_import(edited):
    """Known before anybody's page is placed there: the start fails, with the traceback shown once more at its end."""
    one, _ = edited(change=BROKEN, workers=1, wait=False)
    assert one.up.wait_exit(SECONDS) == 1
    one.watch_logged()
    one.fleet.expect_log("Traceback.*nowhere_to_be_found", name="up")
    one.fleet.expect_log("event=project_failed", name="up")
    end = one.up.text().rpartition("\ntroupe: worker-")[2]
    assert "did not start: exit code 3: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in end
    assert "house/views.py" in end
    one.up.signalled = True  # 1 is what it has to exit with


def waiting(pipe):
    """How many bytes wait in a pipe to be read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_nobody_reads_the_output(edited):
    """Who writes waits, as at any full pipe; the supervisor does not."""
    one, _ = edited(workers=1, change='\nprint("x" * 50 + "\\n" * 200_000, flush=True)\n', wait=False, piped=True)
    text = b""

    def read_until(wanted):
        nonlocal text
        while wanted not in text:
            text += os.read(one.up.process.stderr.fileno(), 65536)

    read_until(b"event=started name=worker-1.1")
    wait_until(lambda: waiting(one.up.process.stderr) > 60_000, "the pipe to be full")
    assert one.rows()[0]["state"] == "starting"
    read_until(b"event=up")
    assert text.count(b"\n") > 200_000
    assert one.status()["state"] == "up"
    one.run("stop")
    assert one.up.wait_exit(SECONDS) == 0
    one.up.process.stderr.close()


def test_what_workers_leave(edited):
    """A process that a worker started ends with it; one that moved to a session of its own, with the fleet."""
    one, _ = edited(workers=1, change=LEAVES)
    line = r"event=left child_pid=(\d+)\n"
    found = [int(pid) for pid in one.up.wait_line(rf"{line}(?:.*\n)*?.*{line}").groups()]
    one.status()
    for pid in found:
        one.watch(pid)
    [worker] = one.pids()
    kill(worker)
    one.wait_gone(found[0])
    one.wait_rows(lambda rows: rows[0]["state"] == "ready", "another worker")
    wait_until(lambda: one.up.text().count("event=left") == 4, "the other worker's processes")
    one.run("stop")
    one.up.wait_exit(SECONDS)
    one.wait_gone(found[1])
