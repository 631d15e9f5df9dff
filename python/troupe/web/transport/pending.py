"""Requests that were submitted to the broker and have no reply yet."""

import asyncio
from collections.abc import Iterator

from ...errors import ActorError
from .base import Push, Reply

Key = tuple[bytes, int]  # session, sequence


class Pending:
    """A request without a reply. deadline: by the client's clock. data: its packed body."""

    __slots__ = ("key", "future", "kind", "flags", "epoch", "deadline", "ttl", "data", "subscriber", "shared", "again")

    def __init__(
        self,
        key: Key,
        future: asyncio.Future[Reply],
        kind: int,
        flags: int,
        epoch: int,
        deadline: float,
        ttl: int,
        data: bytes,
        subscriber: Push | None,
    ) -> None:
        self.key = key
        self.future = future
        self.kind = kind
        self.flags = flags
        self.epoch = epoch
        self.deadline = deadline
        self.ttl = ttl
        self.data = data
        self.subscriber = subscriber
        self.shared: Pending | None = None  # an earlier request of the same number, answered by the same reply
        self.again = False  # sent over a connection that broke since: what became of that sending is unknown

    def answer(self, reply: Reply | ActorError) -> None:
        """Gives the reply, or an exception, to everybody who still waits."""
        pending: Pending | None = self
        while pending is not None:
            if not pending.future.done():
                if isinstance(reply, ActorError):
                    pending.future.set_exception(reply)
                else:
                    pending.future.set_result(reply)
            pending = pending.shared


class PendingTable:
    """The pending requests by session and sequence, in the order in which they were added."""

    def __init__(self) -> None:
        self._newest: dict[Key, Pending] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def __iter__(self) -> Iterator[Pending]:
        """The newest request of each number."""
        return iter(self._newest.values())

    def add(self, pending: Pending) -> None:
        """Adds a request; one of the same number stays pending behind it."""
        pending.shared = self._newest.get(pending.key)
        self._newest[pending.key] = pending

    def get(self, key: Key) -> Pending | None:
        """The newest request of that number."""
        return self._newest.get(key)

    def pop(self, key: Key) -> Pending | None:
        """Removes all requests of that number, and returns the newest."""
        return self._newest.pop(key, None)

    def expired(self, now: float) -> list[Key]:
        """The numbers whose newest request is over its deadline."""
        return [key for key, pending in self._newest.items() if pending.deadline <= now]

    def unlink(self, pending: Pending) -> None:
        """Removes one request; others of its number stay pending."""
        earlier, pending.shared = pending.shared, None
        newest = self._newest.get(pending.key)
        if newest is not pending:
            while newest is not None and newest.shared is not pending:
                newest = newest.shared
            if newest is not None:
                newest.shared = earlier
        elif earlier is not None:
            self._newest[pending.key] = earlier
        else:
            del self._newest[pending.key]
