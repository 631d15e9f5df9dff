"""What the C runtime calls for each turn, by name: in a worker, and over inproc:// in the caller's process.

worker/py/python_views.h lists the names. The GIL is held. Whatever these functions raise becomes the turn's
fault, described by describe(). Nothing here keeps state of a turn.
"""

from ..snapshots import evaluations
from ..snapshots.unkept import note_unkept
from . import context_locals
from .conclusion import conclude
from .faults import describe, refuse_params
from .handlers import await_handler, find_handler, find_tick, may_repeat, run_handler, settle_handler
from .housekeeping import begin, set_housekeeping, settle
from .lifecycle import apply_state, carry_view, is_rebuilt, join_view, mount_view, restore_view
from .progress import PauseSwitch
from .rendering import get_context, rendering
from .reports import report
from .turn import current_view, end
from .view_class import open_view

context_locals.install()
evaluations.install(current_view)

__all__ = [
    "PauseSwitch",
    "apply_state",
    "await_handler",
    "begin",
    "carry_view",
    "conclude",
    "describe",
    "end",
    "find_handler",
    "find_tick",
    "get_context",
    "is_rebuilt",
    "join_view",
    "may_repeat",
    "mount_view",
    "note_unkept",
    "open_view",
    "refuse_params",
    "rendering",
    "report",
    "restore_view",
    "run_handler",
    "set_housekeeping",
    "settle",
    "settle_handler",
]
