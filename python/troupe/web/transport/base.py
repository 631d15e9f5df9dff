"""What a transport does, and what a reply is. A transport takes requests to sessions: over ZeroMQ to a broker
(client.py), or to sessions in this process (inproc.py).

Both have the same methods:

    submit(kind, session, body, flags=0, epoch=0, sequence=0, ttl=0, timeout=None, view=None, subscriber=None)
        A future of the Reply. ActorError(`params`) at once if the body cannot travel. The future ends in a
        Reply or an ActorError (`timeout`, `unreachable`, `busy`). subscriber, in a JOIN: as with `subscribe`, from
        JOINED on, so that nothing that follows it at once is missed.
    send(kind, session, body, epoch=0, lost=None)
        Nobody waits for a reply. lost(error): called if it could not be sent.
    subscribe(session, callback), unsubscribe(session, callback)
        callback(kind, epoch, body) is called with what comes unasked. unsubscribe: False if another one came since.

Requests reach a session in the order in which they were submitted from one loop.
"""

from typing import NamedTuple


class Reply(NamedTuple):
    """A reply's header fields that matter, and its body, still packed. AGAIN in `flags` of a NOT_EXECUTED: the request
    was sent twice, since a connection broke, and what became of the first sending is not known.
    """

    kind: int
    flags: int
    epoch: int
    body: bytes
