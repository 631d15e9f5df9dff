"""The demo's processes: a broker, its workers and the ASGI server, started, watched and stopped together.

Used by scripts/up and by the tests in a browser:

    with DemoFleet(root, port=free_port()) as fleet:
        ...  # fleet.url answers
"""

import contextlib
import http.client
import os
import queue
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import zmq

from troupe import wire

START_SECONDS = 60
STOP_SECONDS = 5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class FleetError(Exception):
    """A process of the fleet did not start, or did not stay. The text is for the person at the terminal."""


def free_port(wanted=0):
    """A TCP port on the loopback that is free now: `wanted` itself, or any if that is 0. OSError: taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", wanted))
        return probe.getsockname()[1]


class Child:
    """One process, whose output is read line by line on a thread of its own.

    It is in a process group of its own, so that a terminal's Ctrl-C reaches only us and the order of stopping
    is ours; and it is killed by the kernel when we die without having stopped it.
    """

    def __init__(self, name, command, env, cwd, sink, ended=None, pass_fds=()):
        """`sink(name, line)` is called for each line, `ended(self)` once; both on the reading thread."""
        self.name = name
        self.lines = []
        self._changed = threading.Condition()
        self._sink, self._on_end = sink, ended
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self.process = subprocess.Popen(
            guard + [str(part) for part in command],
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=pass_fds,
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, name=f"read {name}", daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                del self.lines[:-500]
                self._changed.notify_all()
            self._sink(self.name, line.rstrip("\n"))
        self.process.wait()
        with self._changed:
            self._changed.notify_all()
        if self._on_end:
            self._on_end(self)

    def wait_line(self, text, deadline):
        """Returns once a line with `text` in it was read. FleetError: the process ended, or time is up."""
        with self._changed:
            while not any(text in line for line in self.lines):
                if self.process.poll() is not None:
                    raise FleetError(self.describe_exit())
                left = deadline - time.monotonic()
                if left <= 0:
                    raise FleetError(f"{self.name} did not say {text!r} in {START_SECONDS} s\n{self.tail()}")
                self._changed.wait(min(left, 1))

    def tail(self, count=15):
        """The last lines it wrote, indented."""
        return "\n".join(f"    {line}" for line in self.lines[-count:])

    def describe_exit(self):
        """How it ended, once it has, and its last lines."""
        code = self.process.wait()
        self._reader.join(1)
        outcome = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        return f"{self.name} {outcome}\n{self.tail()}"

    def terminate(self):
        """Asks it to stop. Does not wait."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def stop(self, deadline):
        """Waits for its end until the deadline, then kills it and whatever is left of its group."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


class DemoFleet:
    """A context manager for the main thread: inside it the demo runs; after it nothing of it is left.

    Workers and server run in the environment of the interpreter that runs this. root: the checkout, built.
    port: TCP port of the server on the loopback. database: path of the SQLite file; None puts it into the
    state directory, to vanish with it. sink(name, line): what the processes say. broker: more arguments for it.
    """

    def __init__(self, root, port, workers=2, reload=False, verbose=False, database=None, sink=None, broker=()):
        self.root = Path(root)
        self.port = port
        self.workers = workers
        self.reload = reload
        self.verbose = verbose
        self.database = database
        self.url = f"http://127.0.0.1:{port}/"
        self.state = None
        self.children = []
        self.broker_options = list(broker)
        self._sink = sink or (lambda name, line: None)
        self._ended = queue.SimpleQueue()

    def __enter__(self):
        try:
            with _signals_held():  # what is made is known, so that stop() finds it
                self.state = _state_directory()
            self.front = f"ipc://{self.state}/front.ipc"
            self.back = f"ipc://{self.state}/back.ipc"
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def wait(self):
        """Returns the first child that ends; blocks until then."""
        return self._ended.get()

    def stop(self):
        """Stops what runs: the server first, then the workers, then the broker."""
        for kind in ("migrate", "web", "worker", "broker"):
            some = [child for child in self.children if child.name.startswith(kind)]
            for child in some:
                child.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            for child in some:
                child.stop(deadline)
        self.children.clear()
        if self.state:
            shutil.rmtree(self.state, ignore_errors=True)

    def lose_workers(self):
        """Kills the workers as a machine does that runs out of memory, and starts one in their place."""
        for child in [child for child in self.children if child.name.startswith("worker")]:
            child.process.kill()
            child.stop(time.monotonic() + STOP_SECONDS)
            self.children.remove(child)
        self.workers += 1
        self._start_worker(self.workers).wait_line("event=registered", time.monotonic() + START_SECONDS)

    def replace_worker(self, child):
        """Starts a worker in place of one that ended."""
        child.stop(time.monotonic() + STOP_SECONDS)
        self.children.remove(child)
        self._start_worker(int(child.name.partition("-")[2]))

    def _start(self):
        deadline = time.monotonic() + START_SECONDS
        self._start_broker(deadline)
        self._migrate()
        workers = [self._start_worker(number) for number in range(1, self.workers + 1)]
        web = self._start_web()
        for worker in workers:
            worker.wait_line("event=registered", deadline)
        web.wait_line("Uvicorn running on", deadline)
        self._ping()
        self._get_index()

    def _spawn(self, name, command, **options):
        demo = self.root / "examples" / "demo"
        with _signals_held():
            child = Child(name, command, self._env(), demo, self._sink, **options)
            self.children.append(child)
        return child

    def _env(self):
        env = dict(os.environ)
        env["DJANGO_SETTINGS_MODULE"] = "demo.settings"
        env["PYTHONPATH"] = str(self.root / "examples" / "demo")
        env["PYTHONUNBUFFERED"] = "1"
        env["TROUPE_FRONT"] = self.front
        env["DEMO_DB"] = str(self.database or self.state / "db.sqlite3")
        return env

    def _start_broker(self, deadline):
        program = self.root / "build" / "broker" / "troupe-broker"
        ready, ready_write = os.pipe()
        try:
            command = [program, "--front", self.front, "--back", self.back, "--ready-fd", ready_write]
            command += ["--keep", self.state / "sessions", *self.broker_options]
            broker = self._spawn("broker", command, ended=self._ended.put, pass_fds=(ready_write,))
        finally:
            os.close(ready_write)
        # The pipe ends, without a byte, when the broker ends before it is ready.
        with open(ready, "rb", buffering=0) as pipe:
            if not _read_before(pipe, deadline):
                broker.process.wait()
                raise FleetError(broker.describe_exit())

    def _start_worker(self, number):
        name = f"worker-{number}"
        command = [self.root / "build" / "worker" / "troupe-worker", "--back", self.back, "--name", name]
        command += ["--settings", "demo.settings", "--path", self.root / "examples" / "demo"]
        command += ["--python", sys.executable]
        command += ["--reload"] if self.reload else []
        command += ["--verbose"] if self.verbose else []
        return self._spawn(name, command, ended=self._ended.put)

    def _start_web(self):
        command = [sys.executable, "-m", "uvicorn", "demo.asgi:application", "--host", "127.0.0.1"]
        command += ["--port", self.port, "--log-level", "info", "--lifespan", "off"]
        command += ["--ws-max-size", "131072", "--ws-per-message-deflate", "false"]  # docs/guide.md says why
        command += [] if self.verbose else ["--no-access-log"]
        return self._spawn("web", command, ended=self._ended.put)

    def _migrate(self):
        migrate = self._spawn("migrate", [sys.executable, "manage.py", "migrate", "--verbosity", "0"])
        if migrate.process.wait():
            raise FleetError(migrate.describe_exit())
        migrate.stop(time.monotonic())
        self.children.remove(migrate)

    def _ping(self):
        """One PING through the broker's front socket."""
        context = zmq.Context()
        try:
            dealer = context.socket(zmq.DEALER)
            dealer.linger = 0
            dealer.connect(self.front)
            header = wire.pack_header(wire.PING, 0, wire.NO_SESSION, 0, wire.REQUEST_BIT, STOP_SECONDS * 1000)
            dealer.send_multipart([header, b"\x80"])
            if not dealer.poll(STOP_SECONDS * 1000):
                raise FleetError(f"the broker did not answer a PING in {STOP_SECONDS} s")
            _, kind, *_ = wire.unpack_header(dealer.recv_multipart()[0])
            if kind != wire.PONG:
                raise FleetError(f"the broker answered a PING with type {kind:#x}")
        finally:
            context.destroy(linger=0)

    def _get_index(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status != 200:
            raise FleetError(f"GET / answered {answer.status}\n{body[:2000]}")


@contextlib.contextmanager
def _signals_held():
    """Those that ask us to stop come after this, not in it. Main thread only.

    They are not blocked: a child would inherit that.
    """
    held = []
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        for number in STOP_SIGNALS:
            signal.signal(number, lambda number, frame: held.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in held[:1]:
            signal.raise_signal(number)


def _state_directory():
    """A new directory of mode 0700."""
    # An ipc:// path has 107 bytes at most, so a long TMPDIR is not used.
    parent = None if len(tempfile.gettempdir()) <= 80 else "/tmp"
    return Path(tempfile.mkdtemp(prefix="troupe-", dir=parent))


def _read_before(pipe, deadline):
    """What the pipe gives, b"" at its end. FleetError when the deadline passes first."""
    readable, _, _ = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
    if not readable:
        raise FleetError(f"the broker was not ready in {START_SECONDS} s")
    return pipe.read(64)
