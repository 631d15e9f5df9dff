"""Requests of one page that its session's owner has not answered yet."""

import asyncio
from collections.abc import Callable

from .._limits import MAX_UNANSWERED
from .transport.base import Reply

Answered = Callable[[asyncio.Future[Reply]], object]


class InFlight:
    """Counts the requests, and calls back for each reply that somebody still waits for. One event loop's thread."""

    def __init__(self) -> None:
        self._count = 0
        self._generation = 0  # requests of an earlier one were abandoned
        self._futures: set[asyncio.Future[Reply]] = set()

    def reserve(self) -> bool:
        """Counts one more request. False: over MAX_UNANSWERED, which our own client never reaches."""
        self._count += 1
        return self._count <= MAX_UNANSWERED

    def release(self) -> None:
        """Undoes reserve() for a request that was not sent."""
        self._count -= 1

    def add(self, future: asyncio.Future[Reply], answered: Answered) -> None:
        """A request was sent. answered(future): called when it is done, unless it was abandoned."""
        generation = self._generation
        self._futures.add(future)
        future.add_done_callback(lambda done: self._done(done, generation, answered))

    def _done(self, future: asyncio.Future[Reply], generation: int, answered: Answered) -> None:
        self._futures.discard(future)
        if future.cancelled():
            return
        if generation != self._generation:
            future.exception()  # retrieved, so that asyncio does not report it
            return
        self._count -= 1
        answered(future)

    async def wait(self, seconds: float) -> None:
        """Returns when what was sent until now is answered, or when that time is over."""
        if self._futures:
            await asyncio.wait(set(self._futures), timeout=seconds)
            await asyncio.sleep(0)  # the callbacks

    def abandon(self) -> None:
        """Gives up all requests: nobody waits for their replies any more. They are cancelled so that the transport does
        not resend them after a broker restart: the page may have reused an event's number since.
        """
        self._generation += 1
        self._count = 0
        for future in list(self._futures):
            future.cancel()
