"""Measures one benchmark: `.venv/bin/python bench/measure.py NAME`. bench/run.py calls this once all is built."""

import argparse
import importlib
import signal
import subprocess
import sys
from pathlib import Path

from figures import BENCHES

FAULTS = Path(__file__).resolve().parents[1] / "tests" / "faults"


def load(name):
    """The driver's module. What breaks a fleet is that of tests/faults, whose modules come first for it."""
    if BENCHES[name].fleet_of_faults:
        sys.path.insert(0, str(FAULTS))
    return importlib.import_module(name.replace("-", "_"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args()
    # A signal unwinds the stack, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        more = {"minutes": given.minutes} if given.minutes else {}
        report = load(given.name).run(given.quick, **more)
    except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
        sys.exit(f"{given.name} could not be measured: {error}")
    report.print(given.json)


if __name__ == "__main__":
    main()
