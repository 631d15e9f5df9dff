"""The commands that an installation has: troupe, troupe-broker and troupe-worker, which lie in the package's bin/."""

import os
import sys
from pathlib import Path
from typing import NoReturn

BIN = Path(__file__).parent / "bin"


def troupe() -> NoReturn:
    """The supervisor and its commands. Workers run in the environment of this interpreter."""
    os.environ.setdefault("TROUPE_PYTHON", sys.executable)
    _become("troupe")


def broker() -> NoReturn:
    """A broker."""
    _become("troupe-broker")


def worker() -> NoReturn:
    """A worker, in the environment of this interpreter."""
    _become("troupe-worker", f"--python={sys.executable}")


def _become(name: str, *options: str) -> NoReturn:
    program = str(BIN / name)
    os.execv(program, [program, *options, *sys.argv[1:]])
