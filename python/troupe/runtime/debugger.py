"""breakpoint() in a worker that has no terminal: an error that says how to get one, instead of a prompt to nobody."""

import os
import sys
from bdb import BdbQuit
from typing import Any

HINT = "a worker has no terminal: run `manage.py troupe up --debug`"

_refused = False


def refuse() -> None:
    """Makes breakpoint() raise, unless PYTHONBREAKPOINT names a debugger that needs no terminal (or none, with 0)."""
    global _refused
    _refused = True
    sys.breakpointhook = _breakpoint


def _breakpoint(*args: Any, **kwargs: Any) -> Any:
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **kwargs)
    raise RuntimeError(f"breakpoint(): {HINT}")


def hint(error: BaseException) -> str:
    """What to say of an exception in place of its text: pdb.set_trace() and its like read the end of standard input,
    and quit. Empty: nothing.
    """
    return f"{type(error).__name__}: {HINT}" if _refused and isinstance(error, BdbQuit) else ""
