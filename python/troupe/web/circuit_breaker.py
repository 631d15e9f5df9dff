"""Views that end workers when a page opens or joins (proto/PROTOCOL.md 5.8).

The broker holds a session that did so twice; but each visit is a session of its own, and the broker reads no paths. So
what it says of a lost worker is counted here: a view whose MOUNT or JOIN ended two within a minute is refused for a
minute. Each Django process counts for itself.
"""

import threading
import time

from ..errors import ActorError

WITHIN = 60.0  # s
HOLD = 60.0  # s
MOST = 256  # views

_lock = threading.Lock()
_deaths = {}  # (MOUNT or JOIN, path) → (when it ended a worker, until when it is held)


def note(error):
    """Take notice of how a request failed."""
    if error.kind != "worker_lost" or error.event not in ("MOUNT", "JOIN") or not error.view_path:
        return
    now = time.monotonic()
    with _lock:
        before, held = _deaths.pop((error.event, error.view_path), (now - 2 * WITHIN, 0))
        _deaths[error.event, error.view_path] = now, now + HOLD if now - before <= WITHIN else held
        while len(_deaths) > MOST:
            del _deaths[next(iter(_deaths))]


def check(what, path):
    """ActorError(quarantined) where this view is held. what: MOUNT or JOIN."""
    _, held = _deaths.get((what, path), (0, 0))
    left = held - time.monotonic()
    if left > 0:
        text = f"'{what}' of {path} ended two workers within a minute"
        raise ActorError("quarantined", text, "not_executed", view_path=path, event=what, retry_ms=int(left * 1000) + 1)


def clear():
    """Forget all."""
    _deaths.clear()
