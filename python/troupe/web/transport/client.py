"""The ZeroMQ client: requests to the broker, one Client per running loop (proto/PROTOCOL.md 2).

Nothing here blocks. A Client belongs to its loop's thread.
"""

import asyncio
import itertools
import logging
import os
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from django.conf import settings

from ... import conf, state_directory, wire
from ..._limits import DEFAULT_TTL_MS, HARD_MS
from ...errors import ActorError, from_reply
from ...logs import quoted, word
from ...wire import Body
from .. import curve
from ..curve import Keys
from .base import Push, Reply
from .connection import Connection, abandon_after_fork
from .pending import Key, Pending, PendingTable

logger = logging.getLogger("troupe")

CONNECT_WAIT = 2.0  # s that a request waits for a broker that is not there
SWEEP_EVERY = 0.1  # s
KEEPALIVE_EVERY = 2.0  # s; the broker declares a client dead that is silent for 15 s
MAX_WAITING = 1000
# For a reply with DEBUG: a debugger may hold it up (`troupe up --debug`). Without one the broker answers long before.
DEBUGGING_SECONDS = 3600.0
_RESENT = frozenset((wire.EVENT, wire.JOIN, wire.REFRESH, wire.PING, wire.STATS))

Lost = Callable[[ActorError], object]
# What is told when a waiting message cannot be sent: a pending request, or send()'s `lost`.
Sender = Pending | Lost | None


class Client:
    """The transport to a broker; see base.py. clock: seconds; default: the loop's. keys: None where none are needed."""

    def __init__(
        self,
        address: str,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.address = address
        self.settings: tuple[Any, ...] | None = None  # from which get() made it
        self.loop = loop
        self._clock = clock or loop.time
        self._pending = PendingTable()
        # (deadline, sender, header, body) of what the socket does not accept yet.
        self._waiting: deque[tuple[float, Sender, bytes, bytes]] = deque()
        self._subscribers: dict[bytes, Push] = {}
        self._numbers = itertools.count(wire.REQUEST_BIT | 1)
        self._sweeper: asyncio.TimerHandle | None = None
        self._keepalive: asyncio.TimerHandle | None = None
        self._connection = Connection(address, loop, keys, self._received, self._send_waiting, self._reconnected)

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._connection.closed

    def close(self) -> None:
        """Closes the socket; requests without a reply end in `timeout`. The loop may be closed already. Idempotent."""
        if self.closed:
            return
        if not self.loop.is_closed():
            self._fail_all()
        for timer in (self._sweeper, self._keepalive):
            if timer is not None:
                timer.cancel()
        self._sweeper = self._keepalive = None
        self._connection.close()

    # Requests

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
        """See Transport. timeout: by default the time to live and the hard limit of a turn; longer with DEBUG. It
        counts anew whenever the session's worker reports that it is at work.
        """
        if view is not None:
            raise ActorError(
                "params",
                "a python_view can be mounted over inproc:// only: a broker's workers make their own",
            )
        if self._connection.closed:
            raise ActorError("unreachable", f"the client of {self.address} is closed", "not_executed")
        data = _packed(body)
        if not sequence:
            sequence = next(self._numbers)
        if timeout is None:
            hard = conf.get("HARD_LIMIT")
            if hard is None:
                hard = DEBUGGING_SECONDS if settings.DEBUG else HARD_MS / 1000
            timeout = (ttl or DEFAULT_TTL_MS) / 1000 + hard
        header = wire.HEADER.pack(wire.VERSION, kind, flags, session, epoch, sequence, ttl)
        future: asyncio.Future[Reply] = self.loop.create_future()
        deadline = self._clock() + timeout
        pending = Pending((session, sequence), future, kind, flags, epoch, timeout, deadline, ttl, data, subscriber)
        self._pending.add(pending)
        self._send(pending, header, data)
        self._schedule_sweep()
        return future

    def send(self, kind: int, session: bytes, body: Body, epoch: int = 0, lost: Lost | None = None) -> None:
        """See Transport. lost(error): called if no broker takes it within CONNECT_WAIT."""
        if not self._connection.closed:
            header = wire.pack_header(kind, 0, session, epoch, next(self._numbers), 0)
            self._send(lost, header, _packed(body))
            self._schedule_sweep()

    def _send(self, sender: Sender, header: bytes, data: bytes) -> None:
        """Sends a message, or keeps it for a while."""
        if not self._waiting and self._connection.try_send(header, data):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._give_up(sender)
            return
        self._waiting.append((self._clock() + CONNECT_WAIT, sender, header, data))

    def _send_waiting(self) -> None:
        """Fails messages that waited too long, and sends the rest in order, as far as the socket accepts them."""
        if not self._waiting:
            return
        self._expire_waiting(self._clock())
        while self._waiting:
            _, sender, header, data = self._waiting[0]
            if not _is_abandoned(sender) and not self._connection.try_send(header, data):
                return
            self._waiting.popleft()

    def _expire_waiting(self, now: float) -> None:
        late = [sender for deadline, sender, _, _ in self._waiting if deadline <= now]
        if late:
            self._waiting = deque(message for message in self._waiting if message[0] > now)
        for sender in late:
            self._give_up(sender)

    def _give_up(self, sender: Sender) -> None:
        """Fails a message that cannot be sent. An event that was sent before may have been executed: `timeout`."""
        if not isinstance(sender, Pending):
            if sender is not None:
                sender(self._unsent())
        elif sender.again:
            self._end(sender.key, self._no_reply())
        else:
            self._pending.unlink(sender)
            sender.answer(self._unsent())

    def _unsent(self) -> ActorError:
        connection = self._connection
        connection.read_monitor()
        if connection.connected:
            text = f"the broker at {self.address} accepts no more requests now"
            return ActorError("busy", text, "not_executed", retry_ms=500)
        if connection.refusal:
            text = f"{self.address}: {connection.refusal}"
            return ActorError("unreachable", text, "not_executed", retry_ms=1000)
        text = (
            f"no broker answers at {self.address}: start one with `manage.py troupe up`; if it runs with a --state of "
            "its own, or as another user, set TROUPE_STATE or TROUPE['BROKER']"
            f"{state_directory.explain_missing(self.address)}"
        )
        return ActorError("unreachable", text, "not_executed", retry_ms=1000)

    def _no_reply(self) -> ActorError:
        text = f"no reply came from {self.address}: whether the request was executed is not known"
        return ActorError("timeout", text, "unknown")

    def _end(self, key: Key, error: ActorError) -> None:
        pending = self._pending.pop(key, None)
        if pending is not None:
            pending.answer(error)

    def _fail_all(self) -> None:
        self._waiting.clear()
        for pending in list(self._pending.values()):
            self._end(pending.key, ActorError("timeout", "the client was closed before a reply came", "unknown"))

    def _schedule_sweep(self) -> None:
        if self._sweeper is None and (self._pending or self._waiting):
            self._sweeper = self.loop.call_later(SWEEP_EVERY, self._sweep)

    def _sweep(self) -> None:
        """Ends requests past their deadline. Runs only while there are any."""
        self._sweeper = None
        self._send_waiting()
        for key in self._pending.expired(self._clock()):
            self._end(key, self._no_reply())
        self._schedule_sweep()

    # Replies and pushes

    def _received(self, frame: bytes, body: bytes | None) -> None:
        try:
            _, kind, flags, session, epoch, sequence, _ = wire.unpack_header(frame)
            if body is None:
                raise wire.WireError("a message has two frames")
        except wire.WireError as error:
            logger.error("event=malformed_reply broker=%s reason=%s", word(self.address), quoted(error))
            return
        if kind == wire.WORKING:
            self._pending.extend((session, sequence), self._clock())
        elif sequence:
            self._answer((session, sequence), Reply(kind, flags, epoch, body))
        else:
            self._push(session, kind, epoch, body)

    def _answer(self, key: Key, reply: Reply) -> None:
        pending = self._pending.get(key)
        if pending is None:
            return  # a late reply, or the keepalive's PONG
        if 0 < reply.epoch < pending.epoch:
            logger.warning("event=stale_reply session=%s epoch=%d", key[0].hex(), reply.epoch)
            return
        del self._pending[key]
        if reply.kind == wire.NOT_EXECUTED and (pending.again or pending.shared is not None):
            reply = reply._replace(flags=reply.flags | wire.AGAIN)
        if reply.kind == wire.JOINED and pending.subscriber is not None and not pending.future.done():
            self.subscribe(key[0], pending.subscriber)
        pending.answer(reply)

    def _push(self, session: bytes, kind: int, epoch: int, body: bytes) -> None:
        """Behind the replies that came before it, whose futures call back in the loop's next round."""
        subscriber = self._subscribers.get(session)
        if subscriber is not None:
            self.loop.call_soon(self._deliver, session, subscriber, kind, epoch, body)

    def _deliver(self, session: bytes, subscriber: Push, kind: int, epoch: int, body: bytes) -> None:
        if self._subscribers.get(session) != subscriber:
            return  # it has unsubscribed meanwhile
        try:
            subscriber(kind, epoch, body)
        except Exception:
            logger.exception("event=subscriber_failed session=%s", session.hex())

    def subscribe(self, session: bytes, push: Push) -> None:
        """See Transport."""
        self._subscribers[session] = push
        if self._keepalive is None:
            self._keepalive = self.loop.call_later(KEEPALIVE_EVERY, self._keep_alive)

    def unsubscribe(self, session: bytes, push: Push) -> bool:
        """See Transport."""
        if self._subscribers.get(session) != push:
            return False
        del self._subscribers[session]
        return True

    def _keep_alive(self) -> None:
        self._keepalive = None
        if not self._subscribers:
            return
        header = wire.pack_header(wire.PING, 0, wire.NO_SESSION, 0, next(self._numbers), 0)
        self._connection.try_send(header, _packed({}))
        self._keepalive = self.loop.call_later(KEEPALIVE_EVERY, self._keep_alive)

    # After a new connection

    def _reconnected(self) -> None:
        """It may be a new broker: resends requests, and pings each session, spread over time, to find lost ones."""
        self._resend()
        for session in self._subscribers:
            self.loop.call_later(random.uniform(0, KEEPALIVE_EVERY), self._ping_session, session)

    def _resend(self) -> None:
        """Resends requests without a reply: they, or their replies, were lost with the connection.

        An event's number and a join's generation keep them from being executed twice. Requests that are not safe to
        resend end as `worker_lost`, with an unknown outcome. A resent event may wait until its own deadline, since it
        must not be reported as not executed.
        """
        unsent = {id(sender) for _, sender, _, _ in self._waiting}
        resent: list[tuple[float, Sender, bytes, bytes]] = []
        for pending in list(self._pending.values()):
            if id(pending) in unsent or pending.future.done():
                continue
            session, sequence = pending.key
            if pending.kind not in _RESENT:
                text = f"the broker at {self.address} died meanwhile: whether the request was executed is not known"
                self._end(pending.key, ActorError("worker_lost", text, "unknown"))
                continue
            flags, deadline = pending.flags, self._clock() + CONNECT_WAIT
            if pending.kind == wire.EVENT:
                flags, deadline, pending.again = flags | wire.AGAIN, pending.deadline, True
            header = wire.HEADER.pack(wire.VERSION, pending.kind, flags, session, pending.epoch, sequence, pending.ttl)
            resent.append((deadline, pending, header, pending.data))
        self._waiting.extendleft(reversed(resent))
        self._send_waiting()

    def _ping_session(self, session: bytes) -> None:
        if session not in self._subscribers or self._connection.closed:
            return
        future = self.submit(wire.PING, session, {}, timeout=5)
        future.add_done_callback(lambda done: self._session_answered(session, done))

    def _session_answered(self, session: bytes, future: asyncio.Future[Reply]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        reply = future.result()
        if reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "unknown_session":
            self._push(session, wire.ENDED, 0, _packed({"reason": "worker_lost"}))


def _is_abandoned(sender: Sender) -> bool:
    """Whether nobody waits for this request any more. It must not be sent then."""
    return isinstance(sender, Pending) and sender.future.done()


def _packed(body: Body) -> bytes:
    try:
        return wire.pack_body(body)
    except wire.WireError as error:
        raise ActorError("params", str(error), "not_executed") from error


_clients: dict[int, Client] = {}  # by id() of their loop


def get() -> Client:
    """The Client of the running loop; a new one if TROUPE["BROKER"] or its keys have changed. ActorError(unreachable).
    """
    loop = asyncio.get_running_loop()
    settings = conf.get("BROKER"), conf.get("KEY"), conf.get("SERVER_KEY")
    client = _clients.get(id(loop))
    if client is not None and client.loop is loop and client.settings == settings and not client.closed:
        return client
    for key, client in list(_clients.items()):
        if client.loop.is_closed() or key == id(loop):
            client.close()
            del _clients[key]
    try:
        keys = curve.load(*settings)
    except curve.KeysError as error:
        raise ActorError("unreachable", str(error), "not_executed") from error
    client = _clients[id(loop)] = Client(settings[0], loop, keys=keys)
    client.settings = settings
    return client


def _after_fork() -> None:
    abandon_after_fork(dict(_clients))
    _clients.clear()


os.register_at_fork(after_in_child=_after_fork)
