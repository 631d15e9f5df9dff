"""A fleet under `troupe up`, for the scenarios about it: its processes are the supervisor's, not ours."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

from fleet import BUILD, PROJECT, ROOT, Fleet, FleetError, wait_until

TROUPE = BUILD / "fleet" / "troupe"
SECONDS = 300


class Supervised:
    """`troupe up` in a Fleet that starts nothing itself. A context manager; leaving it stops what still runs, and
    fails if a process outlives the supervisor.

    options: more arguments of `troupe up`. wait: until all is up. piped: its stderr is a pipe for the test to read.
    """

    def __init__(self, folder, database, *options, project=PROJECT, workers=2, wait=True, piped=False):
        self.fleet = Fleet(folder, workers=0, web=False, database=database, project=project)
        self.options = [*options, "--workers", workers]
        self.wait = wait
        self.piped = piped
        self.pidfds = {}
        self.up = None

    def __enter__(self):
        self.fleet.__enter__()
        self.start(*self.options, wait=self.wait)
        return self

    def __exit__(self, *exc_info):
        try:
            if self.up.alive:
                self.up.signal(signal.SIGTERM)
                self.up.wait_exit(SECONDS)
            if exc_info[0] is None:
                self.assert_gone()
        finally:
            for fd in self.pidfds.values():
                os.close(fd)
            self.fleet.__exit__(*exc_info)

    def command(self, *arguments):
        """The words of a `troupe up` of this fleet."""
        python = ["--python", sys.executable, "--path", self.fleet.project, "--path", ROOT / "python"]
        return [TROUPE, "up", "--state", self.fleet.sockets, "--settings", "scenario.settings", *python, *arguments]

    def start(self, *arguments, wait=True):
        """Start the supervisor."""
        ready, ready_write = os.pipe()
        try:
            words = self.command("--ready-fd", ready_write, *arguments)
            more = {"stderr": subprocess.PIPE} if self.piped else {}
            self.up = self.fleet.spawn("up", words, pass_fds=(ready_write,), **more)
        finally:
            os.close(ready_write)
        with open(ready, "rb", buffering=0) as pipe:
            if wait and pipe.read(6) != b"ready\n":
                raise FleetError(f"troupe up did not come up:\n{self.up.tail()}")
        return self.up

    def run(self, *arguments, code=0):
        """Run a `troupe` command on this fleet to its end. (stdout, stderr)."""
        words = [TROUPE, arguments[0], "--state", self.fleet.sockets, *arguments[1:]]
        done = subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=self.fleet.environment(),
        )
        output = f"{done.stdout}{done.stderr}"
        assert done.returncode == code, f"{words} exits {done.returncode}:\n{output}\n{self.up.tail()}"
        return done.stdout, done.stderr

    def status(self):
        """What `troupe status --json` says, as a dict."""
        status = json.loads(self.run("status", "--json")[0])
        for row in status["processes"]:
            self.watch(row["pid"])
        return status

    def rows(self, name="worker"):
        """The processes in the status whose names begin so."""
        return [row for row in self.status()["processes"] if row["name"].startswith(name)]

    def pids(self, name="worker"):
        """Their pids."""
        return [row["pid"] for row in self.rows(name)]

    def wait_rows(self, wanted, description, name="worker"):
        """The rows once `wanted(rows)`."""
        found = []

        def look():
            found[:] = self.rows(name)
            return wanted(found)

        wait_until(look, lambda: f"{description}: {found}\n{self.up.tail()}", SECONDS)
        return found

    def watch(self, pid):
        """Remember a process, so that its end can be seen."""
        if pid and pid not in self.pidfds:
            with contextlib.suppress(ProcessLookupError):
                self.pidfds[pid] = os.pidfd_open(pid)

    def watch_logged(self):
        """Remember all processes that the supervisor has said it started."""
        for pid in re.findall(r"event=started name=\S+ child_pid=(\d+)", self.up.text()):
            self.watch(int(pid))

    def wait_gone(self, pid):
        """Until that process, which was seen in a status, has ended."""
        self.watch(pid)
        if pid in self.pidfds:
            assert select.select([self.pidfds[pid]], [], [], SECONDS)[0], f"{pid} is still there"

    def assert_gone(self):
        """None of the processes that were seen is left."""
        left = [pid for pid, fd in self.pidfds.items() if not select.select([fd], [], [], SECONDS)[0]]
        assert not left, f"still there: {left}"


def kill(pid):
    """SIGKILL, to a process that a status named."""
    os.kill(pid, signal.SIGKILL)


def children(pid):
    """The pids of a process's children."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
