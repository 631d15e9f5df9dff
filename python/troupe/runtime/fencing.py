"""The epoch of the session whose turn runs, for external systems that must refuse a former owner's writes."""

from contextvars import ContextVar

EPOCH: ContextVar[int] = ContextVar("troupe_epoch")  # set by worker/py/python_views.c for each turn


def fencing_token() -> int | None:
    """A number that stays the same while one worker owns the session, and is higher for each later owner. None outside
    of a turn. Over inproc:// it never changes.

    A suspended worker finishes its current turn when it wakes up, even if another worker owns the session by then. A
    store that remembers the highest token of each session and refuses lower ones is safe from its late writes:
    `UPDATE … SET …, token = %s WHERE id = %s AND token <= %s`.
    """
    return EPOCH.get(None)
