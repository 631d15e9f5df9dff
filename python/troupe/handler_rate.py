"""Token buckets of @rate_limit: one for each page and handler, for as long as the page's view lives here."""

import time
import weakref
from collections.abc import Callable
from typing import Any

from .errors import RateLimited

clock = time.monotonic  # s

# id of a view → (keeps the entry until the view is gone, handler → (tokens left, when)).
_buckets: dict[int, tuple[Any, dict[Any, tuple[float, float]]]] = {}


def allow(view: Any, handler: Callable[..., Any], rate: float, burst: int) -> None:
    """Takes a token. RateLimited: there is none. rate: tokens a second. burst: the most there are."""
    now, buckets = clock(), _buckets_of(view)
    left, since = buckets.get(handler, (float(burst), now))
    left = min(burst, left + (now - since) * rate)
    if left < 1:
        buckets[handler] = left, now
        raise RateLimited(f"more than {burst} at once, or {rate:g} a second: wait for {(1 - left) / rate:.1f} s")
    buckets[handler] = left - 1, now


def _buckets_of(view: Any) -> dict[Any, tuple[float, float]]:
    key = id(view)
    entry = _buckets.get(key)
    if entry is None:
        entry = _buckets[key] = weakref.ref(view, lambda _: _buckets.pop(key, None)), {}
    return entry[1]
