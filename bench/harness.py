"""What all benchmarks share: processes that end with us, the load, calibration, and how figures are shown."""

import contextlib
import importlib.metadata
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import BENCHES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "bench" / "project"
BUILD = Path(os.environ.get("TROUPE_BUILD", ROOT / "build"))
PYTHON = ROOT / ".venv" / "bin" / "python"
START_SECONDS = 120  # also where other programs have the processors
DRIFT = 0.10  # a calibration that changed by more than this is reported


def say(text):
    """Progress, for whoever is at the terminal."""
    print(text, file=sys.stderr, flush=True)


class Process:
    """A child process in a process group of its own, so that a terminal's Ctrl-C reaches only us. Its output goes to
    `log`. The kernel kills it if we die without stopping it (Linux, setpriv).
    """

    def __init__(self, name, command, env, log, stdin=subprocess.DEVNULL):
        self.name, self.log = name, log
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with open(log, "wb") as out:
            self.popen = subprocess.Popen(
                guard + [str(part) for part in command],
                env=env,
                cwd=PROJECT,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def wait_for(self, text):
        """Returns once it wrote this. RuntimeError: it ended first, or START_SECONDS passed; with what it wrote."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log.read_text(errors="replace"):
            if self.popen.poll() is not None or time.monotonic() > deadline:
                output = self.log.read_text(errors="replace")[-4000:]
                raise RuntimeError(f"{self.name} did not write {text!r}\n{output}")
            time.sleep(0.02)

    def stop(self):
        """Asks it to end; after 5 s it is killed."""
        self.popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(5)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


class Processes:
    """A context manager: what is started inside it is ended, by its process id, however it is left."""

    def __enter__(self):
        # An ipc:// path has 107 bytes at most, so a long TMPDIR is not used. mkdtemp makes it 0700.
        parent = None if len(tempfile.gettempdir()) < 60 else "/tmp"
        self.folder = Path(tempfile.mkdtemp(prefix="troupe-bench-", dir=parent))
        self._running, self._started = [], 0
        return self

    def __exit__(self, *exc_info):
        for process in reversed(self._running):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, ready=None, env=None, **options):
        """Starts a process; returns it once it wrote `ready`. RuntimeError: it did not. options: Process's."""
        self._started += 1
        process = Process(name, command, environment(env), self.folder / f"{self._started}.log", **options)
        self._running.append(process)
        if ready:
            process.wait_for(ready)
        return process

    def stop(self, process):
        """Ends one of them now."""
        self._running.remove(process)
        process.stop()


def environment(more=None):
    """The environment of what is started: the benchmark's project, and this checkout's package."""
    env = dict(os.environ, PYTHONPATH=f"{PROJECT}:{ROOT / 'python'}", PYTHONUNBUFFERED="1")
    env["DJANGO_SETTINGS_MODULE"] = "benched.settings"
    env.update(more or {})
    return env


class Fleet:
    """A broker and its workers, in the project that is measured. `pids` are the workers'. state: whether the broker
    keeps sessions. options: more of the broker's. settings, python, env: the workers' own.
    """

    def __init__(
        self, processes, workers, state=False, options=(), settings="benched.settings", python=PYTHON, env=None
    ):
        name = f"fleet{workers}{'kept' if state else ''}"
        back = f"ipc://{processes.folder}/{name}.back"
        self.front = f"ipc://{processes.folder}/{name}.front"
        broker = BUILD / "broker" / "troupe-broker"
        keeps = ["--keep", f"{processes.folder}/{name}.sessions"] if state else []
        command = [broker, "--front", self.front, "--back", back, *keeps, *options]
        self.broker = processes.start("broker", command, ready="event=ready")
        self.pids = []
        for number in range(1, workers + 1):
            command = [BUILD / "worker" / "troupe-worker", "--back", back, "--name", f"worker-{number}"]
            command += ["--settings", settings, "--path", PROJECT, "--path", ROOT / "python", "--python", python]
            child = processes.start("worker", command, ready="event=registered", env=env)
            self.pids.append(str(child.popen.pid))

    def load(self, *groups, **options):
        """What troupe-bench-load saw; see load()."""
        return load(self.front, *groups, **options)


class Bare:
    """The bare ZeroMQ chain, answering with bodies of so many bytes."""

    def __init__(self, processes, reply_bytes):
        program = BUILD / "bench" / "troupe-bench-bare"
        back = f"ipc://{processes.folder}/bare.back"
        self.front = f"ipc://{processes.folder}/bare.front"
        broker = processes.start("bare broker", [program, "broker", self.front, back])
        processes.start("bare echo", [program, "echo", back, reply_bytes])
        broker.wait_for("ready")

    def load(self, *groups, **options):
        """What troupe-bench-load saw; see load()."""
        return load(self.front, *groups, bare=True, **options)


def group(name, event, sessions, view="Light", **more):
    """A group of sessions, as troupe-bench-load reads it (bench/group.h)."""
    given = {"name": name, "view": f"benched.views.{view}", "event": event, "sessions": sessions, **more}
    return ",".join(f"{key}={value}" for key, value in given.items())


def load(front, *groups, seconds, warm_up=0.5, bare=False):
    """Puts a load on `front` for so many seconds.

    {"request_bytes", "reply_bytes", "groups": {name: {"count", "rate", "p50_us", "p99_us", "max_us", "errors",
    "workers": {pid: the same, "sessions"}}}}. RuntimeError: an event failed, or none was answered.
    """
    command = [BUILD / "bench" / "troupe-bench-load", "--front", front, *(["--bare"] if bare else [])]
    command += ["--warm-up", str(round(warm_up * 1000)), "--measure", str(round(seconds * 1000)), *groups]
    limit = seconds + warm_up + START_SECONDS
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=limit)
    if done.returncode:
        raise RuntimeError(f"the load generator failed\n{done.stderr}")
    seen = json.loads(done.stdout)
    for name, group in seen["groups"].items():
        if group["errors"] or not group["count"]:
            raise RuntimeError(f"{name}: {group['errors']} errors, {group['count']} answers\n{done.stderr}")
    return seen


def calibrate():
    """How long a fixed piece of pure Python takes here and now, in ms: the best of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        sum(number * number % 7 for number in range(200_000))
        times.append((time.perf_counter() - start) * 1000)
    return min(times)


def median(values):
    """Their median; NaN of none, so that it shows."""
    return statistics.median(values) if values else math.nan


def _version(name):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return None


def versions():
    """The versions of what was measured; what is not installed is left out."""
    import zmq

    found = {"python": platform.python_version(), "libzmq": zmq.zmq_version()}
    found.update((name, _version(name)) for name in ("django", "channels", "uvicorn", "uvloop", "websockets"))
    broker = [BUILD / "broker" / "troupe-broker", "--version"]
    found["troupe"] = subprocess.run(broker, capture_output=True, text=True).stdout.split()[-1]
    with contextlib.suppress(OSError):  # no git
        commit = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        found["commit"] = subprocess.run(commit, capture_output=True, text=True).stdout.strip()
    return {name: version for name, version in found.items() if version}


def _model():
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


class Report:
    """One benchmark's figures. Made before anything is measured: it looks at the machine first."""

    def __init__(self, bench):
        self.bench = bench
        self.figures = []
        self.notes = []
        self._before, self._load = calibrate(), os.getloadavg()[0]

    def add(self, name, value):
        """A figure of bench/figures.py, which knows its unit and mark. RuntimeError: it is not there, or no number."""
        if not math.isfinite(value):
            raise RuntimeError(f"{name} is {value}")
        try:
            known = BENCHES[self.bench].figure(name)
        except KeyError:
            raise RuntimeError(f"{name} is not in bench/figures.py") from None
        value = float(f"{value:.4g}")
        figure = {"name": name, "value": value, "unit": known.unit, "mark": known.mark, "reached": known.reached(value)}
        self.figures.append(figure)

    def note(self, text):
        """A sentence under the table."""
        self.notes.append(text)

    def result(self):
        """The object that --json prints."""
        after = calibrate()
        drift = after / self._before - 1
        machine = {
            "cpu": _model(),
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "load_before": round(self._load, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "calibration_before_ms": round(self._before, 2),
            "calibration_after_ms": round(after, 2),
            "drifted": abs(drift) > DRIFT,
        }
        result = {"bench": self.bench, "figures": self.figures, "notes": self.notes}
        return {**result, "machine": machine, "versions": versions()}

    def print(self, as_json):
        """Shows it, on standard output."""
        result = self.result()
        if as_json:
            for text in self.notes:
                say(text)
            print(json.dumps(result))
            return
        width = max(len(figure["name"]) for figure in self.figures)
        for entry in self.figures:
            mark = f"   wanted {entry['mark']}" if entry["mark"] else ""
            missed = ": not reached" if entry["reached"] is False else ""
            print(f"{entry['name']:<{width}}  {entry['value']:>10g} {entry['unit']:<10}{mark}{missed}".rstrip())
        print(*self.notes, sep="\n")
        machine = result["machine"]
        print(
            f"{machine['cpus']} x {machine['cpu']}, load {machine['load_before']} before, "
            f"{machine['load_after']} after; calibration "
            f"{machine['calibration_before_ms']} ms before, {machine['calibration_after_ms']} ms after"
            + (": the machine's speed changed, measure again" if machine["drifted"] else "")
        )
