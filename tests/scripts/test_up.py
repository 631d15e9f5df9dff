"""scripts/up with the real processes: it starts them, and whatever happens, leaves none behind."""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys

import demo_fleet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds; no test waits so long unless something hangs


class Up:
    """scripts/up, past setup and build, in a process of its own. `children` are pidfds by process id.

    hangup: what SIGHUP does to it when it starts. Inherited, it would be ignored in a test run under nohup.
    """

    def __init__(self, tmp_path, *arguments, hangup=signal.SIG_DFL):
        self.tmp = tmp_path / "tmp"
        self.tmp.mkdir()
        env = {**os.environ, "TMPDIR": str(self.tmp), "DEMO_DB": str(tmp_path / "db.sqlite3")}
        command = [sys.executable, ROOT / "scripts" / "lib" / "up.py", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
        )
        self.lines = []
        self.children = {}

    def read_until(self, text):
        """Reads what it prints up to a line with `text`, which it returns."""
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        pytest.fail(f"it ended without {text!r}:\n{''.join(self.lines)}")

    def running(self):
        """Waits until the demo is up. Its children's ids, oldest first."""
        self.read_until("Troupe's demo is at")
        pids = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.children = {int(pid): os.pidfd_open(int(pid)) for pid in pids.split()}
        return list(self.children)

    def end(self):
        """Waits for its end. Returns the exit code and what it printed; fails if a child lives on."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        poller = select.poll()
        for fd in self.children.values():
            poller.register(fd, select.POLLIN)
        while self.children:
            ended = {fd for fd, _ in poller.poll(PATIENCE * 1000)}
            assert ended, f"still there: {list(self.children)}"
            for pid in [pid for pid, fd in self.children.items() if fd in ended]:
                poller.unregister(self.children[pid])
                os.close(self.children.pop(pid))
        return self.process.returncode, "".join(self.lines) + rest


@pytest.fixture
def up(tmp_path_factory):
    """Starts scripts/up with arguments."""
    started = []
    tmp_path = tmp_path_factory.mktemp("up")  # short enough for ipc:// paths in it

    def start(*arguments, **options):
        started.append(Up(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(up, number):
    demo = up("--port", demo_fleet.free_port())
    assert len(demo.running()) == 4
    demo.process.send_signal(number)
    code, said = demo.end()
    assert code == 0, said
    assert said.endswith("Stopped.\n")
    assert list(demo.tmp.iterdir()) == []


def test_nohup_keeps_it_running(up):
    demo = up("--port", demo_fleet.free_port(), hangup=signal.SIG_IGN)
    demo.running()
    status = pathlib.Path(f"/proc/{demo.process.pid}/status").read_text()
    ignored = int(re.search(r"^SigIgn:\s*(\w+)$", status, re.M)[1], 16)
    assert ignored & 1 << signal.SIGHUP - 1
    demo.process.terminate()
    assert demo.end()[0] == 0


@pytest.mark.parametrize("victim", [0, 3], ids=["broker", "server"])
def test_a_child_that_dies_takes_everything_along(up, victim):
    demo = up("--port", demo_fleet.free_port())
    os.kill(demo.running()[victim], signal.SIGKILL)
    code, said = demo.end()
    assert code == 1, said
    assert re.search(r"^(broker|web) was killed by SIGKILL$", said, re.M)
    assert list(demo.tmp.iterdir()) == []


def test_a_worker_that_dies_has_a_successor(up):
    """The demo has a button for that."""
    demo = up("--port", demo_fleet.free_port())
    os.kill(demo.running()[1], signal.SIGKILL)
    name = demo.read_until("is gone; starting another in its place").split()[0]
    demo.read_until(f"worker={name}")
    demo.process.terminate()
    code, said = demo.end()
    assert code == 0, said


def test_nobody_outlives_it_even_when_it_is_killed(up):
    demo = up("--port", demo_fleet.free_port())
    demo.running()
    demo.process.kill()
    code, _ = demo.end()
    assert code == -signal.SIGKILL


def test_it_can_be_stopped_while_it_starts(up):
    demo = up("--port", demo_fleet.free_port())
    demo.read_until("Starting")
    demo.process.terminate()
    code, said = demo.end()
    assert code == 0, said
    assert "Traceback" not in said
    assert list(demo.tmp.iterdir()) == []


def test_the_state_directory_is_private(up):
    demo = up("--port", demo_fleet.free_port(), "--workers", 1)
    assert len(demo.running()) == 3
    (state,) = demo.tmp.glob("troupe-*")
    assert state.stat().st_mode & 0o777 == 0o700


def test_a_port_that_was_asked_for_and_is_taken(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = up("--port", taken.getsockname()[1]).end()
    assert code == 1
    assert "cannot be used" in said


def test_check_makes_a_visit(up):
    code, said = up("--check").end()
    assert code == 0, said
    assert said.count("✓") == 7
