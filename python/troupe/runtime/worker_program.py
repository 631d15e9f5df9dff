"""troupe-worker as a wheel has it: an interpreter in which the extension module troupe._worker runs the worker
(worker/module.c). Where Troupe is built from source it is an executable that embeds CPython.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

# As worker/py/embed.c configures an embedded interpreter: no folder of a script in sys.path, no buffers, UTF-8.
FLAGS = ("-P", "-u", "-X", "utf8")


def replace_process() -> NoReturn:
    """The program: the same process goes on as the interpreter of --python, by default this one."""
    python = chosen_python(sys.argv[1:]) or sys.executable
    os.execv(python, [python, *FLAGS, "-m", __name__, *sys.argv[1:]])


def chosen_python(arguments: Sequence[str]) -> str | None:
    """The value of the last --python or -P, which worker/process.c accepts as well."""
    found = None
    for index, word in enumerate(arguments):
        if word.startswith("--python="):
            found = word.partition("=")[2]
        elif word in ("--python", "-P") and index + 1 < len(arguments):
            found = arguments[index + 1]
    return found


def run() -> NoReturn:
    """The worker, until it ends the process."""
    worker = importlib.import_module("troupe._worker")  # only a wheel has it
    launcher = [sys.executable, *FLAGS, "-m", "troupe.runtime.worker_program"]
    arguments = ["troupe-worker", *sys.argv[1:]]
    sys.argv[:] = ["manage.py", "troupe", "worker"]  # as worker/py/embed.c has it
    worker.run(arguments, launcher)
    raise AssertionError("run() ends the process")


if __name__ == "__main__":
    run()
