"""Sessions in this process, without a broker: for tests and one-process use. The turns are the worker's own C
code.

Turns run on the caller's thread (`sync_to_async`, thread-sensitive), so that a TestCase's transaction holds.
`async def` handlers are awaited on the caller's loop, in the context of their turn. Nothing happens between turns:
views do not tick here, and `request_update()` does nothing.
"""

import asyncio
import inspect
import itertools
import logging
import time

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured

from ... import wire
from ..._limits import MAX_UNADOPTED, UNADOPTED_MS
from ...errors import ActorError
from ...validation import refuse_unused
from ..fifo_lock import FifoLock
from .base import Reply

logger = logging.getLogger("troupe")



class _Entry:
    __slots__ = ("session", "lock", "identity", "gone")

    def __init__(self, session):
        self.session = session
        self.lock = FifoLock()
        self.identity = b""
        self.gone = False

    def end(self):
        """Close the session; in the middle of a turn, that turn does it at its end."""
        self.gone = True
        if not self.lock.held and self.session is not None:
            self.session.close()
            self.session = None


class Inproc:
    """See base.py for the methods. native: the module with the class `Session`. clock: in seconds."""

    def __init__(self, native, clock=time.monotonic):
        self._native = native
        self._clock = clock
        self._entries = {}
        self._unadopted = {}  # session → since when; oldest first
        self._subscribers = {}
        self._turns = set()
        self._numbers = itertools.count(wire.REQUEST_BIT | 1)

    def __len__(self):
        return len(self._entries)

    def submit(
        self, kind, session, body, flags=0, epoch=0, sequence=0, ttl=0, timeout=None, view=None, subscriber=None
    ):
        """See base.py. `view`, in a MOUNT: the instance to use as it is. There are no timeouts: nothing
        gets lost here.
        """
        try:
            data = wire.pack_body(body)
        except wire.WireError as error:
            raise ActorError("params", str(error), "not_executed") from error
        loop = asyncio.get_running_loop()
        if session == wire.NO_SESSION:
            return _done(loop, self._control(kind, body))
        entry = self._entry(kind, flags, session, body)
        if entry is None:
            return _done(loop, _unknown_session())
        header = wire.pack_header(kind, flags, session, epoch, sequence or next(self._numbers), ttl)
        # A task of its own, shielded: a caller that is cancelled must not leave a turn half done.
        turn = loop.create_task(self._turn(session, entry, header, data, view, subscriber))
        self._turns.add(turn)  # the loop itself keeps weak references only
        turn.add_done_callback(self._turns.discard)
        return asyncio.shield(turn)

    def send(self, kind, session, body, epoch=0, lost=None):
        """See base.py. ACK means nothing here, and a LEAVE ends the session: there is nobody to sweep it
        up later.
        """
        if kind == wire.LOGOUT:
            self._control(kind, body)
        elif kind in (wire.LEAVE, wire.SHUTDOWN):
            self._end(session)

    def subscribe(self, session, callback):
        """See base.py."""
        self._subscribers[session] = callback

    def unsubscribe(self, session, callback):
        """See base.py."""
        if self._subscribers.get(session) != callback:
            return False
        del self._subscribers[session]
        return True

    def close(self):
        """End every session."""
        for session in list(self._entries):
            self._end(session)

    def _control(self, kind, body):
        if kind == wire.LOGOUT:
            self._log_out(body["identity"])
        if kind == wire.STATS:
            figures = {"figures": {"sessions": len(self._entries)}}
            return Reply(wire.FIGURES, 0, 0, wire.pack_body(figures))
        return Reply(wire.PONG, 0, 0, wire.pack_body({}))

    def _log_out(self, identity):
        theirs = [key for key, entry in self._entries.items() if identity and entry.identity == identity]
        for session in theirs:
            self._end(session)
            callback = self._subscribers.get(session)
            if callback is not None:
                callback(wire.ENDED, 0, wire.pack_body({"reason": "logout"}))

    def _entry(self, kind, flags, session, body):
        entry = self._entries.get(session)
        if kind not in (wire.MOUNT, wire.JOIN):
            return entry
        if entry is None:
            entry = self._entries[session] = _Entry(self._native.Session(session))
        entry.identity = body.get("identity") or entry.identity
        if kind == wire.MOUNT and flags & wire.UNADOPTED:
            self._unadopted.setdefault(session, self._clock())
        else:
            self._unadopted.pop(session, None)
        self._sweep()
        return entry

    def _sweep(self):
        now = self._clock()
        excess = len(self._unadopted) - MAX_UNADOPTED
        for session, since in list(self._unadopted.items()):
            if excess <= 0 and now - since <= UNADOPTED_MS / 1000:
                return
            excess -= 1
            self._end(session)

    def _end(self, session):
        self._unadopted.pop(session, None)
        entry = self._entries.pop(session, None)
        if entry is not None:
            entry.end()

    async def _turn(self, session, entry, header, data, view, subscriber):
        async with entry.lock:
            reply = _unknown_session() if entry.gone else await _run(entry.session, header, data, view)
        if entry.gone:
            entry.end()
        elif getattr(entry.session, "ended", False):
            self._end(session)
        if subscriber is not None and reply.kind == wire.JOINED and not entry.gone:
            self.subscribe(session, subscriber)
        return reply


async def _run(session, header, data, view):
    result = await _on_thread(session.run, header, data, view)
    while result is not None and not isinstance(result, tuple):
        value, error = await _settle(result)
        result = await _on_thread(session.resume, result, value, error)
    if result is None:  # LEAVE and ACK have no reply
        return Reply(wire.PONG, 0, 0, wire.pack_body({}))
    _, kind, flags, _, epoch, _, _ = wire.unpack_header(result[0])
    return Reply(kind, flags, epoch, result[1])


def _unknown_session():
    reason = {"reason": "unknown_session", "message": "the session is not here: mount or join"}
    return Reply(wire.NOT_EXECUTED, 0, 0, wire.pack_body(reason))


_on_thread = sync_to_async(lambda function, *args: function(*args), thread_sensitive=True)


async def _settle(pending):
    """(value, exception) of what an `async def` handler ends in, awaited in its turn's own context."""
    awaitable = pending.awaitable
    if not inspect.iscoroutine(awaitable):
        awaitable = _await(awaitable)
    loop = asyncio.get_running_loop()
    context = getattr(pending, "context", None)
    task = loop.create_task(awaitable) if context is None else context.run(loop.create_task, awaitable)
    try:
        value = await task
        if not asyncio.isfuture(value):
            refuse_unused(value, "it")
        return value, None
    except BaseException as error:  # the session must get its turn back, whatever ended this one
        return None, error


async def _await(awaitable):
    return await awaitable


def _done(loop, reply):
    future = loop.create_future()
    future.set_result(reply)
    return future


_transport = None


def get():
    """The process's Inproc. ImproperlyConfigured: the extension module was not built."""
    global _transport
    if _transport is None:
        try:
            from ... import _native
        except ImportError as error:
            raise ImproperlyConfigured(
                "TROUPE['BROKER'] is inproc://, but the extension module troupe._native is not here: build "
                f"it with `meson setup build && meson compile -C build`, or `pip install .` ({error})"
            ) from error
        _transport = Inproc(_native)
    return _transport


def reset(transport=None):
    """End all sessions and begin anew, with this transport if one is given: for tests."""
    global _transport
    if _transport is not None:
        _transport.close()
    _transport = transport
