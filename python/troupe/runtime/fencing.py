"""The epoch of the session whose turn runs, for systems outside that should refuse an owner that has lost it."""

from contextvars import ContextVar

EPOCH = ContextVar("troupe_epoch")  # set by worker/py/view.c for each turn


def fencing_token():
    """A number that is the same as long as a worker owns the session, and higher for each later owner; None outside of
    a turn. Over inproc:// it does not change.

    A worker that stood still for long runs what it was in the middle of to its end, when others may own the session
    already. Whoever stores the highest number that it has seen of a session, and refuses lower ones, is safe from that:
    `UPDATE … SET …, token = %s WHERE id = %s AND token <= %s`.
    """
    return EPOCH.get(None)
