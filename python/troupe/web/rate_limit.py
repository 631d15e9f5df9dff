"""How much a browser may send and begin (proto/PROTOCOL.md 9.2): token buckets by socket, by page load, and by address
where TROUPE["TRUSTED_PROXIES"] says how to tell one. They count in this process only.
"""

import functools
import ipaddress
import logging
import math
import random
import threading

from .. import conf
from .._limits import ADDRESS_BURST_SECONDS, TOKEN_SECONDS
from ..conf import UNIX_PEER
from ..logs import quoted, word

logger = logging.getLogger("troupe")

MOST_ADDRESSES = 10_000
FRAMES_OVER_EVENTS = 10  # a socket that goes on at so many times its events' rate is no page of ours
FRAMES_BURST = 256
ADDRESS_BURST = 0.2  # seconds of an address's rate that may come at once, as for a socket's events
JOINS_SPREAD = 4.0  # seconds over which pages of an address that may not join yet come back
MOST_TOKENS = 10_000


_large_frame = threading.Lock()  # taken once, for the life of the process


def note_frame(size, enough):
    """Say once how to have frames over `enough` bytes refused before they are in memory."""
    if size > enough and _large_frame.acquire(blocking=False):
        hint = f"start uvicorn with --ws-max-size {enough} --ws-per-message-deflate false, others as the guide says"
        logger.warning("event=frame_let_through bytes=%d hint=%s", size, quoted(hint))


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
    """A bucket for each address, or whatever is counted by; of those heard last, as memory is bounded. Any thread."""

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


class Counts:
    """How many there are of each address. Any thread."""

    def __init__(self):
        self._counts = {}  # none is 0
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._counts)

    def add(self, address, most):
        """Whether there may be one more, which then is there. most: None: any number."""
        with self._lock:
            count = self._counts.get(address, 0)
            if most is not None and count >= most:
                return False
            self._counts[address] = count + 1
            return True

    def remove(self, address):
        """One that was added is not there any more."""
        with self._lock:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]


_open_sockets = Counts()


@functools.cache
def _addresses(kind, rate, burst):
    return Addresses(rate, burst)


@functools.cache
def _tokens(burst):
    return Addresses(None if burst is None else 1 / TOKEN_SECONDS, burst or 1, most=MOST_TOKENS)


def forget_addresses():
    """Begin to count anew. Sockets that are open stay counted."""
    _addresses.cache_clear()
    _tokens.cache_clear()


@functools.cache
def networks(proxies):
    """What a tuple of TRUSTED_PROXIES means: a tuple of networks, and UNIX_PEER. ValueError: one is neither."""
    return tuple(map(conf.parse_proxy, proxies))


def address_of(scope, trusted):
    """Whom to count a socket for, as text: its peer or, if that is a trusted proxy, the last in X-Forwarded-For
    that is not. An IPv6 address counts with its /64. None: it cannot be told.
    """
    peer = scope.get("client")
    here = _parsed(peer[0]) if peer and peer[0] else UNIX_PEER
    if not _is_in(here, trusted):
        return None if here == UNIX_PEER else _counted(here)
    forwarded = b",".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    for text in reversed(forwarded.decode("latin1").split(",")):
        if text.strip():
            here = _parsed(text.strip())
            if not _is_in(here, trusted):
                break
    return None if here == UNIX_PEER else _counted(here)


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
        return address == UNIX_PEER and UNIX_PEER in trusted
    return any(one != UNIX_PEER and address.version == one.version and address in one for one in trusted)


def _counted(address):
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Inflow:
    """What comes in over one socket. clock: seconds. chance: a number from 0 to 1 each time.

    Order holds because an event that is refused holds back those behind it: what was sent before the page heard
    of the refusal is refused here, as a gap, until the same number comes again.
    """

    def __init__(self, scope, clock, chance=random.random):
        self._clock = clock
        self._chance = chance
        self._joins = Bucket(conf.get("JOIN_RATE"), conf.get("JOIN_BURST"))
        rate, burst = conf.get("EVENT_RATE"), conf.get("EVENT_BURST")
        self._events = Bucket(rate, burst)
        many = None if rate is None else rate * FRAMES_OVER_EVENTS
        self._frames = Bucket(many, max(FRAMES_BURST, burst * FRAMES_OVER_EVENTS))
        trusted = networks(tuple(conf.get("TRUSTED_PROXIES")))
        self.address = address_of(scope, trusted) if trusted else None
        self._held = 0  # the first event that was refused, and has to come again; 0: none
        self._said = False
        self._counted = False

    def admits_socket(self):
        """Whether this address may open one more. It is open until close()."""
        rate = conf.get("ADDRESS_SOCKETS")
        if self.address is None:
            return True
        if self._of_address("sockets", rate, (rate or 0) * ADDRESS_BURST_SECONDS):
            return False
        if not self._counted:
            self._counted = _open_sockets.add(self.address, conf.get("ADDRESS_OPEN_SOCKETS"))
        return self._counted

    def close(self):
        """This socket is not open any more. Once more is harmless."""
        if self._counted:
            self._counted = False
            _open_sockets.remove(self.address)

    def join_refusal(self):
        """None: the page may join. Else (message, retry_ms)."""
        wait, whose = self._joins.take(self._clock()), "this page"
        if not wait and self.address is not None:
            rate = conf.get("ADDRESS_JOINS")
            wait, whose = self._of_address("joins", rate, (rate or 0) * ADDRESS_BURST_SECONDS), "this address"
            wait += wait and self._chance() * JOINS_SPREAD
        return self._later(wait, whose, "joins come")

    def session_refusal(self, origin):
        """None: a session may begin in place of one that is spent, for whoever has a token of the page load `origin`,
        or of a session that began so. Else (message, retry_ms).
        """
        wait = _tokens(conf.get("TOKEN_SESSIONS")).take(origin, self._clock())
        return self._later(wait, "this page load", "sessions begin")

    def _later(self, wait, whose, what):
        if not wait:
            return None
        self._say(whose)
        return f"too many {what} from {whose}", math.ceil(wait * 1000)

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
            logger.warning("event=rate_limited of=%s address=%s", quoted(whose), word(self.address or "-"))
