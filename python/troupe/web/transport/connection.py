"""One DEALER socket to the broker, and its monitor, which reports the state of the connection.

Its descriptors are edge-triggered: after each event, and after each send, everything must be read. zmq.asyncio is not
used: measured, it has a sixth to a twelfth of this throughput.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket as sockets
from collections.abc import Callable
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from ..._limits import MAX_REPLY_BODY
from ...errors import ActorError
from ...logs import quoted, word
from .. import curve
from ..curve import Keys

logger = logging.getLogger("troupe")

BATCH = 256  # messages to read before yielding to other callbacks of the loop
RETRY_AFTER = 1.0  # s, after the broker refused the connection

_MONITORED = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | curve.FAILURES
_NOBLOCK, _MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)


class Connection:
    """Belongs to its loop's thread; never blocks. ActorError(unreachable): the address cannot be used.

    received(header, body): called with each message; body is None unless the message has two frames. drained(): called
    whenever there is nothing left to read. reconnected(): called after each handshake but the first.
    """

    def __init__(
        self,
        address: str,
        loop: asyncio.AbstractEventLoop,
        keys: Keys | None,
        received: Callable[[bytes, bytes | None], None],
        drained: Callable[[], None],
        reconnected: Callable[[], None],
    ) -> None:
        self.address = address
        self.connected = False
        self.refusal: str | None = None  # why the broker does not let us in
        self.closed = False
        self._loop = loop
        self._keys = keys
        self._received = received
        self._drained = drained
        self._reconnected = reconnected
        self._was_connected = False
        self._drain_due = False
        self._retry: asyncio.TimerHandle | None = None
        self._socket = _open_socket()
        self._monitor = self._socket.get_monitor_socket(_MONITORED)
        if keys:
            keys.apply(self._socket)
        try:
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._close_sockets()
            raise ActorError("unreachable", f"TROUPE['BROKER'] is {address!r}: {error}", "not_executed") from error
        self._readers = [int(socket.getsockopt(zmq.FD)) for socket in (self._socket, self._monitor)]
        loop.add_reader(self._readers[0], self.drain)
        loop.add_reader(self._readers[1], self._monitor_readable)
        self.read_monitor()  # the descriptor only signals what comes after a read that found nothing

    def close(self) -> None:
        """Closes the socket. The loop may be closed already. Idempotent."""
        if self.closed:
            return
        if not self._loop.is_closed():
            for reader in self._readers:
                self._loop.remove_reader(reader)
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._close_sockets()

    def _close_sockets(self) -> None:
        self.closed = True
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()

    def try_send(self, header: bytes, body: bytes) -> bool:
        """Sends a message. False: the socket does not accept it now. Sending may consume the descriptor's edge, so a
        read is scheduled.
        """
        if not self._drain_due:
            self._drain_due = True
            self._loop.call_soon(self.drain)
        try:
            self._socket.send(header, _MORE)
            self._socket.send(body, _NOBLOCK)
        except zmq.Again:
            return False
        return True

    def drain(self) -> None:
        """Reads a batch of messages; schedules the next one if there may be more."""
        self._drain_due = False
        if self.closed:
            return
        receive = self._socket.recv
        try:
            for _ in range(BATCH):
                header = receive(_NOBLOCK)
                body = receive(_NOBLOCK) if self._has_more() else None
                if self._has_more():
                    body = None
                    self._skip_frames()
                self._received(header, body)
            self._drain_due = True
            self._loop.call_soon(self.drain)
        except zmq.Again:
            pass
        self._drained()

    def _has_more(self) -> Any:
        return self._socket.getsockopt(zmq.RCVMORE)

    def _skip_frames(self) -> None:
        while self._has_more():
            self._socket.recv(_NOBLOCK)

    def _monitor_readable(self) -> None:
        self.read_monitor()
        self._drained()

    def read_monitor(self) -> None:
        """Reads the monitor's events until none is left."""
        try:
            while not self.closed:
                event = parse_monitor_message(self._monitor.recv_multipart(_NOBLOCK))["event"]
                self.connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
                if event != zmq.EVENT_DISCONNECTED and self.address.startswith("tcp://"):
                    self._handshake_over(event)
                if self.connected and self._was_connected:
                    self._reconnected()
                self._was_connected = self._was_connected or self.connected
        except zmq.Again:
            pass

    def _handshake_over(self, event: int) -> None:
        """A handshake succeeded or failed; or (CLOSED) there was nobody to begin one with."""
        refusal = curve.refusal(event, self._keys)
        if refusal and refusal != self.refusal:
            logger.warning("event=refused_by_broker broker=%s reason=%s", word(self.address), quoted(refusal))
        self.refusal = refusal
        if event & curve.FINAL_FAILURES and self._retry is None:
            self._retry = self._loop.call_later(RETRY_AFTER, self._reconnect)

    def _reconnect(self) -> None:
        self._retry = None
        with contextlib.suppress(zmq.ZMQError):  # ZeroMQ may have dropped the endpoint already
            self._socket.disconnect(self.address)
        self._socket.connect(self.address)


_context: "zmq.Context[zmq.Socket[bytes]] | None" = None
_abandoned: list[object] = []  # what a fork copied: closing it would disturb the parent, so it is never touched


def _open_socket() -> "zmq.Socket[bytes]":
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


def abandon_after_fork(*copies: object) -> None:
    """In the child of a fork: forgets the context, and keeps it and `copies` alive, untouched."""
    global _context
    _abandoned.append((_context, copies))
    _context = None
