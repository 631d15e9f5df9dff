"""Runs one benchmark: `python bench/run.py NAME [--json] [--quick]`. scripts/bench calls this."""

import argparse
import importlib
import signal
import subprocess
import sys

BENCHES = ("roundtrip", "scaling", "isolation", "render", "row-change", "wire", "apply", "memory", "snapshot", "faults",
           "reload", "overload")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures; see bench/README.md.")
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress to standard error")
    parser.add_argument("--quick", action="store_true", help="under 30 seconds; figures are rough")
    parser.add_argument("--minutes", type=float, default=10, help="how long faults goes on (10)")
    given = parser.parse_args()
    # A signal unwinds the stack, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        more = {"minutes": given.minutes} if given.name == "faults" else {}
        report = importlib.import_module(given.name.replace("-", "_")).run(given.quick, **more)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        sys.exit(f"{given.name} could not be measured: {error}")
    report.print(given.json)


if __name__ == "__main__":
    main()
