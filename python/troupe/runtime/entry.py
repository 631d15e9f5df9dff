"""What the C runtime calls for each turn, by name: in a worker, and over inproc:// in the caller's process.

worker/py/host.h lists the names. The GIL is held. Whatever these functions raise becomes the turn's fault, described by
describe(). Nothing here keeps state of a turn.
"""

from .faults import describe, refuse_params
from .handlers import find_handler, find_tick, guard, may_repeat, run_handler
from .housekeeping import begin, end, set_housekeeping, settle
from .lifecycle import adopt_state, carry_view, join_view, mount_view, rebuilds, restore_view
from .rendering import rendering, sync
from .view_class import open_view

__all__ = [
    "adopt_state",
    "begin",
    "carry_view",
    "describe",
    "end",
    "find_handler",
    "find_tick",
    "guard",
    "join_view",
    "may_repeat",
    "mount_view",
    "open_view",
    "rebuilds",
    "refuse_params",
    "rendering",
    "restore_view",
    "run_handler",
    "set_housekeeping",
    "settle",
    "sync",
]
