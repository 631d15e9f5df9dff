"""Requests that were submitted to the broker and have no reply yet."""

import asyncio

from ...errors import ActorError
from .base import Push, Reply

Key = tuple[bytes, int]  # session, sequence


class Pending:
    """A request without a reply. timeout: how long it waits for one, or for the news that it is being worked on.
    deadline: when that is over, by the client's clock. data: its packed body.
    """

    __slots__ = (
        "key",
        "future",
        "kind",
        "flags",
        "epoch",
        "timeout",
        "deadline",
        "ttl",
        "data",
        "subscriber",
        "shared",
        "again",
    )

    def __init__(
        self,
        key: Key,
        future: asyncio.Future[Reply],
        kind: int,
        flags: int,
        epoch: int,
        timeout: float,
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
        self.timeout = timeout
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


class PendingTable(dict[Key, Pending]):
    """The newest pending request of each number, in the order in which numbers were added."""

    def add(self, pending: Pending) -> None:
        """Adds a request; one of the same number stays pending behind it."""
        pending.shared = self.get(pending.key)
        self[pending.key] = pending

    def extend(self, key: Key, now: float) -> None:
        """The request of that number is being worked on, or waits for one that is: it has its time anew."""
        pending = self.get(key)
        if pending is not None:
            pending.deadline = max(pending.deadline, now + pending.timeout)

    def expired(self, now: float) -> list[Key]:
        """The numbers whose newest request is over its deadline."""
        return [key for key, pending in self.items() if pending.deadline <= now]

    def unlink(self, pending: Pending) -> None:
        """Removes one request; others of its number stay pending."""
        earlier, pending.shared = pending.shared, None
        newest = self.get(pending.key)
        if newest is not pending:
            while newest is not None and newest.shared is not pending:
                newest = newest.shared
            if newest is not None:
                newest.shared = earlier
        elif earlier is not None:
            self[pending.key] = earlier
        else:
            del self[pending.key]
