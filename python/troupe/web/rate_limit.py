"""Limits on what browsers send and start (proto/PROTOCOL.md 9.2): token buckets per socket, per page load, and, if
TROUPE["TRUSTED_PROXIES"] is set, per address. Each process counts for itself.
"""

import functools
import logging
import math
import random
import threading
from collections.abc import Callable, Hashable
from typing import Any

from .. import conf
from .._limits import ADDRESS_BURST_SECONDS, TOKEN_SECONDS
from ..logs import quoted, word
from .client_address import address_of, networks

logger = logging.getLogger("troupe")

MAX_ADDRESSES = 10_000
MAX_TOKENS = 10_000
FRAMES_PER_EVENT = 10  # a socket that sends frames at this multiple of its events' rate is not running our client
FRAMES_BURST = 256
EVENTS_BURST_SECONDS = 0.2  # of an address's rate that may come at once, as for a socket's events
RETRY_SPREAD_SECONDS = 4.0  # over which the retries of one address's pages are spread

_oversized_frame_logged = threading.Lock()  # taken once, for the life of the process


def warn_oversized(size: int, limit: int) -> None:
    """Logs, once per process, how to configure the server to reject frames over `limit` bytes before buffering them."""
    if size > limit and _oversized_frame_logged.acquire(blocking=False):
        hint = f"start uvicorn with --ws-max-size {limit} --ws-per-message-deflate false, others as the guide says"
        logger.warning("event=oversized_frame bytes=%d hint=%s", size, quoted(hint))


class TokenBucket:
    """`burst` tokens at once, and `rate` per second. rate None: no limit. `now`: seconds, by any monotonic clock."""

    __slots__ = ("rate", "burst", "_tokens", "_taken_at")

    def __init__(self, rate: float | None, burst: float) -> None:
        self.rate = rate
        self.burst = max(1.0, burst)
        self._tokens = self.burst
        self._taken_at: float | None = None

    def take(self, now: float) -> float:
        """Takes a token and returns 0; if there is none, returns the seconds until there is."""
        if self.rate is None:
            return 0
        if self._taken_at is not None:
            self._tokens = min(self.burst, self._tokens + max(0.0, now - self._taken_at) * self.rate)
        self._taken_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return (1 - self._tokens) / self.rate


class KeyedBuckets:
    """A TokenBucket per key, for the keys used last: memory is bounded. Any thread."""

    def __init__(self, rate: float | None, burst: float, limit: int = MAX_ADDRESSES) -> None:
        self._rate = rate
        self._burst = burst
        self._limit = limit
        self._buckets: dict[Hashable, TokenBucket] = {}  # in the order of use
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now: float) -> float:
        """As TokenBucket.take()."""
        with self._lock:
            bucket = self._buckets.pop(key, None) or TokenBucket(self._rate, self._burst)
            self._buckets[key] = bucket
            if len(self._buckets) > self._limit:
                del self._buckets[next(iter(self._buckets))]
            return bucket.take(now)


class KeyedCounts:
    """A count per key. Any thread."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, int] = {}  # keys with a count of 0 are left out
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: Hashable, limit: int | None) -> bool:
        """Counts one more, unless that exceeds `limit`. None: there is no limit."""
        with self._lock:
            count = self._counts.get(key, 0)
            if limit is not None and count >= limit:
                return False
            self._counts[key] = count + 1
            return True

    def remove(self, key: Hashable) -> None:
        """Counts one less. The key's count must not be 0."""
        with self._lock:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]


_open_sockets = KeyedCounts()  # by address


@functools.cache
def _address_buckets(kind: str, rate: float | None, burst: float) -> KeyedBuckets:
    return KeyedBuckets(rate, burst)


@functools.cache
def _session_buckets(burst: float | None) -> KeyedBuckets:
    """Of sessions that a page load may start in place of spent ones."""
    return KeyedBuckets(None if burst is None else 1 / TOKEN_SECONDS, burst or 1, limit=MAX_TOKENS)


def reset() -> None:
    """Refills all buckets. Open sockets stay counted."""
    _address_buckets.cache_clear()
    _session_buckets.cache_clear()


class SocketLimits:
    """The limits of one socket. clock: seconds. chance: a random number from 0 to 1.

    Refusing an event must not reorder those behind it: events that the page sent before it learned of the refusal are
    refused as a gap, until the refused number is sent again.
    """

    def __init__(
        self, scope: dict[str, Any], clock: Callable[[], float], chance: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._joins = TokenBucket(conf.get("JOIN_RATE"), conf.get("JOIN_BURST"))
        rate, burst = conf.get("EVENT_RATE"), conf.get("EVENT_BURST")
        self._events = TokenBucket(rate, burst)
        frame_rate = None if rate is None else rate * FRAMES_PER_EVENT
        self._frames = TokenBucket(frame_rate, max(FRAMES_BURST, burst * FRAMES_PER_EVENT))
        trusted = networks(tuple(conf.get("TRUSTED_PROXIES")))
        self.address = address_of(scope, trusted) if trusted else None
        self._gap_from = 0  # the first event that was refused, and must come again; 0: none
        self._logged = False
        self._counted = False

    def admits_socket(self) -> bool:
        """Whether this address may open one more socket, which counts until close()."""
        rate = conf.get("ADDRESS_SOCKETS")
        if self.address is None:
            return True
        if self._take_of_address("sockets", rate, (rate or 0) * ADDRESS_BURST_SECONDS):
            return False
        if not self._counted:
            self._counted = _open_sockets.add(self.address, conf.get("ADDRESS_OPEN_SOCKETS"))
        return self._counted

    def close(self) -> None:
        """This socket is closed. Idempotent."""
        if self._counted:
            self._counted = False
            _open_sockets.remove(self.address)

    def join_refusal(self) -> tuple[str, int] | None:
        """None: the page may join. Otherwise (message, retry_ms)."""
        wait, source = self._joins.take(self._clock()), "this page"
        if not wait and self.address is not None:
            rate = conf.get("ADDRESS_JOINS")
            wait, source = self._take_of_address("joins", rate, (rate or 0) * ADDRESS_BURST_SECONDS), "this address"
            if wait:
                wait += self._chance() * RETRY_SPREAD_SECONDS
        return self._refusal(wait, source, "joins")

    def session_refusal(self, origin: bytes) -> tuple[str, int] | None:
        """None: a session may start in place of a spent one. Otherwise (message, retry_ms). origin: the page load that
        the token goes back to.
        """
        wait = _session_buckets(conf.get("TOKEN_SESSIONS")).take(origin, self._clock())
        return self._refusal(wait, "this page load", "new sessions")

    def _refusal(self, wait: float, source: str, noun: str) -> tuple[str, int] | None:
        if not wait:
            return None
        self._log(source)
        return f"too many {noun} from {source}", math.ceil(wait * 1000)

    def admits_frame(self) -> bool:
        """Whether one more frame of any kind is within the limit, which our own client never reaches."""
        return not self._frames.take(self._clock())

    def event_refusal(self, number: int) -> tuple[str, str, int | None] | None:
        """None: the event may go on. Otherwise (reason, message, retry_ms)."""
        if self._gap_from and number > self._gap_from:
            return "gap", f"event {self._gap_from} was refused and must be sent again first", None
        wait, source = self._events.take(self._clock()), "this page"
        if not wait and self.address is not None:
            rate = conf.get("ADDRESS_RATE")
            wait, source = self._take_of_address("events", rate, (rate or 0) * EVENTS_BURST_SECONDS), "this address"
        if wait:
            self._log(source)
            return "busy", f"too many events from {source}", math.ceil(wait * 1000)
        if number == self._gap_from:
            self._gap_from = 0
        return None

    def event_refused(self, number: int) -> None:
        """This event was refused, here or by the session's owner, and must be sent again under the same number."""
        if number:
            self._gap_from = min(self._gap_from or number, number)

    def joined(self) -> None:
        """The page joined: its events are numbered anew."""
        self._gap_from = 0

    def _take_of_address(self, kind: str, rate: float | None, burst: float) -> float:
        return _address_buckets(kind, rate, burst).take(self.address, self._clock())

    def _log(self, source: str) -> None:
        if not self._logged:
            self._logged = True
            logger.warning("event=rate_limited source=%s address=%s", quoted(source), word(self.address or "-"))
