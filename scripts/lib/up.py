"""What scripts/up does once everything is built: runs the demo until Ctrl-C, or checks it by one visit."""

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path

import websockets.exceptions
from demo_fleet import STOP_SIGNALS, DemoFleet, FleetError, free_port
from visit import VisitError, visit

ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE = ROOT / "examples" / "demo" / "db.sqlite3"
USUAL_PORT = 8000
# More workers than so many that end within so many seconds do not end by a click.
DEATHS, DEATHS_SECONDS = 5, 10
COLORS = {"broker": 35, "web": 36}


class Stopped(BaseException):
    """A signal asked us to stop. Not an Exception, so that nothing on the way takes it for a failure."""


def _on_signal(number, frame):
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # stopping is bounded; it is not to be interrupted itself
    raise Stopped


class Output:
    """Lines from several threads, each behind the name of the process that said it."""

    def __init__(self, quiet):
        self._lock = threading.Lock()
        self._quiet = quiet
        self._color = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def log(self, name, line):
        """A child's line; dropped when quiet."""
        if self._quiet:
            return
        label = f"{name:>9} |"
        if self._color:
            label = f"\033[{COLORS.get(name, 33)}m{label}\033[0m"
        self.say(f"{label} {line}")

    def say(self, text):
        """A line of our own."""
        with self._lock:
            print(text, flush=True)


def parse(arguments):
    """The command line, as scripts/up describes it."""
    parser = argparse.ArgumentParser(prog="scripts/up", description="Run the demo until Ctrl-C.")
    parser.add_argument("--check", action="store_true", help="make one real visit, say what was seen, stop")
    parser.add_argument("--port", type=int, default=0, help=f"default: {USUAL_PORT}, or one that is free")
    parser.add_argument("--workers", type=int, default=2, help="how many workers (default: 2)")
    parser.add_argument("--no-reload", action="store_true", help="do not reload workers when files change")
    parser.add_argument("--verbose", action="store_true", help="log each request and each turn")
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error("--workers must be at least 1")
    if not 0 <= options.port <= 65535:
        parser.error("--port must be between 1 and 65535")
    return options


def choose_port(options, output):
    """The port to serve on. FleetError: the one that was asked for is taken."""
    if options.check and not options.port:
        return free_port()
    try:
        return free_port(options.port or USUAL_PORT)
    except OSError as error:
        if options.port:
            raise FleetError(f"port {options.port} cannot be used: {error.strerror}") from error
        port = free_port()
        output.say(f"Port {USUAL_PORT} is taken; using {port}.")
        return port


def check(fleet, output):
    """One visit. Returns the exit code."""
    try:
        asyncio.run(visit(fleet.url, lambda text: output.say(f"  ✓ {text}")))
    except (VisitError, OSError, websockets.exceptions.WebSocketException) as error:
        output.say(f"  ✗ {error or type(error).__name__}")
        for child in fleet.children:
            output.say(f"What {child.name} said last:\n{child.tail()}")
        return 1
    return 0


def serve(fleet, output):
    """Runs until the broker or the server ends, which neither should, or workers do nothing else. Returns the exit
    code.
    """
    output.say(f"\n  Troupe's demo is at {fleet.url}\n  {fleet.workers} workers; Ctrl-C stops everything.\n")
    deaths = []
    while True:
        child = fleet.wait()
        deaths = [when for when in deaths if when > time.monotonic() - DEATHS_SECONDS] + [time.monotonic()]
        if not child.name.startswith("worker") or len(deaths) > DEATHS:
            break
        output.say(f"{child.name} is gone; starting another in its place.")  # the demo has a button for that
        fleet.replace_worker(child)
    output.say(f"{child.describe_exit()}\nStopping everything.")
    return 1


def main(arguments):
    """Returns the exit code: 0, or 1 when a process failed or the visit did."""
    options = parse(arguments)
    output = Output(quiet=options.check and not options.verbose)
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            signal.signal(number, _on_signal)
    try:
        fleet = DemoFleet(
            ROOT,
            choose_port(options, output),
            workers=options.workers,
            reload=not (options.no_reload or options.check),
            verbose=options.verbose,
            database=None if options.check else os.environ.get("DEMO_DB") or DATABASE,
            sink=output.log,
        )
        output.say(f"Starting the broker, {options.workers} workers and the demo…")
        with fleet:
            code = check(fleet, output) if options.check else serve(fleet, output)
    except Stopped:
        code = 1 if options.check else 0
    except FleetError as error:
        output.say(f"scripts/up: {error}")
        return 1
    output.say("Stopped." if code == 0 else "Stopped, after a failure.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
