"""A page's join (proto/PROTOCOL.md 9.2, 5.1): from the tokens of its views to the entries of `joined`."""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings

from .. import conf, wire
from .._limits import MAX_VIEWS
from ..errors import ActorError, from_fields, from_reply
from ..logs import word
from ..wire import RequestMap
from . import page_token, request_facts
from .frames import AskedView, BadFrame
from .page_token import Token
from .request_facts import Login, Scope
from .transport.base import Push, Reply, Transport

logger = logging.getLogger("troupe")

MAX_PLACES = 4 * MAX_VIEWS
UNSEEN = 0  # a version that no view has: the answer then has the whole root
REPLY_TIMEOUT = 15.0  # s; less than the browser waits

Place = tuple[bytes, bytes]  # (session, view)


def read(scope: Scope, asked: tuple[AskedView, ...], fresh: bool) -> tuple[list[Token], RequestMap, Login]:
    """(tokens, request map, who shows them) of a join. May use the ORM. TokenError; BadFrame: the tokens do not belong
    together.
    """
    login = request_facts.login_of_scope(scope, fresh)
    tokens = [page_token.read(view.token, login, view.renewal) for view in asked]
    if len({token["session"] for token in tokens}) > 1 or len({token["view"] for token in tokens}) < len(tokens):
        raise BadFrame("tokens", "the tokens of a page must name one session, and each a view of its own")
    for token, view in zip(tokens, asked, strict=True):
        if view.version is not None:
            token["version"] = view.version
    return tokens, request_facts.of_scope(scope, login, tokens[0]), login


class Places:
    """Where the joins of one socket led. A page that joins again with the tokens that it had means the session that
    this socket has now: it has not seen the answer yet, or lost it. Its tokens were spent by this very socket, and the
    newest generation counts in place of theirs.
    """

    def __init__(self) -> None:
        self._session = b""
        self._generation = 0
        self._sessions: set[bytes] = set()  # of the tokens that led to it
        self._views: dict[Place, bytes] = {}  # a token's place → its view in the session

    def follow(self, tokens: list[Token]) -> tuple[bytes, int]:
        """(session, generation) to join with these tokens. Changes them to what they stand for now."""
        session, generation = tokens[0]["session"], min(token["generation"] for token in tokens)
        if session not in self._sessions:
            return session, generation
        for token in tokens:
            view = self._views.get((session, token["view"]), token["view"])
            if (session, token["view"]) != (self._session, view):
                token["session"], token["view"], token["version"] = self._session, view, UNSEEN
        return self._session, max(generation, self._generation) if session == self._session else self._generation

    def joined(self, places: list[Place], session: bytes, generation: int, views: list[bytes]) -> None:
        """A join succeeded. places: those of its tokens, as the page has them. views: what they are now, in the same
        order.
        """
        if not self._sessions.intersection(origin for origin, _ in places) or len(self._views) > MAX_PLACES:
            self._sessions, self._views = set(), {}
        self._session, self._generation = session, generation
        self._sessions.update([session, *(origin for origin, _ in places)])
        self._views.update(zip(places, views, strict=True))
        self._views.update(((session, view), view) for view in views)


async def request_join(
    transport: Transport,
    session: bytes,
    generation: int,
    tokens: list[Token],
    facts: RequestMap,
    subscriber: Push,
    clock: Callable[[], float],
) -> Reply:
    """Sends JOIN and returns the reply. While the owner is busy, tries again for as long as a page waits for its view:
    a refusal would cost both sides a new socket. ActorError.
    """
    views = [{key: token[key] for key in ("view", "version", "path", "params", "init", "url")} for token in tokens]
    body = {"generation": generation, "views": views, "request": facts, "identity": tokens[0]["identity"]}
    deadline = clock() + conf.get("MOUNT_TIMEOUT")
    while True:
        options: dict[str, Any] = {"flags": wire.BROWSER, "subscriber": subscriber, "timeout": REPLY_TIMEOUT}
        future = transport.submit(wire.JOIN, session, body, **options)
        reply = await _join_reply(transport, session, subscriber, future)
        pause = _busy_for(reply)
        if pause is None or clock() + pause >= deadline:
            return reply
        await asyncio.sleep(pause)


async def _join_reply(
    transport: Transport, session: bytes, subscriber: Push, future: asyncio.Future[Reply]
) -> Reply:
    """Awaits the reply. If nobody waits for it any more, sends LEAVE: the page's next join must not meet this one."""
    try:
        return await future
    except (ActorError, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) or error.kind == "timeout":
            transport.unsubscribe(session, subscriber)
            transport.send(wire.LEAVE, session, {})
        raise


def _busy_for(reply: Reply) -> float | None:
    """For how many seconds the other side asks, if it has no room now."""
    error = from_reply(reply.kind, reply.body) if reply.kind == wire.NOT_EXECUTED else None
    return error.retry_ms / 1000 if error and error.kind == "busy" and error.retry_ms else None


def new_session() -> bytes:
    """The id of a session that replaces a spent one."""
    return secrets.token_bytes(16)


def is_spent(reply: Reply) -> bool:
    """Whether another socket joined with this generation."""
    return reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "spent"


def joined_view(token: Token, view: dict[str, Any], same: bool) -> dict[str, Any]:
    """A view's entry in `joined`. view: its entry in JOINED. same: the page's token is of this session and view, and
    only needs to be renewed.
    """
    entry: dict[str, Any] = {"v": token["view"].hex(), "s": token["version"]}
    if same:
        entry["g"] = page_token.renew(token)
    else:
        entry["token"] = page_token.sign(token)
    for short, name in (("i", "number"), ("k", "chunks")):
        if view.get(name) is not None:
            entry[short] = view[name]
    if view.get("html") is not None:
        entry["html"] = view["html"].decode()
    if view.get("title") is not None:
        entry["T"] = json.loads(view["title"])
    if view.get("error"):
        error = from_fields(view["error"])
        logger.warning("event=view_not_joined view=%s %s", word(token["path"]), error.log_fields())
        entry["error"] = shown(error, "This part of the page could not be shown.")
    return entry


def shown(error: ActorError, plain: str) -> dict[str, Any]:
    """What a browser may know of an error: with DEBUG everything, otherwise its kind and the sentence `plain`."""
    if not settings.DEBUG:
        return {"kind": error.kind, "message": plain}
    return {
        "kind": error.kind,
        "message": error.message,
        "type": error.type or error.kind,  # the client shows it before the message
        "frames": [list(frame) for frame in error.frames],
    }
