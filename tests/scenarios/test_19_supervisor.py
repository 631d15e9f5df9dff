"""`troupe up`: starts a fleet, keeps it alive, ends it, and leaves no process behind."""

import os
import pty
import re
import signal
import subprocess

import msgpack
import pytest
import raw
import zmq
from browser import Visitor
from fleet import wait_until
from supervised import SECONDS, TROUPE, Supervised, children, kill

# What a worker or a broker that was killed is told of, in the supervisor's log and the broker's: no ERROR.
FOREVER = ("--worker-dead-ms", "3600000")


@pytest.fixture
def supervised(tmp_path, database):
    """A function that starts a supervised fleet of this test's own, with Supervised's arguments."""
    started = []

    def make(*options, **more):
        process = Supervised(tmp_path / f"up{len(started)}", database, *options, **more)
        started.append(process)
        return process.__enter__()

    yield make
    for running in reversed(started):
        running.__exit__(None, None, None)


def counter(fleet, start):
    """A page that counts from there."""
    return Visitor(fleet.port).open(f"/counter/{start}/")


def test_up_and_stop(supervised, tmp_path):
    config = tmp_path / "troupe.conf"
    config.write_text("workers = 7\ndrain-ms = 3000\n")  # the flag has the last word
    process = supervised("--config", config)
    status = process.status()
    assert (status["state"], status["workers"], status["pid"]) == ("up", 2, process.up.pid)
    assert [row["name"] for row in status["processes"]] == ["broker", "worker-1", "worker-2"]
    assert all(row["state"] == "ready" and row["restarts"] == 0 for row in status["processes"])
    assert sorted(children(process.up.pid)) == sorted(row["pid"] for row in status["processes"])
    process.fleet.port = process.fleet.wait_web(process.fleet.start_web("web", wait=False))
    with counter(process.fleet, 4) as page:
        assert ">5<" in page.shows("increment")
        wait_until(lambda: sum(row.get("turns", 0) for row in process.rows()) >= 1, "the turn to be in the figures")
        assert process.status()["broker"]["sessions"] == 1
    table = process.run("status")[0]
    assert "fleet up" in table and re.search(r"^worker-2 +\d+  ready", table, re.MULTILINE)
    out, _ = process.run("stop")
    assert out.endswith("stopped\n")
    assert process.up.wait_exit() == 0
    assert sorted(os.listdir(process.fleet.sockets)) == ["lock", "sessions"]
    assert "no fleet runs in" in process.run("status", code=1)[1]


def test_one_supervisor_a_directory(supervised):
    process = supervised(workers=1)
    again = subprocess.run([str(word) for word in process.command()], capture_output=True, text=True, timeout=SECONDS)
    assert again.returncode == 1
    assert "a fleet is running here already" in again.stderr
    assert process.status()["state"] == "up"


def test_refused_arguments(tmp_path):
    config = tmp_path / "bad.conf"
    config.write_text("wrkers = 2\n")
    for arguments, why in [
        (["up", "--config", config], "unknown option 'wrkers'"),
        (["up", "--workers", "0"], "'0' is not a number from 1 to 256"),
        (["up", "--state", tmp_path / ("x" * 100)], "too long for a socket"),
        (["up", "--front", "tcp://127.0.0.1:*"], "specify a port"),
        (["scale", "--state", tmp_path], "N is missing"),
        (["dance"], "troupe: there is no command 'dance'\n\nUsage: troupe COMMAND"),
    ]:
        done = subprocess.run([TROUPE, *arguments], capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 2, done.stderr
        assert why in done.stderr


def test_settings_that_do_not_import(supervised):
    process = supervised("--settings", "nowhere.settings", workers=1, wait=False)
    assert process.up.wait_exit(SECONDS) == 1
    process.watch_logged()
    process.fleet.expect_log("event=project_failed", name="up")
    process.fleet.expect_log("Traceback.*No module named 'nowhere'", name="up")
    assert re.search(r"troupe: worker-\d did not start: exit code 3: ModuleNotFoundError", process.up.text())
    assert "    ^" in process.up.text() or 'File "' in process.up.text()
    process.up.signalled = True  # 1 is what it has to exit with


def test_terminal(tmp_path):
    """On a terminal each line says whose it is."""
    ours, theirs = pty.openpty()
    command = [TROUPE, "up", "--state", tmp_path / "state", "--workers", "1", "--settings", "nowhere.settings"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=theirs, start_new_session=True)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:
        pass  # how a terminal says that it was closed at the other end
    os.close(ours)
    assert process.wait(SECONDS) == 1
    assert b"worker-1  | ModuleNotFoundError: No module named " in text
    assert b"broker    | " in text


def test_killed_worker(supervised):
    """The broker knows at once, not when it has missed it; the page goes on elsewhere; the slot gets another."""
    process = supervised(*FOREVER)
    process.fleet.port = process.fleet.wait_web(process.fleet.start_web("web", wait=False))
    with counter(process.fleet, 4) as page:
        page.shows("increment")
        owner = process.wait_rows(lambda rows: any(row.get("sessions") for row in rows), "a session in the figures")
        owner = next(row for row in owner if row.get("sessions"))
        other = next(row for row in process.rows() if row["name"] != owner["name"])
        kill(owner["pid"])
        assert page.wait_type("lost")["reason"] == "worker_lost"
        assert page.join()["restored"] is True
        assert ">6<" in page.shows("increment")
        rows = process.wait_rows(lambda rows: [row["state"] for row in rows] == ["ready"] * 2, "both to be ready again")
    again = next(row for row in rows if row["name"] == owner["name"])
    assert (again["restarts"], again["generation"], again["last"]) == (1, 2, "killed by SIGKILL")
    assert again["pid"] != owner["pid"]
    assert next(row for row in rows if row["name"] == other["name"])["pid"] == other["pid"]
    assert process.up.text().count("next_start_ms=100\n") == 1


def test_killed_broker(supervised):
    process = supervised()
    workers, [broker] = process.pids(), process.pids("broker")
    kill(broker)
    process.wait_rows(lambda rows: rows[0]["state"] == "ready" and rows[0]["pid"] != broker, "another broker", "broker")
    process.wait_rows(lambda rows: all("turns" in row for row in rows), "the workers to be registered again")
    assert process.pids() == workers
    assert process.rows("broker")[0]["last"] == "killed by SIGKILL"
    with raw.Client(process.fleet.front) as client:
        assert client.mount("house.views.Counter").id


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_supervisor_ends(supervised, number):
    """However it ends, its processes do, and those that they started."""
    process = supervised()
    process.status()
    process.up.signal(number)
    assert process.up.wait_exit(SECONDS) == (-number if number == signal.SIGKILL else 0)
    process.assert_gone()
    if number == signal.SIGKILL:
        process.start("--workers", "1")  # what it left is no obstacle
        assert len(process.rows()) == 1


def test_scale(supervised):
    process = supervised(workers=1)
    [first] = process.pids()
    out, _ = process.run("scale", "3")
    assert out.endswith("3 workers\n") and "worker-3.1" in out
    assert [row["state"] for row in process.rows()] == ["ready"] * 3
    last = process.pids()[1:]
    assert process.run("scale", "1")[0].endswith("1 workers\n")
    assert process.pids() == [first]
    for pid in last:
        process.wait_gone(pid)
    assert "'0' is not a number" in process.run("scale", "0", code=2)[1]


def test_max_events(supervised):
    """A worker that has done its part is replaced, by one that is ready before."""
    process = supervised("--max-events", "20", workers=1)
    [first] = process.pids()
    with raw.Client(process.fleet.front) as client:
        session = client.mount("house.views.Counter")
        for _ in range(25):
            session.event("increment")
    [row] = process.wait_rows(lambda rows: len(rows) == 1 and rows[0]["pid"] != first, "another worker")
    assert (row["state"], row["restarts"]) == ("ready", 0)
    assert row["last"] == "max_events (exit code 0)"
    lines = [line for line in process.up.text().splitlines() if "component=fleet" in line]
    order = [re.search(r"event=(\w+) name=worker-1\.(\d)", line) for line in lines]
    order = [found.groups() for found in order if found]
    assert order[-4:] == [("started", "2"), ("ready", "2"), ("terminating", "1"), ("exited", "1")]


@pytest.mark.parametrize(("option", "why"), [("--max-age-s=1", "max_age"), ("--max-rss-mb=1", "max_rss")])
def test_other_limits(supervised, option, why):
    process = supervised(option, workers=1)
    [row, *_] = process.wait_rows(lambda rows: rows[0]["last"] == f"{why} (exit code 0)", f"{why} to be reached")
    assert row["restarts"] == 0


def test_second_signal(supervised, tmp_path):
    """Who has waited long enough says so once more."""
    process = supervised("--drain-ms", "600000", workers=1)
    with raw.Client(process.fleet.front) as client:
        session = client.mount("house.views.Gated")
        session.post("hold", {"gate": str(tmp_path / "gate")})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        process.status()
        process.up.signal(signal.SIGTERM)
        process.up.wait_line("event=leaving")
        process.up.signal(signal.SIGTERM)
        assert process.up.wait_exit(SECONDS) == 0
    assert re.search(r"event=killing name=worker-1.1 .* reason=stop", process.up.text())
    process.assert_gone()


def test_hostile_control(supervised):
    """Whatever comes over the control socket, the supervisor lives and goes on answering."""
    process = supervised(workers=1)
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.linger = 0
    dealer.connect(f"ipc://{process.fleet.sockets}/control")
    hostile = [
        [b""],
        [b"\xff" * 100],
        [msgpack.packb({"version": 1, "command": "up"})],
        [msgpack.packb({"version": 9, "command": "stop"})],
        [msgpack.packb({"version": 1, "command": "scale", "workers": 1 << 40})],
        [msgpack.packb({"version": 1, "command": "scale", "workers": 0})],
        [msgpack.packb({"version": 1, "command": "scale"})],
        [msgpack.packb({"version": 1, "command": "x" * 3000})],
        [raw.nested(1000)],
        [msgpack.packb({"version": 1, "command": "stop"}), b"more"],
    ]
    try:
        for frames in hostile:
            dealer.send_multipart(frames)
            assert dealer.poll(SECONDS * 1000), f"no answer to {frames}"
            answer = msgpack.unpackb(dealer.recv())
            assert answer["ok"] is False and answer["message"]
        dealer.send(b"x" * 100_000)  # over the limit: the connection is closed
    finally:
        dealer.close()
    status = process.status()
    assert (status["state"], status["workers"]) == ("up", 1)
