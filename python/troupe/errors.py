"""Exceptions: of requests to actors (proto/PROTOCOL.md 7), of page tokens, and the timeout raised in handlers."""

from collections.abc import Sequence
from typing import Any, Protocol

from . import wire
from .logs import quoted, word

_OUTCOMES = {wire.FAILED: "failed", wire.NOT_EXECUTED: "not_executed", wire.UNKNOWN: "unknown"}


MAX_RETRY_MS = 3_600_000
MAX_FRAMES_QUOTED = 8000  # characters of an exception's frames in a log line

Frame = list[Any]  # [file, line, function, source]


class ActorError(Exception):
    """A request that failed. `str(error)` is the message.

    kind: a word of the protocol (`python`, `handler_not_found`, `busy`, `worker_lost`…), or `timeout` (no reply came:
    whether it was executed is not known) or `unreachable` (no broker answers, nothing was sent). outcome: `failed` (it
    ran), `not_executed` (it may be sent again) or `unknown`. type: the name of the exception's class. frames: the
    worker's, outermost first. view_path, event: where it happened. retry_ms: how long to wait before a retry, if the
    other side said so. debug_page: with DEBUG, Django's page for the exception, compressed. again: of a `not_executed`
    event that was sent twice: the outcome of the first is unknown.
    """

    again = False
    effects: dict[str, Any] = {}  # noqa: RUF012  what a failed event does all the same (PROTOCOL.md 5.2)

    def __init__(
        self,
        kind: str,
        message: str,
        outcome: str = "failed",
        type: str | None = None,
        frames: Sequence[Frame] = (),
        view_path: str | None = None,
        event: str | None = None,
        retry_ms: int | None = None,
        debug_page: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.outcome = outcome
        self.type = type
        self.frames = frames
        self.view_path = view_path
        self.event = event
        self.retry_ms = retry_ms
        self.debug_page = debug_page

    def log_fields(self) -> str:
        """Its fields for a log line: kind=… type=… message="…" and, if an exception was raised, frames="…"."""
        fields = [f"kind={word(self.kind)}"]
        if self.type:
            fields.append(f"type={word(self.type)}")
        fields.append(f"message={quoted(self.message)}")
        if self.frames:
            frames = "; ".join(f"{file}:{line} in {function}: {source}" for file, line, function, source in self.frames)
            fields.append(f"frames={quoted(frames, MAX_FRAMES_QUOTED)}")
        return " ".join(fields)

    @property
    def is_reported(self) -> bool:
        """Whether user code raised it, so that the worker has reported it."""
        return self.outcome == "failed" and bool(self.type)

    def frames_text(self) -> str:
        """The frames as in a traceback, outermost first."""
        lines = [f'  File "{file}", line {line}, in {name}\n    {source}' for file, line, name, source in self.frames]
        return "\n".join([f"In the worker ({self.view_path}):", *lines])

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (
            self.kind,
            self.message,
            self.outcome,
            self.type,
            self.frames,
            self.view_path,
            self.event,
            self.retry_ms,
            self.debug_page,
        )
        return self.__class__, fields


class RateLimited(Exception):
    """Raised in place of a handler that takes no more events for now: see rate_limit()."""


class HandlerTimeout(BaseException):
    """Raised in a handler (or mount(), a template…) that runs longer than the soft limit: `--soft-ms` of the worker.

    Not an Exception, so that `except Exception` does not swallow it. It is raised once per turn; code that carries on
    reaches the hard limit, which ends the worker. In an `async def` it follows a cancellation. There the soft limit
    counts what the handler itself computes, and what it awaits may take until all of it took `--await-s`.
    """

    limit: float | None = None  # s; None: there is none
    await_limit: float | None = None  # the same, for all of an `async def`
    hard_limit: float | None = None  # the same; the worker ends

    def __init__(self, seconds: float | None = None) -> None:
        super().__init__()
        self.seconds = seconds or self.limit

    def __str__(self) -> str:
        return f"it took longer than {self.seconds:g} s" if self.seconds else "it took too long"


def set_limits(soft: float, hard: float, awaited: float) -> None:
    """Sets the worker's limits in seconds, for messages and `async def`. 0: none."""
    HandlerTimeout.limit = soft or None
    HandlerTimeout.hard_limit = hard or None
    HandlerTimeout.await_limit = awaited or None


class TokenError(Exception):
    """A page token that cannot be accepted. reason: `forged`, `expired`, `foreign` or `user_unknown`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the page token is {reason}")
        self.reason = reason


def from_fields(fields: wire.Body, outcome: str = "failed") -> ActorError:
    """The ActorError for the body of a failure or refusal. Fields of a wrong type are ignored: they come from another
    process.
    """
    frames = fields.get("frames")
    if not isinstance(frames, list) or not all(map(_is_frame, frames)):
        frames = ()
    retry_ms = fields.get("retry_ms")
    if type(retry_ms) is not int or retry_ms < 0:
        retry_ms = None
    debug_page = fields.get("debug_page")
    named = {name: fields.get(name) for name in ("type", "view_path", "event")}
    error = ActorError(
        str(fields.get("kind") or fields.get("reason") or "internal"),
        str(fields.get("message") or ""),
        outcome,
        frames=frames,
        retry_ms=None if retry_ms is None else min(retry_ms, MAX_RETRY_MS),
        debug_page=debug_page if isinstance(debug_page, bytes) else None,
        **{name: value if isinstance(value, str) else None for name, value in named.items()},
    )
    if isinstance(fields.get("effects"), dict):
        error.effects = fields["effects"]
    return error


def effects_shown(effects: Any) -> dict[str, str]:
    """What of a reply's effects is for the browser: members of a frame."""
    if not isinstance(effects, dict):
        return {}
    return {name: effects[name] for name in ("redirect", "ticket") if isinstance(effects.get(name), str)}


def _is_frame(frame: Any) -> bool:
    return isinstance(frame, list) and [type(part) for part in frame] == [str, int, str, str]


def from_reply(kind: int, body: bytes) -> ActorError:
    """The ActorError for a FAILED, NOT_EXECUTED or UNKNOWN reply."""
    return from_fields(wire.unpack_body(body), _OUTCOMES[kind])


class AnyReply(Protocol):
    """The fields of a reply that expect() reads; transports make them (web/transport/base.py)."""

    @property
    def kind(self) -> int:
        """The message type."""

    @property
    def body(self) -> bytes:
        """The packed body."""


def expect(reply: AnyReply, kind: int) -> wire.Body:
    """The body of a reply of that kind. ActorError: it is of another kind."""
    if reply.kind == kind:
        return wire.unpack_body(reply.body)
    if reply.kind in _OUTCOMES:
        raise from_reply(reply.kind, reply.body)
    raise ActorError("internal", f"a reply of type 0x{reply.kind:02x} came, not 0x{kind:02x}", "unknown")
