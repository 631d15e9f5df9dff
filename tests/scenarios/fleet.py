"""A fleet of real processes for the scenarios: a broker, workers, web servers, each with a log that is read later.

    with Fleet(tmp_path, workers=2) as fleet:
        ...
        fleet.expect_log(r"event=worker_lost")

Leaving the block stops everything by its pid, and fails if a process had died by itself, did not stop when asked to, or
wrote an ERROR that nobody expected.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TROUPE_BUILD") or ROOT / "build")
PROJECT = Path(__file__).resolve().parent / "project"

WEB_OPTIONS = ("--ws-max-size", "131072", "--ws-per-message-deflate", "false")  # as docs/guide.md says
# Until what was to happen counts as missing. Long: a machine may be slow, and nothing that is well waits so long.
START_SECONDS = 300
STOP_SECONDS = 60
PATIENCE = 120

_RECORD = re.compile(r"\d{4}-\d\d-\d\dT|level=|(DEBUG|INFO|WARNING|ERROR|CRITICAL)[: ]")
_BAD = re.compile(
    r"level=(ERROR|FATAL)|^(ERROR|CRITICAL)[: ]|Traceback \(most recent|AddressSanitizer|LeakSanitizer"
    r"|: runtime error: |^ASSERT|assertion failed|Fatal Python error|Exception ignored",
    re.MULTILINE | re.IGNORECASE,
)


class FleetError(AssertionError):
    """A process of the fleet did not do what it had to. The text says what it wrote."""


def wait_until(condition, description, seconds=PATIENCE):
    """What `condition()` gives, once that is true. FleetError with `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise FleetError(f"waited {seconds} s in vain: {description() if callable(description) else description}")
        time.sleep(0.005)


class Child:
    """One process of a fleet, with its log in a file. `may_die`: its end is part of the scenario."""

    def __init__(self, name, command, log, **options):
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.may_die = False
        self.signalled = False
        options.setdefault("stderr", subprocess.STDOUT)
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                start_new_session=True,
                **options,
            )

    @property
    def pid(self):
        """Its process id."""
        return self.process.pid

    @property
    def alive(self):
        """Whether it still runs."""
        return self.process.poll() is None

    def text(self):
        """All that it (and what had its name before) wrote."""
        return self.log.read_text(errors="replace")

    def wait_line(self, pattern, start=0, seconds=START_SECONDS):
        """The match of a pattern in what it wrote after character `start`. FleetError: it ended, or time is up."""

        def look():
            found = re.search(pattern, self.text()[start:])
            if not found and not self.alive:
                found = re.search(pattern, self.text()[start:])
                if not found:
                    raise FleetError(f"{self.name} exited with {self.process.returncode}:\n{self.tail()}")
            return found

        return wait_until(look, lambda: f"{self.name}: no line like {pattern!r} in\n{self.tail()}", seconds)

    def tail(self, lines=25):
        """Its last lines."""
        return "\n".join("    " + line for line in self.text().splitlines()[-lines:])

    def signal(self, number):
        """Send a signal that is meant to end it."""
        self.may_die = self.signalled = True
        self.process.send_signal(number)

    def wait_exit(self, seconds=STOP_SECONDS):
        """Its exit code, once it has one."""
        self.may_die = True
        return wait_until(
            lambda: None if self.alive else (self.process.returncode,),
            f"{self.name} did not end\n{self.tail()}",
            seconds,
        )[0]

    def memory(self):
        """Resident memory, in bytes; 0 under AddressSanitizer, which keeps for a while what was freed."""
        if "libasan" in Path(f"/proc/{self.pid}/maps").read_text():
            return 0
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def threads(self):
        """How many threads it has."""
        return len(os.listdir(f"/proc/{self.pid}/task"))


class LogWatch:
    """What the logs of a folder say from now on, held against what was expected."""

    def __init__(self, folder):
        self._folder = folder
        self._expected = []
        self._start = {path: path.stat().st_size for path in folder.glob("*.log")}

    def records(self, name="*"):
        """(name of the process, record) of all that was written since. A traceback belongs to its line."""
        for path in sorted(self._folder.glob(f"{name}.log")):
            data = path.read_bytes()[self._start.get(path, 0) :].decode(errors="replace")
            record = ""
            for line in data.splitlines(keepends=True):
                if _RECORD.match(line) and record:
                    yield path.stem, record
                    record = ""
                record += line
            if record:
                yield path.stem, record

    def expect(self, pattern, times=None, name="*"):
        """A record like this has to come (`times`: so often), and is no failure."""
        self._expected.append((re.compile(pattern, re.DOTALL), times, name))

    def allow(self, pattern):
        """A record like this may come."""
        self._expected.append((re.compile(pattern, re.DOTALL), 0, "*"))

    def count(self, pattern, name="*"):
        """How many records match."""
        pattern = re.compile(pattern, re.DOTALL) if isinstance(pattern, str) else pattern
        return sum(1 for _, record in self.records(name) if pattern.search(record))

    def check(self):
        """FleetError: an expected record did not come, or came too often, or an ERROR was not expected."""
        for pattern, times, name in self._expected:
            wait_until(
                lambda p=pattern, n=name, t=times: self.count(p, n) >= (1 if t is None else t),
                lambda p=pattern, n=name, t=times: (
                    f"{t or 1} log record(s) like {p.pattern!r} of {n}, found "
                    f"{self.count(p, n)}; the log says\n{self._tail(n)}"
                ),
                5,
            )
        for pattern, times, name in self._expected:
            if times and self.count(pattern, name) != times:
                found = "".join(r for _, r in self.records(name) if pattern.search(r))
                raise FleetError(f"{times} record(s) like {pattern.pattern!r} were to come, not\n{found}")
        bad = [
            f"{name}: {record}"
            for name, record in self.records()
            if _BAD.search(record) and not any(pattern.search(record) for pattern, _, _ in self._expected)
        ]
        if bad:
            raise FleetError("unexpected in the logs:\n" + "".join(bad))

    def _tail(self, name):
        return "".join(f"    {record}" for _, record in list(self.records(name))[-25:])


class Fleet:
    """See the module. `folder`: where logs and the database go; the sockets are in a private folder in /tmp, as their
    paths may have 107 bytes only.

    workers: how many are started. web: whether the ASGI server is. env: more environment for all of them.
    database: a file to copy. broker, worker: more arguments. project: the folder with Django's project, whose package
    `name` has settings.py and asgi.py.
    """

    name = "scenario"

    def __init__(self, folder, workers=2, web=True, env=None, database=None, broker=(), worker=(), project=PROJECT):
        self.folder = Path(folder)
        self.worker_count = workers
        self.with_web = web
        self.extra = dict(env or {})
        self.broker_options = list(broker)
        self.worker_options = list(worker)
        self.project = Path(project)
        self.children = []
        self.workers = {}
        self.broker = None
        self.web = None
        self.port = 0
        self.source = database
        self.database = self.folder / "db.sqlite3"

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.source:
            shutil.copyfile(self.source, self.database)
        self.sockets = Path(tempfile.mkdtemp(prefix="troupe-", dir="/tmp"))  # mkdtemp makes it 0700
        self.front = f"ipc://{self.sockets}/front"
        self.back = f"ipc://{self.sockets}/back"
        self.watch = LogWatch(self.folder)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def _start(self):
        if self.worker_count:
            self.start_broker()
        names = [f"w{number}" for number in range(1, self.worker_count + 1)]
        started = [self.start_worker(name, wait=False) for name in names]
        if self.with_web:
            self.web = self.start_web("web", wait=False)
        for child in started:
            child.wait_line("event=registered")
        if self.with_web:
            self.port = self.wait_web(self.web)

    def __exit__(self, kind, *_):
        dead = [child for child in self.children if not child.alive and not child.may_die]
        left = self._stop()
        if kind is not None:
            return
        for child in dead:
            raise FleetError(f"{child.name} died, exit code {child.process.returncode}:\n{child.tail()}")
        if left:
            raise FleetError(f"these had to be killed: {', '.join(left)}")
        for child in self.children:
            if not child.signalled and child.process.returncode not in (0, -signal.SIGTERM):
                raise FleetError(f"{child.name} stopped with {child.process.returncode}:\n{child.tail()}")
        self.watch.check()

    def _stop(self):
        """Web servers first, the broker last, so that nobody complains of the others. The names of those killed."""
        killed = []
        for child in reversed(self.children):
            if child.alive:
                child.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(STOP_SECONDS)
            if child.alive:
                killed.append(child.name)
                child.process.kill()
                child.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)
        return killed

    # Processes.

    def environment(self, **more):
        """What the fleet's processes find in their environment."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("TROUPE_", "DJANGO_"))}
        env.update(
            DJANGO_SETTINGS_MODULE=f"{self.name}.settings",
            PYTHONPATH=f"{self.project}{os.pathsep}{ROOT / 'python'}",
            PYTHONUNBUFFERED="1",
            TROUPE_FRONT=self.front,
            SCENARIO_DB=str(self.database),
        )
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")  # CPython's own, which a worker leaves to the system
        env.update(self.extra)
        env.update(more)
        return env

    def spawn(self, name, command, **options):
        """Start a process of the fleet. Its log is NAME.log."""
        options.setdefault("env", self.environment())
        child = Child(name, command, self.folder / f"{name}.log", **options)
        self.children.append(child)
        return child

    def start_broker(self):
        """Start the broker and wait until it serves."""
        ready, ready_write = os.pipe()
        addresses = ["--front", self.front, "--back", self.back]
        command = [BUILD / "broker" / "troupe-broker", *addresses, "--ready-fd", ready_write]
        try:
            self.broker = self.spawn("broker", command + self.broker_options, pass_fds=(ready_write,))
        finally:
            os.close(ready_write)
        with open(ready, "rb") as pipe:  # ends without a byte when the broker ends
            if pipe.read() != b"ready\n":
                raise FleetError(f"the broker did not start:\n{self.broker.tail()}")
        return self.broker

    def start_worker(self, name, *options, wait=True, **environment):
        """Start a worker. wait: until it is registered."""
        command = [BUILD / "worker" / "troupe-worker", "--back", self.back, "--name", name]
        command += ["--settings", f"{self.name}.settings", "--path", self.project, "--path", ROOT / "python"]
        # Handlers wait for gates, and this machine may be slow: limits are for those scenarios that are about them.
        command += ["--soft-ms", "60000", "--hard-ms", "120000"]
        command += ["--python", sys.executable, *self.worker_options, *options]
        path = self.folder / f"{name}.log"
        start = len(path.read_text(errors="replace")) if path.exists() else 0
        child = self.workers[name] = self.spawn(name, command, env=self.environment(**environment))
        if wait:
            child.wait_line("event=registered", start)
        return child

    def start_web(self, name, wait=True, options=WEB_OPTIONS, **environment):
        """Start an ASGI server on a free port; uvicorn with these options, or daphne where that is not installed."""
        application = f"{self.name}.asgi:application"
        if importlib.util.find_spec("uvicorn"):
            command = ["-m", "uvicorn", application, "--host", "127.0.0.1", "--port", "0", "--lifespan", "off"]
            command += ["--no-access-log", "--timeout-graceful-shutdown", "1", *options]
        else:
            command = ["-m", "daphne", "-b", "127.0.0.1", "-p", "0", application]
        child = self.spawn(name, [sys.executable, *command], env=self.environment(**environment))
        return self.wait_web(child) if wait else child

    def wait_web(self, child):
        """The port on which a web server accepts, once it does."""
        found = child.wait_line(r"running on http://127\.0\.0\.1:(\d+)|TCP address 127\.0\.0\.1:(\d+)")
        return int(found[1] or found[2])

    def start_wsgi(self, name="wsgi"):
        """Start a threaded WSGI server. Its port."""
        return self.wait_web(self.spawn(name, [sys.executable, self.project / "serve_wsgi.py"]))

    def manage(self, *arguments, check=True, **environment):
        """Run a management command to its end. Its CompletedProcess; FleetError if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        if check and done.returncode:
            raise FleetError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done

    def by_pid(self, pid):
        """The worker with that process id."""
        return next(child for child in self.workers.values() if child.alive and child.pid == int(pid))

    # Logs.

    def expect_log(self, pattern, times=None, name="*"):
        """See LogWatch.expect; until the next `watch_logs`."""
        self.watch.expect(pattern, times, name)

    def expect_reports(self, times=None, what=""):
        """A worker reports an exception of user code, as Django logs it: `what` is a pattern of the record."""
        self.expect_log(rf"ERROR django\.request Internal Server Error: .*{what}", times, "w[0-9]*")

    def check_alive(self):
        """FleetError if a process died that was not to."""
        for child in self.children:
            if not child.alive and not child.may_die:
                raise FleetError(f"{child.name} died, exit code {child.process.returncode}:\n{child.tail()}")

    @contextlib.contextmanager
    def watch_logs(self):
        """What is logged inside is held against what is expected inside."""
        self.watch = LogWatch(self.folder)
        try:
            yield self
            self.check_alive()
            self.watch.check()
        finally:
            self.watch = LogWatch(self.folder)
