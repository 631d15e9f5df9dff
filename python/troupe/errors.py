"""ActorError: what a request to an actor can end in, other than well (proto/PROTOCOL.md 7)."""

from . import wire
from .logs import quoted, word

_OUTCOMES = {wire.FAILED: "failed", wire.NOT_EXECUTED: "not_executed", wire.UNKNOWN: "unknown"}


MAX_RETRY_MS = 3_600_000
MAX_FRAMES_QUOTED = 8000  # characters of an exception's frames in a log line


class ActorError(Exception):
    """A request that did not end in what was asked for. `str(error)` is the message.

    kind: the wire's word (`python`, `handler_not_found`, `busy`, `worker_lost`…), or `timeout` (nothing came:
    whether it was executed is not known) or `unreachable` (no broker answers, nothing was sent). outcome:
    `failed` (it ran), `not_executed` (it may be sent again) or `unknown`. type: the name of the exception's
    class. frames: list of [file, line, function, source], outermost first. view_path, event: where it
    happened. retry_ms: when to come back, if the other side said so. again: of an event that is `not_executed`: it was
    sent twice, and what became of the first sending is not known.
    """

    again = False

    def __init__(
        self, kind, message, outcome="failed", type=None, frames=(), view_path=None, event=None, retry_ms=None
    ):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.outcome = outcome
        self.type = type
        self.frames = frames
        self.view_path = view_path
        self.event = event
        self.retry_ms = retry_ms

    def log_fields(self):
        """What a log line says of it: kind=… type=… message="…" and, of what was raised, frames="…"."""
        fields = [f"kind={word(self.kind)}"]
        if self.type:
            fields.append(f"type={word(self.type)}")
        fields.append(f"message={quoted(self.message)}")
        if self.frames:
            frames = "; ".join(f"{file}:{line} in {function}: {source}" for file, line, function, source in self.frames)
            fields.append(f"frames={quoted(frames, MAX_FRAMES_QUOTED)}")
        return " ".join(fields)

    def frames_text(self):
        """The worker's frames as a traceback shows them, outermost first."""
        lines = [f'  File "{file}", line {line}, in {name}\n    {source}' for file, line, name, source in self.frames]
        return "\n".join([f"In the worker ({self.view_path}):", *lines])

    def __reduce__(self):
        fields = (
            self.kind,
            self.message,
            self.outcome,
            self.type,
            self.frames,
            self.view_path,
            self.event,
            self.retry_ms,
        )
        return type(self), fields


class HandlerTimeout(BaseException):
    """Raised in a handler (or mount, render…) that takes longer than the soft limit: `--soft-ms` of the worker.

    No Exception, so that `except Exception` does not take it for something else. It comes once a turn; what goes on
    after it meets the hard limit, which costs the worker. In an `async def` it follows a cancellation.
    """

    limit = None  # s; None: there is none

    def __str__(self):
        return f"it took longer than {self.limit:g} s" if self.limit else "it took too long"


def set_soft_limit(seconds):
    """What the worker's soft limit is; 0: none."""
    HandlerTimeout.limit = seconds or None


class TokenError(Exception):
    """A page token that is not good. reason: `forged`, `expired` or `foreign`."""

    def __init__(self, reason):
        super().__init__(f"the page token is {reason}")
        self.reason = reason


def from_fields(fields, outcome="failed"):
    """The ActorError that the map of a failure or refusal stands for. What is not of the type that the protocol says is
    left out: it comes from another process.
    """
    frames = fields.get("frames")
    if not isinstance(frames, list) or not all(map(_is_frame, frames)):
        frames = ()
    retry_ms = fields.get("retry_ms")
    if type(retry_ms) is not int or retry_ms < 0:
        retry_ms = None
    named = {name: fields.get(name) for name in ("type", "view_path", "event")}
    return ActorError(
        str(fields.get("kind") or fields.get("reason") or "internal"),
        str(fields.get("message") or ""),
        outcome,
        frames=frames,
        retry_ms=None if retry_ms is None else min(retry_ms, MAX_RETRY_MS),
        **{name: value if isinstance(value, str) else None for name, value in named.items()},
    )


def _is_frame(frame):
    return isinstance(frame, list) and [type(part) for part in frame] == [str, int, str, str]


def from_reply(kind, body):
    """The ActorError that a FAILED, NOT_EXECUTED or UNKNOWN reply stands for. body: its bytes."""
    return from_fields(wire.unpack_body(body), _OUTCOMES[kind])


def expect(reply, kind):
    """The body of a reply of that type, as a map; another is raised as the ActorError that it stands for."""
    if reply.kind == kind:
        return wire.unpack_body(reply.body)
    if reply.kind in _OUTCOMES:
        raise from_reply(reply.kind, reply.body)
    raise ActorError("internal", f"a reply of type 0x{reply.kind:02x} came, not 0x{kind:02x}", "unknown")
