"""A page's WebSocket below the level of its frames' meaning: the handshake, input limits, the output queue, and the
serialization of slow work.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from channels.consumer import AsyncConsumer

from .._limits import MAX_BROWSER_FRAME, MAX_HELD_BYTES, MAX_HELD_FRAMES
from ..logs import quoted, word
from . import frames, rate_limit
from .frames import BadFrame
from .origins import header, origin_allowed
from .outbox import Backlog, Message, Outbox, Send
from .probe import PROBE
from .request_facts import Scope

logger = logging.getLogger("troupe")

MAX_MISTAKES = 5
SERVER_MAX_FRAME = 128 << 10  # bytes; the server's limit in the guide. Higher than ours, so that we can answer
WORK_ENDS_SECONDS = 1.0  # grace period for the work of a socket that was closed

# Close codes (proto/PROTOCOL.md 9).
BINARY, TOO_LARGE, TRY_LATER = 1003, 1009, 1013
NOT_UNDERSTOOD, FOREIGN_ORIGIN, JOIN_TIMEOUT, TOO_MANY, TOO_OFTEN = 4400, 4403, 4408, 4409, 4429


class PageSocket(AsyncConsumer):
    """One socket. Its methods run on its loop's thread.

    It never stops reading: frames would pile up in the ASGI server, whose queue we cannot bound. Slow work (a join, a
    user check) runs as a task, one at a time, and frames that must wait for it are held in a bounded backlog.

    Subclasses define handle_frame(), leave() and join_timed_out().
    """

    join_timeout = 10.0  # s that a socket may stay open without a session
    clock: Callable[[], float] = staticmethod(time.monotonic)  # of all limits

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """The ASGI application. There is no channel layer: pushes come through the session's owner."""
        if PROBE in scope:
            scope[PROBE].append(scope)
            return
        self.scope = scope
        self.base_send = send
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(send)
        self._limits = rate_limit.SocketLimits(scope, self.clock)
        self._held = Backlog(MAX_HELD_FRAMES, MAX_HELD_BYTES)
        self._closed = False
        self._mistakes = 0
        self._work: asyncio.Task[None] | None = None
        self._join_timer: asyncio.TimerHandle | None = None
        self.prepare()
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.receive":
                    self._receive(message)
                elif message["type"] == "websocket.connect":
                    await self._connect()
                elif message["type"] == "websocket.disconnect":
                    return
        finally:
            self._finish()
            if self._work is not None:  # lets a join in progress send its LEAVE
                await asyncio.wait((self._work,), timeout=WORK_ENDS_SECONDS)

    def prepare(self) -> None:
        """Sets the subclass's state up, before the first message."""

    def handle_frame(self, text: str) -> None:
        """Handles one frame that is within the limits."""
        raise NotImplementedError

    def leave(self) -> None:
        """The socket is closed: leaves the session."""
        raise NotImplementedError

    def join_timed_out(self) -> None:
        """The join timer expired. The subclass checks whether the socket has a session by now."""
        raise NotImplementedError

    async def _connect(self) -> None:
        if not origin_allowed(self.scope):
            logger.warning("event=foreign_origin origin=%s", quoted(header(self.scope, b"origin")))
            await self._reject(FOREIGN_ORIGIN)
            return
        if not self._limits.admits_socket():
            logger.warning("event=too_many_sockets address=%s", word(self._limits.address))
            await self._reject(TOO_OFTEN)
            return
        await self.base_send({"type": "websocket.accept"})
        self._outbox.open()
        self.await_join()

    async def _reject(self, code: int) -> None:
        self._closed = True
        await self.base_send({"type": "websocket.close", "code": code})

    def _finish(self) -> None:
        """The socket is gone, or the server stops."""
        self._stop()
        self._outbox.end()
        self._limits.close()
        self.cancel_join_timer()

    # To the browser

    def send_text(self, text: str) -> None:
        """Queues a frame; closes the socket if too many wait."""
        if not self._closed and not self._outbox.text(text):
            self.close(TOO_MANY)

    def send_json(self, **frame: Any) -> None:
        """Queues a frame of these members."""
        self.send_text(json.dumps(frame, separators=(",", ":")))

    def close(self, code: int) -> None:
        """Closes the socket after what is queued."""
        if not self._closed:
            self._outbox.close(code)
            self._stop()

    def _stop(self) -> None:
        """Accepts nothing more, and leaves the session."""
        self._closed = True
        self._held.clear()
        self.leave()
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()

    # From the browser

    def _receive(self, message: Message) -> None:
        if self._closed:
            return
        text = message.get("text")
        if not self._limits.admits_frame():
            logger.warning("event=too_many_frames address=%s", word(self._limits.address or "-"))
            self.send_json(t="error", reason="too_many", message="too many frames per second")
            self.close(TOO_OFTEN)
        elif text is None:
            rate_limit.warn_oversized(len(message.get("bytes") or b""), SERVER_MAX_FRAME)
            self.send_json(t="error", reason="binary", message="frames must be JSON text")
            self.close(BINARY)
        elif frames.text_bytes(text) > MAX_BROWSER_FRAME:
            rate_limit.warn_oversized(len(text), SERVER_MAX_FRAME)
            self.send_json(t="error", reason="too_large", message=f"a frame is over {MAX_BROWSER_FRAME} bytes")
            self.close(TOO_LARGE)
        else:
            self.handle_frame(text)

    def hold(self, text: str) -> None:
        """Holds a frame until the work is done; closes the socket if too many are held."""
        if not self._held.put(text):
            self.send_json(t="error", reason="too_many", message="too many frames came during a join or a user check")
            self.close(TOO_MANY)

    def report_mistake(self, error: BadFrame) -> None:
        """Answers a frame that breaks the protocol; closes the socket after several."""
        self._mistakes += 1
        logger.warning("event=bad_frame reason=%s message=%s", word(error.reason), quoted(error))
        self.send_json(t="error", reason=error.reason, message=str(error))
        if self._mistakes >= MAX_MISTAKES:
            self.close(NOT_UNDERSTOOD)

    # Work

    def begin_work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Starts the socket's work. There must be none."""
        self._work = self._loop.create_task(coroutine)
        self._work.add_done_callback(self._work_done)

    def _work_done(self, task: asyncio.Task[None]) -> None:
        """Handles the frames that were held, until one of them begins other work."""
        self._work = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("event=socket_failed reason=%s", quoted(error), exc_info=error)
            self.send_json(t="error", reason="internal", message="an internal error occurred")
            self.close(TRY_LATER)
        while self._held and self._work is None and not self._closed:
            self.handle_frame(self._held.take())

    # A socket without a session

    def await_join(self, delay: float = 0) -> None:
        """Restarts the join timer: the socket is closed unless the page joins within `delay` + join_timeout seconds."""
        self.cancel_join_timer()
        self._join_timer = self._loop.call_later(delay + self.join_timeout, self.join_timed_out)

    def cancel_join_timer(self) -> None:
        """Undoes await_join()."""
        if self._join_timer is not None:
            self._join_timer.cancel()
