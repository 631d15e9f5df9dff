"""How much a browser may send (proto/PROTOCOL.md 9.2): token buckets by socket, and by address where
TROUPE["TRUSTED_PROXIES"] says how to tell one. They count in this process only.
"""

import functools
import ipaddress
import logging
import math
import threading

from . import conf
from .logs import word

logger = logging.getLogger("troupe")

MOST_ADDRESSES = 10_000
FRAMES_OVER_EVENTS = 10  # a socket that goes on at so many times its events' rate is no page of ours
FRAMES_BURST = 256
ADDRESS_BURST = 0.2  # seconds of an address's rate that may come at once, as for a socket's events
SOCKETS_BURST = 4  # after a restart an office comes back at once
UNIX = "unix"  # in TRUSTED_PROXIES: who comes in over a Unix socket


_large_frame = threading.Lock()  # taken once, for the life of the process


def note_frame(size, enough):
    """Say once how to have frames over `enough` bytes refused before they are in memory."""
    if size > enough and _large_frame.acquire(blocking=False):
        hint = f"start uvicorn with --ws-max-size {enough} --ws-per-message-deflate false, others as the guide says"
        logger.warning('event=frame_let_through bytes=%d hint="%s"', size, hint)


class Bucket:
    """`burst` at once, and `rate` a second. rate None: no limit. `now` is in seconds, by any clock that rises."""

    __slots__ = ("rate", "burst", "_left", "_at")

    def __init__(self, rate, burst):
        self.rate = rate
        self.burst = max(1.0, burst)
        self._left = self.burst
        self._at = None

    def take(self, now):
        """0 when one was there, and is taken; otherwise the seconds until there will be."""
        if self.rate is None:
            return 0
        if self._at is not None:
            self._left = min(self.burst, self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0
        return (1 - self._left) / self.rate


class Addresses:
    """A bucket for each address; of those heard last, as memory is bounded. Any thread."""

    def __init__(self, rate, burst, most=MOST_ADDRESSES):
        self._made_of = rate, burst
        self._most = most
        self._buckets = {}  # in the order in which they were heard
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._buckets)

    def take(self, address, now):
        """As Bucket.take, of that address's."""
        with self._lock:
            bucket = self._buckets.pop(address, None) or Bucket(*self._made_of)
            self._buckets[address] = bucket
            if len(self._buckets) > self._most:
                del self._buckets[next(iter(self._buckets))]
            return bucket.take(now)


@functools.cache
def _addresses(kind, rate, burst):
    return Addresses(rate, burst)


def forget_addresses():
    """Begin to count anew."""
    _addresses.cache_clear()


@functools.cache
def networks(proxies):
    """What a tuple of TRUSTED_PROXIES means: a tuple of networks, and UNIX. ValueError: one is neither."""
    return tuple(one if one == UNIX else ipaddress.ip_network(one, strict=False) for one in proxies)


def address_of(scope, trusted):
    """Whom to count a socket for, as text: its peer or, if that is a trusted proxy, the last in X-Forwarded-For
    that is not. An IPv6 address counts with its /64. None: it cannot be told.
    """
    peer = scope.get("client")
    here = _parsed(peer[0]) if peer and peer[0] else UNIX
    if not _is_in(here, trusted):
        return None if here == UNIX else _counted(here)
    forwarded = b",".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    for text in reversed(forwarded.decode("latin1").split(",")):
        if text.strip():
            here = _parsed(text.strip())
            if not _is_in(here, trusted):
                break
    return None if here == UNIX else _counted(here)


def _parsed(text):
    """An address, with or without a port; what is none stays text."""
    bare = text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        bare = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return text[:64]
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address, trusted):
    if isinstance(address, str):
        return address == UNIX and UNIX in trusted
    return any(one != UNIX and address.version == one.version and address in one for one in trusted)


def _counted(address):
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Inflow:
    """What comes in over one socket. clock: seconds.

    Order holds because an event that is refused holds back those behind it: what was sent before the page heard
    of the refusal is refused here, as a gap, until the same number comes again.
    """

    def __init__(self, scope, clock):
        self._clock = clock
        rate, burst = conf.get("EVENT_RATE"), conf.get("EVENT_BURST")
        self._events = Bucket(rate, burst)
        many = None if rate is None else rate * FRAMES_OVER_EVENTS
        self._frames = Bucket(many, max(FRAMES_BURST, burst * FRAMES_OVER_EVENTS))
        trusted = networks(tuple(conf.get("TRUSTED_PROXIES")))
        self.address = address_of(scope, trusted) if trusted else None
        self._held = 0  # the first event that was refused, and has to come again; 0: none
        self._said = False

    def admits_socket(self):
        """Whether this address may open one more."""
        rate = conf.get("ADDRESS_SOCKETS")
        return self.address is None or not self._of_address("sockets", rate, (rate or 0) * SOCKETS_BURST)

    def admits_frame(self):
        """Whether a frame, of whatever kind, may come. False: this is no page of ours."""
        return not self._frames.take(self._clock())

    def refusal(self, number):
        """None: the event may go on. Else (reason, message, retry_ms or None)."""
        if self._held and number > self._held:
            return "gap", f"event {self._held} has to come again before this one", None
        wait, whose = self._events.take(self._clock()), "this page"
        if not wait and self.address is not None:
            rate = conf.get("ADDRESS_RATE")
            wait, whose = self._of_address("events", rate, (rate or 0) * ADDRESS_BURST), "this address"
        if wait:
            self._say(whose)
            return "busy", f"too many events come from {whose}", math.ceil(wait * 1000)
        if number == self._held:
            self._held = 0
        return None

    def refused(self, number):
        """This event was refused, here or by the session's owner: its number is still to come."""
        if number:
            self._held = min(self._held or number, number)

    def joined(self):
        """The page counts anew."""
        self._held = 0

    def _of_address(self, kind, rate, burst):
        return _addresses(kind, rate, burst).take(self.address, self._clock())

    def _say(self, whose):
        if not self._said:
            self._said = True
            logger.warning('event=rate_limited of="%s" address=%s', whose, word(self.address or "-"))
