"""The worker of a wheel: an interpreter in which the extension module troupe._worker runs it (worker/module.c), started
by worker/troupe-worker. Where Troupe is built from source the worker is an executable that embeds CPython.
"""

import importlib
import sys
from typing import NoReturn

FLAGS = ("-P", "-u", "-X", "utf8")  # as worker/troupe-worker has them


def run() -> NoReturn:
    """The worker, until it ends the process."""
    try:
        worker = importlib.import_module("troupe._worker")  # only a wheel has it
    except ModuleNotFoundError:
        version = "{}.{}".format(*sys.version_info)
        sys.exit(f"troupe-worker: Troupe in {sys.executable} has no worker for CPython {version}: install its wheel")
    launcher = [sys.executable, *FLAGS, "-m", "troupe.runtime.worker_program"]
    arguments = ["troupe-worker", *sys.argv[1:]]
    sys.argv[:] = ["manage.py", "troupe", "worker"]  # as worker/py/embed.c has it
    worker.run(arguments, launcher)
    raise AssertionError("run() ends the process")


if __name__ == "__main__":
    run()
