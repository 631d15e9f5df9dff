"""Runs one label of Django's own tests and writes down how each test ended. scripts/lib/django_suites.py calls this.

    python tests/django/gate.py --source DIR --side stock|troupe --out FILE [--dump DIR] LABEL [TEST…]

DIR is an unpacked source distribution of the very Django that is installed. FILE gets one JSON object a line, as the
tests end, so that a crash leaves what came before it:
{"test", "outcome", "text", "renders": [what each outermost rendering came to], "native": {figure: how much it grew}}.
The last line, {"end": true, ...}, is written only when the run came to its end.
"""

import argparse
import faulthandler
import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description="Runs one label of Django's own tests.")
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--side", choices=("stock", "troupe"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dump", type=Path, help="write what every rendering came to into this folder")
    parser.add_argument("labels", nargs="+")
    given = parser.parse_args()
    faulthandler.enable()
    tests = given.source.resolve() / "tests"
    # The same path on both sides: Django's debug page shows it.
    sys.path[:0] = [str(tests), str(HERE), str(HERE.parents[1] / "python")]
    os.environ["GATE_SIDE"] = given.side
    os.environ["GATE_OUT"] = str(given.out.resolve())
    os.environ["GATE_DUMP"] = str(given.dump.resolve()) if given.dump else ""
    os.chdir(tests)
    sys.argv = ["runtests.py", "--settings=gate_settings", "--parallel=1", "--noinput", *given.labels]
    runpy.run_path(str(tests / "runtests.py"), run_name="__main__")


if __name__ == "__main__":
    main()
