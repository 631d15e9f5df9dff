"""Queues of one socket: frames to the browser, and frames from it that cannot be handled yet.

Both are bounded in messages and in memory, so that a client that does not read, or sends too much, costs little.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from .._limits import MAX_UNSENT_BYTES, MAX_UNSENT_MESSAGES
from ..logs import quoted

logger = logging.getLogger("troupe")

Message = dict[str, Any]  # of ASGI
Send = Callable[[Message], Awaitable[None]]


class Outbox:
    """Frames to the browser, written in order by one task: nobody waits for a client that reads slowly.

    send: ASGI's. Belongs to its loop's thread.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self.closed = False  # nothing more is accepted

    def open(self) -> None:
        """Starts to write. The handshake must be over."""
        self._writer = asyncio.get_running_loop().create_task(self._write())

    def end(self) -> None:
        """The socket is gone: drops what waits."""
        self.closed = True
        self._clear()
        if self._writer is not None:
            self._writer.cancel()

    def text(self, text: str) -> bool:
        """Queues a frame. False: too much waits already; all of it is dropped, and the caller must close the socket."""
        if self.closed:
            return True
        size = sys.getsizeof(text)
        # A single message may have more than MAX_UNSENT_BYTES, where nothing else waits.
        if self._waiting and (len(self._waiting) >= MAX_UNSENT_MESSAGES or self._bytes + size > MAX_UNSENT_BYTES):
            logger.warning("event=socket_too_slow messages=%d bytes=%d", len(self._waiting), self._bytes + size)
            self._clear()
            return False
        self._put({"type": "websocket.send", "text": text}, size)
        return True

    def close(self, code: int) -> None:
        """Closes the socket after what waits."""
        if not self.closed:
            self._put({"type": "websocket.close", "code": code}, 0)
            self.closed = True

    def _put(self, message: Message, size: int) -> None:
        self._waiting.append((message, size))
        self._bytes += size
        self._ready.set()

    def _clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    async def _write(self) -> None:
        try:
            while True:
                while self._waiting:
                    message, size = self._waiting.popleft()
                    self._bytes -= size
                    await self._send(message)
                    if message["type"] == "websocket.close":
                        return
                self._ready.clear()
                await self._ready.wait()
        except Exception as error:  # each server raises something else when the peer is gone
            logger.info("event=socket_gone reason=%s", quoted(repr(error)))
            self.closed = True
            self._clear()


class Backlog:
    """Frames from the browser, in order, that arrived while their socket was busy."""

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[str] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, text: str) -> bool:
        """Adds a frame. False: there is no room for it."""
        size = sys.getsizeof(text)
        if len(self._frames) >= self._max_frames or self._bytes + size > self._max_bytes:
            return False
        self._frames.append(text)
        self._bytes += size
        return True

    def take(self) -> str:
        """Removes and returns the oldest frame."""
        text = self._frames.popleft()
        self._bytes -= sys.getsizeof(text)
        return text

    def clear(self) -> None:
        """Drops all frames."""
        self._frames.clear()
        self._bytes = 0
