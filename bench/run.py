"""Runs one benchmark: `python bench/run.py NAME [--json] [--quick]`. scripts/bench calls this."""

import argparse
import importlib
import signal
import subprocess
import sys
from pathlib import Path

BENCHES = ("roundtrip", "scaling", "isolation", "render", "row-change", "wire", "apply", "memory", "snapshot")
BENCHES += ("reload", "recovery", "overload")
LONG = ("faults", "soak")  # --minutes says how long
FAULTS = Path(__file__).resolve().parents[1] / "tests" / "faults"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures; see bench/README.md.")
    parser.add_argument("name", choices=(*BENCHES, *LONG))
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress to standard error")
    parser.add_argument("--quick", action="store_true", help="under 30 seconds; figures are rough")
    parser.add_argument("--minutes", type=float, help="how long faults (10) and soak (30) go on")
    given = parser.parse_args()
    sys.path.append(str(FAULTS))
    # A signal unwinds the stack, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        more = {"minutes": given.minutes} if given.name in LONG and given.minutes else {}
        report = importlib.import_module(given.name.replace("-", "_")).run(given.quick, **more)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        sys.exit(f"{given.name} could not be measured: {error}")
    report.print(given.json)


if __name__ == "__main__":
    main()
