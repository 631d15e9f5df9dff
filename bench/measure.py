"""Measures one benchmark: `.venv/bin/python bench/measure.py NAME`. bench/run.py calls this once all is built."""

import argparse
import importlib
import signal
import subprocess
import sys
from pathlib import Path

from figures import BENCHES

FAULTS = Path(__file__).resolve().parents[1] / "tests" / "faults"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args()
    sys.path.append(str(FAULTS))
    # A signal unwinds the stack, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        more = {"minutes": given.minutes} if given.minutes else {}
        report = importlib.import_module(given.name.replace("-", "_")).run(given.quick, **more)
    except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
        sys.exit(f"{given.name} could not be measured: {error}")
    report.print(given.json)


if __name__ == "__main__":
    main()
