"""Refuses views that crash workers when a page opens or joins (proto/PROTOCOL.md 5.8).

The broker quarantines a session that has crashed two workers, but each page load has a session of its own, and the
broker does not read view paths. So this module counts `worker_lost` errors by view: one whose MOUNT or JOIN crashed two
workers within WINDOW is refused for HOLD. Each Django process counts for itself. Any thread.
"""

import threading
import time

from ..errors import ActorError

WINDOW = 60.0  # s
HOLD = 60.0  # s
MAX_TRACKED = 256

_lock = threading.Lock()
_crashes: dict[tuple[str, str], tuple[float, float]] = {}  # (MOUNT or JOIN, path) → (last crash, refused until)


def record(error: ActorError) -> None:
    """Counts a failed request, if it ended its worker."""
    if error.kind != "worker_lost" or error.event not in ("MOUNT", "JOIN") or not error.view_path:
        return
    now = time.monotonic()
    key = error.event, error.view_path
    with _lock:
        last, until = _crashes.pop(key, (now - 2 * WINDOW, 0.0))
        _crashes[key] = now, now + HOLD if now - last <= WINDOW else until
        while len(_crashes) > MAX_TRACKED:
            del _crashes[next(iter(_crashes))]


def check(request: str, path: str) -> None:
    """ActorError(quarantined): this view is refused now. request: MOUNT or JOIN."""
    _, until = _crashes.get((request, path), (0.0, 0.0))
    left = until - time.monotonic()
    if left > 0:
        text = f"{request} of {path} crashed two workers within a minute"
        raise ActorError(
            "quarantined", text, "not_executed", view_path=path, event=request, retry_ms=int(left * 1000) + 1
        )


def clear() -> None:
    """Forgets all crashes."""
    _crashes.clear()
