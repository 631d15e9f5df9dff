"""The ZeroMQ client: one DEALER for each running loop, read in batches from `loop.add_reader`
(proto/PROTOCOL.md 2).

zmq.asyncio is not used: it was measured at a sixth to a twelfth of this way's throughput. Nothing here
blocks. A Client belongs to its loop's thread.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import random
import secrets
import socket as sockets
from collections import deque

import zmq
from zmq.utils.monitor import parse_monitor_message

from ... import conf, wire
from ..._limits import DEFAULT_TTL_MS, HARD_MS, MAX_REPLY_BODY
from ...errors import ActorError, from_reply
from ...logs import quoted, word
from .. import curve
from .base import Reply

logger = logging.getLogger("troupe")

CONNECT_WAIT = 2.0  # s a request waits for a broker that is not there
SWEEP_EVERY = 0.1  # s
KEEPALIVE_EVERY = 2.0  # s; the broker takes a client that is silent for 15 s for dead
_SENT_AGAIN = frozenset((wire.EVENT, wire.JOIN, wire.REFRESH, wire.PING, wire.STATS))
BATCH = 256  # messages read before other callbacks of the loop get their turn
MAX_WAITING = 1000

RETRY_EVERY = 1.0  # s, after a broker did not let us in

_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | curve.FAILURES
_NOBLOCK, _MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)


class _Pending:
    """A request in flight. `shared`: an earlier one of the same number, which the same reply answers. `again`: it was
    sent over a connection that broke since, and what became of that sending is not known.
    """

    __slots__ = ("key", "future", "kind", "flags", "epoch", "deadline", "shared", "ttl", "data", "subscriber", "again")

    def __init__(self, key, future, kind, flags, epoch, deadline, shared, ttl, data, subscriber):
        self.key = key
        self.again = False
        self.future = future
        self.kind = kind
        self.flags = flags
        self.ttl = ttl
        self.data = data
        self.epoch = epoch
        self.deadline = deadline
        self.shared = shared
        self.subscriber = subscriber

    def answer(self, reply):
        """Give the reply, or an exception, to whoever still waits."""
        item = self
        while item is not None:
            if not item.future.done():
                if isinstance(reply, ActorError):
                    item.future.set_exception(reply)
                else:
                    item.future.set_result(reply)
            item = item.shared


class Client:
    """See base.py for the methods. `clock` returns seconds, as `loop.time` does. locks: keys.Keys, or None."""

    def __init__(self, address, loop, clock=None, locks=None):
        self.address = address
        self.settings = None  # from which get() made it
        self._locks = locks
        self._refusal = None  # why the broker does not let us in
        self._retry = None
        self.loop = loop
        self._clock = clock or loop.time
        self._pending = {}
        self._waiting = deque()  # (deadline, pending or lost, header, body), while the socket takes nothing
        self._subscribers = {}
        self._numbers = itertools.count(wire.REQUEST_BIT | 1)
        self._drain_due = False
        self._sweeper = None
        self._keeper = None
        self._connected = False
        self._met = False  # a broker was there before: the next one may be another
        self._socket = _open_socket()
        self._monitor = self._socket.get_monitor_socket(_EVENTS)
        if locks:
            locks.lock(self._socket)
        try:
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._close_sockets()
            raise ActorError("unreachable", f"TROUPE['BROKER'] is {address!r}: {error}", "not_executed") from error
        self._readers = [self._socket.getsockopt(zmq.FD), self._monitor.getsockopt(zmq.FD)]
        loop.add_reader(self._readers[0], self._drain)
        loop.add_reader(self._readers[1], self._look)
        self._hear()  # a descriptor tells only of what comes after a read that found nothing

    def close(self):
        """Close the socket; what waits for a reply ends in `timeout`. The loop may be closed already."""
        if self._socket is None:
            return
        if not self.loop.is_closed():
            for reader in self._readers:
                self.loop.remove_reader(reader)
            self._fail_all()
        for timer in (self._sweeper, self._keeper, self._retry):
            if timer is not None:
                timer.cancel()
        self._sweeper = self._keeper = self._retry = None
        self._close_sockets()

    def _close_sockets(self):
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()
        self._socket = None

    def submit(
        self, kind, session, body, flags=0, epoch=0, sequence=0, ttl=0, timeout=None, view=None, subscriber=None
    ):
        """See base.py. timeout: seconds; default: the time to live and the hard limit of a turn."""
        if view is not None:
            raise ActorError(
                "params",
                "a python_view can be mounted over inproc:// only: a broker's workers make their own",
            )
        if self._socket is None:
            raise ActorError("unreachable", f"the client of {self.address} is closed", "not_executed")
        data = _packed(body)
        if not sequence:
            sequence = next(self._numbers)
        if timeout is None:
            hard = conf.get("HARD_LIMIT")
            timeout = (ttl or DEFAULT_TTL_MS) / 1000 + (HARD_MS / 1000 if hard is None else hard)
        header = wire.HEADER.pack(wire.VERSION, kind, flags, session, epoch, sequence, ttl)
        key = (session, sequence)
        future = self.loop.create_future()
        deadline = self._clock() + timeout
        pending = _Pending(key, future, kind, flags, epoch, deadline, self._pending.get(key), ttl, data, subscriber)
        self._pending[key] = pending
        self._put(pending, header, data)
        self._watch()
        return future

    def send(self, kind, session, body, epoch=0, lost=None):
        """A request whose reply nobody waits for. lost(error): called if no broker takes it within
        CONNECT_WAIT.
        """
        if self._socket is not None:
            header = wire.pack_header(kind, 0, session, epoch, next(self._numbers), 0)
            self._put(lost, header, _packed(body))
            self._watch()

    def subscribe(self, session, callback):
        """Give what comes unasked for this session to `callback(kind, epoch, body)`; the newest subscriber
        only.
        """
        self._subscribers[session] = callback
        if self._keeper is None:
            self._keeper = self.loop.call_later(KEEPALIVE_EVERY, self._keep_alive)

    def unsubscribe(self, session, callback):
        """Undo `subscribe`, unless another one came since. Whether it was undone."""
        if self._subscribers.get(session) != callback:
            return False
        del self._subscribers[session]
        return True

    def _put(self, whose, header, data):
        """Send, or keep for a while. whose: the pending request; or what `send` was given as `lost`."""
        if not self._waiting and self._try_send(header, data):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._give_up(whose)
            return
        self._waiting.append((self._clock() + CONNECT_WAIT, whose, header, data))

    def _try_send(self, header, data):
        """Whether the socket took it. The descriptor is edge-triggered, and sending may eat the edge: read
        once after it.
        """
        if not self._drain_due:
            self._drain_due = True
            self.loop.call_soon(self._drain)
        try:
            self._socket.send(header, _MORE)
            self._socket.send(data, _NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _drain(self):
        self._drain_due = False
        if self._socket is None:
            return
        receive = self._socket.recv
        try:
            for _ in range(BATCH):
                header = receive(_NOBLOCK)
                body = receive(_NOBLOCK) if self._more() else None
                self._take(header, body if not self._more() else self._skip())
            self._drain_due = True
            self.loop.call_soon(self._drain)
        except zmq.Again:
            pass
        if self._waiting:
            self._flush()

    def _look(self):
        self._hear()
        if self._waiting:
            self._flush()

    def _hear(self):
        """Read what the socket's monitor has to say of the connection. Edge-triggered: until nothing is left."""
        try:
            while self._socket is not None:
                event = parse_monitor_message(self._monitor.recv_multipart(_NOBLOCK))["event"]
                self._connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
                if event != zmq.EVENT_DISCONNECTED and self.address.startswith("tcp://"):
                    self._meet(event)
                if self._connected and self._met:
                    self._send_again()
                    self._ask_for_sessions()
                self._met = self._met or self._connected
        except zmq.Again:
            pass

    def _meet(self, event):
        """A handshake is over, one way or another; or (CLOSED) nobody is there to begin one."""
        refusal = curve.refusal(event, self._locks)
        if refusal and refusal != self._refusal:
            logger.warning("event=refused_by_broker broker=%s reason=%s", word(self.address), quoted(refusal))
        self._refusal = refusal
        if event & curve.FINAL and self._retry is None:
            self._retry = self.loop.call_later(RETRY_EVERY, self._connect_again)

    def _connect_again(self):
        self._retry = None
        with contextlib.suppress(zmq.ZMQError):  # ZeroMQ may have given the connection up altogether
            self._socket.disconnect(self.address)
        self._socket.connect(self.address)

    def _more(self):
        return self._socket.getsockopt(zmq.RCVMORE)

    def _skip(self):
        while self._more():
            self._socket.recv(_NOBLOCK)

    def _take(self, frame, body):
        try:
            _, kind, flags, session, epoch, sequence, _ = wire.unpack_header(frame)
            if body is None:
                raise wire.WireError("a message has two frames")
        except wire.WireError as error:
            logger.error("event=malformed_reply broker=%s reason=%s", word(self.address), quoted(error))
            return
        if sequence:
            self._answer((session, sequence), Reply(kind, flags, epoch, body))
        else:
            self._tell(session, kind, epoch, body)

    def _answer(self, key, reply):
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

    def _tell(self, session, kind, epoch, body):
        callback = self._subscribers.get(session)
        if callback is None:
            return
        try:
            callback(kind, epoch, body)
        except Exception:
            logger.exception("event=subscriber_failed session=%s", session.hex())

    def _flush(self):
        """End what waited too long, and send the rest, in order, as far as the socket takes it."""
        self._expire(self._clock())
        while self._waiting:
            _, whose, header, data = self._waiting[0]
            if not _is_abandoned(whose) and not self._try_send(header, data):
                return
            self._waiting.popleft()

    def _expire(self, now):
        late = [whose for deadline, whose, _, _ in self._waiting if deadline <= now]
        if late:
            self._waiting = deque(entry for entry in self._waiting if entry[0] > now)
        for whose in late:
            self._give_up(whose)

    def _give_up(self, whose):
        """It cannot be sent. What was sent before may have been executed all the same."""
        if not isinstance(whose, _Pending):
            if whose is not None:
                whose(self._unsent())
        elif whose.again:
            self._end(whose.key, self._no_reply())
        else:
            self._unlink(whose)
            whose.answer(self._unsent())

    def _unlink(self, pending):
        """Take one request out, and leave in flight what shares its number."""
        earlier, pending.shared = pending.shared, None
        newest = self._pending.get(pending.key)
        if newest is not pending:
            while newest is not None and newest.shared is not pending:
                newest = newest.shared
            if newest is not None:
                newest.shared = earlier
        elif earlier is not None:
            self._pending[pending.key] = earlier
        else:
            del self._pending[pending.key]

    def _unsent(self):
        self._hear()
        if self._connected:
            text = f"the broker at {self.address} takes no more just now"
            return ActorError("busy", text, "not_executed", retry_ms=500)
        if self._refusal:
            text = f"{self.address}: {self._refusal}"
            return ActorError("unreachable", text, "not_executed", retry_ms=1000)
        text = f"no broker answers at {self.address}: start one with `troupe up`, or set TROUPE['BROKER']"
        return ActorError("unreachable", text, "not_executed", retry_ms=1000)

    def _no_reply(self):
        text = f"no reply came from {self.address}: whether the request was executed is not known"
        return ActorError("timeout", text, "unknown")

    def _end(self, key, error):
        pending = self._pending.pop(key, None)
        if pending is not None:
            pending.answer(error)

    def _fail_all(self):
        self._waiting.clear()
        for key in list(self._pending):
            self._end(key, ActorError("timeout", "the client was closed before a reply came", "unknown"))

    def _watch(self):
        if self._sweeper is None and (self._pending or self._waiting):
            self._sweeper = self.loop.call_later(SWEEP_EVERY, self._sweep)

    def _sweep(self):
        """End requests whose time is over. Runs only while there are any."""
        self._sweeper = None
        if self._waiting:
            self._flush()
        now = self._clock()
        for key in [key for key, pending in self._pending.items() if pending.deadline <= now]:
            self._end(key, self._no_reply())
        self._watch()

    def _keep_alive(self):
        self._keeper = None
        if not self._subscribers:
            return
        self._try_send(wire.pack_header(wire.PING, 0, wire.NO_SESSION, 0, next(self._numbers), 0), _packed({}))
        self._keeper = self.loop.call_later(KEEPALIVE_EVERY, self._keep_alive)

    def _send_again(self):
        """Connected again: what was sent, and not answered, died with the broker or its answer did. An event has its
        number and a join its place, so that neither happens twice; of the rest it cannot be told. An event waits for
        its turn as long as somebody waits for it: to say that it was not executed would not be true.
        """
        unsent = {id(whose) for _, whose, _, _ in self._waiting}
        again = []
        for key, pending in list(self._pending.items()):
            if id(pending) in unsent or pending.future.done():
                continue
            if pending.kind not in _SENT_AGAIN:
                text = f"the broker at {self.address} died meanwhile: whether the request was executed is not known"
                self._end(key, ActorError("worker_lost", text, "unknown"))
                continue
            flags, deadline = pending.flags, self._clock() + CONNECT_WAIT
            if pending.kind == wire.EVENT:
                flags, deadline, pending.again = flags | wire.AGAIN, pending.deadline, True
            header = wire.HEADER.pack(wire.VERSION, pending.kind, flags, key[0], pending.epoch, key[1], pending.ttl)
            again.append((deadline, pending, header, pending.data))
        self._waiting.extendleft(reversed(again))
        self._flush()

    def _ask_for_sessions(self):
        """Connected again. It may be a new broker: find out, spread over time, which sessions are gone."""
        for session in self._subscribers:
            self.loop.call_later(random.uniform(0, KEEPALIVE_EVERY), self._ask_for, session)

    def _ask_for(self, session):
        if session not in self._subscribers or self._socket is None:
            return
        future = self.submit(wire.PING, session, {}, timeout=5)
        future.add_done_callback(lambda done: self._asked(session, done))

    def _asked(self, session, future):
        if future.cancelled() or future.exception() is not None:
            return
        reply = future.result()
        if reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "unknown_session":
            self._tell(session, wire.ENDED, 0, _packed({"reason": "worker_lost"}))


def _is_abandoned(whose):
    """Whether nobody waits for this request any more: sending it now would only surprise."""
    return isinstance(whose, _Pending) and whose.future.done()


def _packed(body):
    try:
        return wire.pack_body(body)
    except wire.WireError as error:
        raise ActorError("params", str(error), "not_executed") from error


_context = None
_clients = {}  # id(loop) → Client
_abandoned = []  # what a fork copied: closing it would disturb the parent, so it is kept and never touched


def get():
    """The Client of the running loop, opened when first asked for and again when TROUPE["BROKER"] or its keys have
    changed.
    """
    loop = asyncio.get_running_loop()
    settings = conf.get("BROKER"), conf.get("KEY"), conf.get("SERVER_KEY")
    found = _clients.get(id(loop))
    if found is not None and found.loop is loop and found.settings == settings and found._socket is not None:
        return found
    for key, client in list(_clients.items()):
        if client.loop.is_closed() or key == id(loop):
            client.close()
            del _clients[key]
    try:
        locks = curve.load(*settings)
    except curve.KeysError as error:
        raise ActorError("unreachable", str(error), "not_executed") from error
    client = _clients[id(loop)] = Client(settings[0], loop, locks=locks)
    client.settings = settings
    return client


def _open_socket():
    global _context
    if _context is None:
        _context = zmq.Context()
    socket = _context.socket(zmq.DEALER)
    name = f"{sockets.gethostname()[:8]}-{os.getpid()}-{secrets.token_hex(6)}"
    socket.setsockopt(zmq.IDENTITY, name.encode()[:32])
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.LINGER, 100)
    socket.setsockopt(zmq.SNDHWM, 1000)
    socket.setsockopt(zmq.RCVHWM, 10000)
    socket.setsockopt(zmq.RECONNECT_IVL, 100)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 5000)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_REPLY_BODY + 4096)
    return socket


def _after_fork():
    global _context
    _abandoned.append((_context, dict(_clients)))
    _context = None
    _clients.clear()


os.register_at_fork(after_in_child=_after_fork)
