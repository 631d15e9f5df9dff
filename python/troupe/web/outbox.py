"""What goes to one socket: written in order by one task, so that nobody waits for a client that reads slowly, and
bounded in messages and in memory, so that one that does not read at all costs little.
"""

import asyncio
import logging
import sys
from collections import deque

from .._limits import MAX_UNSENT_BYTES, MAX_UNSENT_MESSAGES
from ..logs import quoted

logger = logging.getLogger("troupe")


class Outbox:
    """`send` is ASGI's. After a close message nothing more is taken. Belongs to its loop's thread."""

    def __init__(self, send):
        self._send = send
        self._waiting = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._writer = None
        self.closed = False

    def open(self):
        """Begin to write: the handshake is over."""
        self._writer = asyncio.get_running_loop().create_task(self._write())

    def end(self):
        """The socket is gone: drop what waits."""
        self.closed = True
        self._clear()
        if self._writer is not None:
            self._writer.cancel()

    def text(self, text):
        """Send a frame. False: too much waits already; all of it is dropped, and the socket is to be closed."""
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

    def close(self, code):
        """Close the socket, after what waits."""
        if not self.closed:
            self._put({"type": "websocket.close", "code": code}, 0)
            self.closed = True

    def _put(self, message, size):
        self._waiting.append((message, size))
        self._bytes += size
        self._ready.set()

    def _clear(self):
        self._waiting.clear()
        self._bytes = 0

    async def _write(self):
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
        except Exception as error:  # each server has its own way to say that the peer is gone
            logger.info("event=socket_gone reason=%s", quoted(repr(error)))
            self.closed = True
            self._clear()


class Backlog:
    """Frames that came while something was done for their socket, in order, within a small bound."""

    def __init__(self, max_frames, max_bytes):
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames = deque()
        self._bytes = 0

    def __len__(self):
        return len(self._frames)

    def put(self, text):
        """Whether there was room for it."""
        size = sys.getsizeof(text)
        if len(self._frames) >= self._max_frames or self._bytes + size > self._max_bytes:
            return False
        self._frames.append(text)
        self._bytes += size
        return True

    def take(self):
        """The oldest frame."""
        text = self._frames.popleft()
        self._bytes -= sys.getsizeof(text)
        return text

    def clear(self):
        """Drop all."""
        self._frames.clear()
        self._bytes = 0
