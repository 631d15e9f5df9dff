"""The Transport protocol, and its replies. A transport delivers requests to sessions: through a broker over ZeroMQ
(client.py), or in this process (inproc.py).
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ...errors import ActorError
from ...wire import Body

# push(kind, epoch, body): called with what arrives for a session without having been asked for (PUSH, ENDED).
Push = Callable[[int, int, bytes], object]


class Reply(NamedTuple):
    """The fields of a reply's header that matter, and its body, still packed. AGAIN in `flags` of a NOT_EXECUTED: the
    request was sent twice, because a connection broke, and what became of the first sending is unknown.
    """

    kind: int
    flags: int
    epoch: int
    body: bytes


class Transport(Protocol):
    """All methods belong to one event loop's thread, and none of them blocks. Requests reach a session in the order in
    which they were submitted from one loop.
    """

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
        """Sends a request. The future ends in a Reply, or in an ActorError (`timeout`, `unreachable`, `busy`).

        ActorError(params), raised at once: the body cannot be encoded.

        session: 16 bytes. sequence: an event's number; 0: the transport numbers the request. ttl: ms. timeout: seconds.
        view, in a MOUNT over inproc://: an instance to use as it is. subscriber, in a JOIN: as subscribe(), from JOINED
        on, so that nothing that follows it is missed.
        """

    def send(
        self,
        kind: int,
        session: bytes,
        body: Body,
        epoch: int = 0,
        lost: Callable[[ActorError], object] | None = None,
    ) -> None:
        """Sends a request and ignores its reply. lost(error): called if it could not be sent."""

    def subscribe(self, session: bytes, push: Push) -> None:
        """Calls `push` with what arrives for this session. Replaces an earlier subscriber."""

    def unsubscribe(self, session: bytes, push: Push) -> bool:
        """Undoes subscribe(). False: another subscriber replaced this one."""
