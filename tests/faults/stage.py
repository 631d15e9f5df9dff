"""The system under test: a supervised fleet with relays on both sides of its broker, an ASGI server that is restarted
when it dies, and a database.
"""

import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "bench"))

from harness import BUILD, PYTHON, ROOT, environment, say  # noqa: E402

PROJECT = HERE / "project"
COMMAND_SECONDS = 120
READY_SECONDS = 60


class Relay:
    """A process of relay.py in front of one of the broker's sockets."""

    def __init__(self, processes, name, target, seed):
        self.path = processes.folder / f"{name}.relay"
        command = [PYTHON, HERE / "relay.py", self.path, target, seed]
        self.process = processes.start(f"{name} relay", command, ready="ready", stdin=subprocess.PIPE)
        self.orders = 0

    async def trouble(self, kind, chance, seconds):
        """See relay.py; how many messages met it."""
        self.orders += 1
        stdin = self.process.popen.stdin
        stdin.write(json.dumps({"do": kind, "chance": chance, "seconds": seconds}).encode() + b"\n")
        stdin.flush()
        while len(acknowledged := self.process.log.read_text().split()) <= self.orders:
            await asyncio.sleep(0.05)
        return int(acknowledged[self.orders])


class Stage:
    """All of it, started. processes: of bench/harness.py. options: more of `troupe up`. relays: whether it has some."""

    def __init__(self, processes, workers=3, seed=0, options=(), relays=True):
        self.processes, self.workers = processes, workers
        self.state = processes.folder / "fleet"
        self.database, self.clock = processes.folder / "db", processes.folder / "clock"
        self.trace = processes.folder / "trace"
        self.relays = {}
        front, back = self.state / "front", self.state / "back"
        if relays:
            self.relays = {
                "front": Relay(processes, "front", front, seed),
                "back": Relay(processes, "back", back, seed),
            }
            front, back = self.relays["front"].path, self.relays["back"].path
        self.env = {
            "DJANGO_SETTINGS_MODULE": "faulted.settings",
            "PYTHONPATH": f"{PROJECT}{os.pathsep}{ROOT / 'python'}",
            "FAULTS_DB": str(self.database),
            "FAULTS_CLOCK": str(self.clock),
            "FAULTS_TRACE": str(self.trace),
            "TROUPE_FRONT": f"ipc://{front}",
        }
        self._migrate()
        self.command = self._programs(back)
        words = ["up", "--state", self.state, "--workers", workers, "--settings", "faulted.settings"]
        words += ["--path", PROJECT, "--path", ROOT / "python", "--python", PYTHON, *options]
        env = {name: value for name, value in self.env.items() if name != "TROUPE_FRONT"}
        self.up = processes.start("troupe up", [self.command, *words], ready="event=up", env=env)
        self.port = _free_port()
        self.web = None
        self.start_web()

    def _migrate(self):
        command = [str(PYTHON), "-m", "django", "migrate", "--verbosity", "0", "sessions"]
        subprocess.run(command, env=environment(self.env), check=True, timeout=READY_SECONDS)

    def _programs(self, back):
        """A folder of Troupe's programs, of which the worker goes through the relay; the path of `troupe` in it.

        They begin without the limit that full() may have put on who starts them.
        """
        folder = self.processes.folder / "bin"
        folder.mkdir()
        shutil.copy2(BUILD / "fleet" / "troupe", folder)
        for name, more in (("broker", ""), ("worker", f'"--back=ipc://{back}"')):
            script = folder / f"troupe-{name}"
            program = BUILD / name / script.name
            script.write_text(f'#!/bin/sh\nulimit -S -f unlimited\nexec "{program}" "$@" {more}\n')
            script.chmod(0o700)
        return folder / "troupe"

    def start_web(self):
        """Starts the ASGI server, on the port that it always has."""
        command = [PYTHON, "-m", "uvicorn", "faulted.asgi:application", "--host", "127.0.0.1", "--port", self.port]
        command += ["--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "1"]
        command += ["--ws-max-size", "131072", "--ws-per-message-deflate", "false"]
        self.web = self.processes.start("web", command, ready="running on http://", env=self.env)

    async def kill_web(self):
        """kill -9 of the ASGI server; one is there again when this returns."""
        self.web.popen.kill()
        await asyncio.to_thread(self.web.popen.wait)
        self.processes.stop(self.web)
        await asyncio.to_thread(self.start_web)

    def troupe(self, *words):
        """Runs a command of troupe's; its output. RuntimeError: it failed."""
        command = [str(self.command), *map(str, words), "--state", str(self.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)
        if done.returncode:
            raise RuntimeError(f"troupe {words} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def pids(self, kind):
        """Of its processes that are ready and whose name begins with that."""
        rows = json.loads(self.troupe("status", "--json"))["processes"]
        return [row["pid"] for row in rows if row["name"].startswith(kind) and row["state"] == "ready"]

    async def ready(self):
        """Until the broker and as many workers as there should be are ready. TimeoutError: they are not."""
        async with asyncio.timeout(READY_SECONDS):
            while not await self._is_ready():
                await asyncio.sleep(0.1)

    async def _is_ready(self):
        try:
            return len(await asyncio.to_thread(self.pids, "worker")) == self.workers and self.pids("broker")
        except RuntimeError:
            return False

    @contextlib.asynccontextmanager
    async def stopped(self, pid):
        """SIGSTOP, and SIGCONT in the end."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def full(self, pid, path):
        """A process whose files cannot get larger than this one is now: what a full disk is to it."""
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (os.path.getsize(path), hard))
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    @contextlib.asynccontextmanager
    async def without_database(self):
        """Its file is gone, and none can be made in its place."""
        away = self.database.with_suffix(".away")
        self.database.rename(away)
        self.database.mkdir()
        try:
            yield
        finally:
            self.database.rmdir()
            away.rename(self.database)

    @contextlib.asynccontextmanager
    async def clock_set_back(self, seconds):
        """The wall clock of the ASGI server and of the workers is so far behind."""
        self.clock.write_text(str(-seconds))
        try:
            yield
        finally:
            self.clock.unlink()

    def complain(self):
        """Says what the logs have of errors, for whoever looks for the cause."""
        for line in self.up.log.read_text(errors="replace").splitlines():
            if re.search(r"level=(ERROR|FATAL)|ASSERT|Sanitizer|Traceback|Error:|event=migrated_without", line):
                say(line)
        for log in sorted(self.processes.folder.glob("*.log")):  # each of the ASGI servers has its own
            for line in log.read_text(errors="replace").splitlines():
                if re.search(r"event=(view_not_joined|page_refused|bad_token)|Traceback|Error:", line):
                    say(f"{log.name}: {line}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
