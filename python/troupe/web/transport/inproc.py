"""Sessions in this process, without a broker: for tests and one-process use. Turns are run by the worker's C code.

They run on the caller's thread (`sync_to_async`, thread-sensitive), so that a TestCase's transaction covers them.
`async def` handlers are awaited on the caller's loop, in the context of their turn. Nothing happens between turns:
views do not tick, and `request_update()` does nothing.
"""

import asyncio
import inspect
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import AsyncToSync, sync_to_async
from django.core.exceptions import ImproperlyConfigured

from ... import session_engine, wire
from ..._limits import MAX_UNADOPTED, UNADOPTED_MS
from ...errors import ActorError
from ...wire import Body
from ..fifo_lock import FifoLock
from .base import Push, Reply

logger = logging.getLogger("troupe")


class _Entry:
    """A session of this process. session: a Session of the native module."""

    __slots__ = ("session", "lock", "identity", "ended")

    def __init__(self, session: Any) -> None:
        self.session = session
        self.lock = FifoLock()
        self.identity = b""
        self.ended = False

    def end(self) -> None:
        """Closes the session; during a turn, that turn does so at its end."""
        self.ended = True
        if not self.lock.held and self.session is not None:
            self.session.close()
            self.session = None


class Inproc:
    """The transport to this process's own sessions; see base.py. native: the module with the class `Session`. clock:
    seconds.
    """

    def __init__(self, native: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._native = native
        self._clock = clock
        self._entries: dict[bytes, _Entry] = {}
        self._unadopted: dict[bytes, float] = {}  # session → since when; the oldest first
        self._subscribers: dict[bytes, Push] = {}
        self._loops: dict[bytes, asyncio.AbstractEventLoop] = {}  # on which the subscribers are to be called
        self._turns: set[asyncio.Task[Reply]] = set()
        self._numbers = itertools.count(wire.REQUEST_BIT | 1)

    def __len__(self) -> int:
        return len(self._entries)

    def submit(
        self,
        kind: int,
        session: bytes,
        body: Body,
        flags: int = 0,
        epoch: int = 0,
        sequence: int = 0,
        ttl: int = 0,
        timeout: float | None = None,
        view: Any = None,
        subscriber: Push | None = None,
    ) -> asyncio.Future[Reply]:
        """See Transport. There are no timeouts: nothing can be lost in this process."""
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

    def send(
        self,
        kind: int,
        session: bytes,
        body: Body,
        epoch: int = 0,
        lost: Callable[[ActorError], object] | None = None,
    ) -> None:
        """See Transport. ACK has no effect here, and LEAVE ends the session: nothing expires detached ones here."""
        if kind == wire.LOGOUT:
            self._control(kind, body)
        elif kind in (wire.LEAVE, wire.SHUTDOWN):
            self._end(session)

    def subscribe(self, session: bytes, push: Push) -> None:
        """See Transport."""
        self._subscribers[session], self._loops[session] = push, asyncio.get_running_loop()

    def unsubscribe(self, session: bytes, push: Push) -> bool:
        """See Transport."""
        if self._subscribers.get(session) != push:
            return False
        del self._subscribers[session], self._loops[session]
        return True

    def close(self) -> None:
        """Ends every session."""
        for session in list(self._entries):
            self._end(session)

    def _control(self, kind: int, body: Body) -> Reply:
        if kind == wire.LOGOUT:
            self._log_out(body["identity"])
        if kind == wire.STATS:
            figures = {"figures": {"sessions": len(self._entries)}}
            return Reply(wire.FIGURES, 0, 0, wire.pack_body(figures))
        return Reply(wire.PONG, 0, 0, wire.pack_body({}))

    def _log_out(self, identity: bytes) -> None:
        sessions = [key for key, entry in self._entries.items() if _is_of(entry, identity)]
        for session in sessions:
            self._end(session)
            if session in self._subscribers and not self._loops[session].is_closed():
                # A view that logs somebody out may run on any thread.
                push, body = self._subscribers[session], wire.pack_body({"reason": "logout"})
                self._loops[session].call_soon_threadsafe(push, wire.ENDED, 0, body)

    def _entry(self, kind: int, flags: int, session: bytes, body: Body) -> _Entry | None:
        """The session of a request. MOUNT and JOIN make it; for others, None: it is not here."""
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

    def _sweep(self) -> None:
        """Ends sessions that no page joined in time, and the oldest of too many."""
        now = self._clock()
        excess = len(self._unadopted) - MAX_UNADOPTED
        for session, since in list(self._unadopted.items()):
            if excess <= 0 and now - since <= UNADOPTED_MS / 1000:
                return
            excess -= 1
            self._end(session)

    def _end(self, session: bytes) -> None:
        self._unadopted.pop(session, None)
        entry = self._entries.pop(session, None)
        if entry is not None:
            entry.end()

    async def _turn(
        self, session: bytes, entry: _Entry, header: bytes, data: bytes, view: Any, subscriber: Push | None
    ) -> Reply:
        async with entry.lock:
            reply = _unknown_session() if entry.ended else await _run(entry.session, header, data, view)
        if b"login" in reply.body:
            _follow_login(entry, reply)
        if entry.ended:
            entry.end()
        elif getattr(entry.session, "ended", False):
            self._end(session)
        if subscriber is not None and reply.kind == wire.JOINED and not entry.ended:
            self.subscribe(session, subscriber)
        return reply


def _follow_login(entry: _Entry, reply: Reply) -> None:
    """A handler logged the user in or out: LOGOUT of who it was before is not for this session any more."""
    login = (wire.unpack_body(reply.body).get("effects") or {}).get("login")
    if login is not None:
        identity = session_engine.identity_of(login["user"], login["session_key"])
        entry.identity = wire.owner_of(identity, login["user"])


def _is_of(entry: _Entry, identity: bytes) -> bool:
    """Whether a LOGOUT of this identity means the session: the whole one, or one mark of it."""
    own = entry.identity
    marks = [own[at : at + wire.MARK_SIZE] for at in range(0, len(own), wire.MARK_SIZE)]
    return bool(identity) and identity in (own, *marks)


async def _run(session: Any, header: bytes, data: bytes, view: Any) -> Reply:
    result = await _on_thread(session.run, header, data, view)
    while result is not None and not isinstance(result, tuple):  # the turn waits for an awaitable
        value, error = await _settle(result)
        result = await _on_thread(session.resume, result, value, error)
    if result is None:  # LEAVE and ACK have no reply
        return Reply(wire.PONG, 0, 0, wire.pack_body({}))
    _, kind, flags, _, epoch, _, _ = wire.unpack_header(result[0])
    return Reply(kind, flags, epoch, result[1])


def _unknown_session() -> Reply:
    reason = {"reason": "unknown_session", "message": "the session is not here: mount or join"}
    return Reply(wire.NOT_EXECUTED, 0, 0, wire.pack_body(reason))


def _call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


_on_thread = sync_to_async(_call, thread_sensitive=True)


async def _settle(pending: Any) -> tuple[Any, BaseException | None]:
    """(value, exception) in which an `async def` handler ends, awaited in its turn's own context."""
    awaitable = pending.awaitable
    executor = getattr(AsyncToSync.executors, "current", None)
    if executor is not None or not inspect.iscoroutine(awaitable):
        awaitable = _await(awaitable, executor)
    loop = asyncio.get_running_loop()
    context = getattr(pending, "context", None)
    task = loop.create_task(awaitable, context=context)
    try:
        return await task, None
    except BaseException as error:  # the session must get its turn back, whatever ended this one
        return None, error


async def _await(awaitable: Awaitable[Any], executor: Any) -> Any:
    """executor: the caller's, which the turn's own context does not have. asgiref would take the loop's outermost one,
    and wait for ever where async_to_sync() is nested: in an async test that calls a sync test client.
    """
    if executor is None:
        return await awaitable
    AsyncToSync.executors.current = executor
    try:
        return await awaitable
    finally:
        AsyncToSync.executors.current = None


def _done(loop: asyncio.AbstractEventLoop, reply: Reply) -> asyncio.Future[Reply]:
    future: asyncio.Future[Reply] = loop.create_future()
    future.set_result(reply)
    return future


_transport: Inproc | None = None


def get() -> Inproc:
    """The process's Inproc. ImproperlyConfigured: the extension module was not built."""
    global _transport
    if _transport is None:
        try:
            from ... import _native
        except ImportError as error:
            raise ImproperlyConfigured(
                "TROUPE['BROKER'] is inproc://, but the extension module troupe._native is missing: build "
                f"it with `meson setup build && meson compile -C build`, or `pip install .` ({error})"
            ) from error
        _transport = Inproc(_native)
    return _transport


def reset(transport: Inproc | None = None) -> None:
    """For tests: ends all sessions, and uses this transport or a new one from now on."""
    global _transport
    if _transport is not None:
        _transport.close()
    _transport = transport
