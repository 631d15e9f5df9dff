"""A FIFO lock for coroutines of any event loops and threads of one process."""

import asyncio
import threading
from collections import deque


class FifoLock:
    """`async with lock:` - first come, first served. A waiter whose loop was closed is passed over. Any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def held(self) -> bool:
        """Whether the lock is taken."""
        return self._held

    async def __aenter__(self) -> "FifoLock":
        loop = asyncio.get_running_loop()
        with self._guard:
            if not self._held:
                self._held = True
                return self
            future: asyncio.Future[None] = loop.create_future()
            self._waiters.append(future)
        try:
            await future
        except asyncio.CancelledError:
            self._give_up(future)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _give_up(self, future: asyncio.Future[None]) -> None:
        """The waiter was cancelled: perhaps just after the lock was handed to it."""
        with self._guard:
            if future in self._waiters:
                self._waiters.remove(future)
                return
        self._release()

    def _release(self) -> None:
        with self._guard:
            while self._waiters:
                future = self._waiters.popleft()
                try:
                    future.get_loop().call_soon_threadsafe(_wake, future)
                except RuntimeError:  # that loop is closed
                    continue
                return
            self._held = False


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
