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
from ..errors import ActorError, TokenError, effects_shown, from_fields, from_reply
from ..logs import word
from ..wire import RequestMap
from . import debug_page, middleware_user, page_token, request_facts
from .frames import AskedView, BadFrame
from .page_token import Token
from .request_facts import Login, Scope
from .transport.base import Push, Reply, Transport

logger = logging.getLogger("troupe")

MAX_VIEWS_RECORDED = 4 * MAX_VIEWS
UNSEEN = 0  # no view has this version, so the reply contains the whole root
REPLY_TIMEOUT = 15.0  # s; less than the browser waits

# What the browser tells the user in place of "That went wrong.": it shows what comes with frames, if only none.
_TOLD: dict[str, dict[str, Any]] = {
    "forbidden": {"type": "Not allowed", "message": "you do not have the permission for that.", "frames": []},
    "not_found": {"type": "Not found", "message": "that does not exist any more.", "frames": []},
    "rate_limited": {"type": "Too often", "message": "please wait a moment.", "frames": []},
}

ViewKey = tuple[bytes, bytes]  # (session, view)


def read(scope: Scope, asked: tuple[AskedView, ...], fresh: bool) -> tuple[list[Token], RequestMap, Login]:
    """(tokens, request map, login) of a join. May use the ORM. fresh: see request_facts.login_of_scope().

    TokenError: a token is not valid, or the user cannot be known. BadFrame: the tokens do not belong to one page.
    """
    tokens = [page_token.load(view.token, view.renewal) for view in asked]
    login = _login(scope, tokens[0], fresh)
    for token in tokens:
        page_token.check_login(token, login)
    if len({token["session"] for token in tokens}) > 1 or len({token["view"] for token in tokens}) < len(tokens):
        raise BadFrame("tokens", "the tokens of a page must name one session, and each a view of its own")
    for token, view in zip(tokens, asked, strict=True):
        if view.version is not None:
            token["version"] = view.version
    return tokens, request_facts.of_scope(scope, login, tokens[0]), login


def _login(scope: Scope, token: Token, fresh: bool) -> Login:
    """Who is logged in on the socket: by the Django session, or by the project's middleware, as on the page."""
    if fresh:
        middleware_user.forget(scope)
    login = request_facts.login_of_scope(scope, fresh)
    try:
        if token.get("by_middleware") and login["user"] != token["user"]:
            login = middleware_user.login(scope, token["url"], token["user"])
        else:
            middleware_user.check_remote_user(scope, login)
    except middleware_user.UserUnknown as error:
        middleware_user.log_unknown(error, token["url"], token["path"])
        raise
    return login


class JoinHistory:
    """The session and views to which the tokens of one socket have led so far.

    A page that has not seen the reply to a join repeats it with its old tokens. This very socket has spent them, so
    they are mapped to the session that the socket has now, and its newest generation is used instead of theirs.
    """

    def __init__(self) -> None:
        self._session = b""
        self._generation = 0
        self._sessions: set[bytes] = set()  # in tokens that led to it
        self._views: dict[ViewKey, bytes] = {}  # a token's (session, view) → its view in the current session

    def resolve(self, tokens: list[Token]) -> tuple[bytes, int]:
        """(session, generation) to join with these tokens. Rewrites tokens of this socket to the current session."""
        session, generation = tokens[0]["session"], min(token["generation"] for token in tokens)
        if session not in self._sessions:
            return session, generation
        for token in tokens:
            view = self._views.get((session, token["view"]), token["view"])
            if (session, token["view"]) != (self._session, view):
                token["session"], token["view"], token["version"] = self._session, view, UNSEEN
        return self._session, max(generation, self._generation) if session == self._session else self._generation

    def record(self, keys: list[ViewKey], session: bytes, generation: int, views: list[bytes]) -> None:
        """Records a successful join. keys: of the page's tokens before it. views: the views they led to, in the same
        order.
        """
        if not self._sessions.intersection(origin for origin, _ in keys) or len(self._views) > MAX_VIEWS_RECORDED:
            self._sessions, self._views = set(), {}
        self._session, self._generation = session, generation
        self._sessions.update([session, *(origin for origin, _ in keys)])
        self._views.update(zip(keys, views, strict=True))
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
    """Sends JOIN and returns the reply. ActorError: no reply, or the broker is unreachable.

    Retries while the owner is busy, for up to TROUPE["MOUNT_TIMEOUT"]: refusing the join would cost a new socket.
    """
    views = [{key: token[key] for key in ("view", "version", "path", "params", "init", "url")} for token in tokens]
    owner = wire.owner_of(tokens[0]["identity"], tokens[0]["user"])
    body = {"generation": generation, "views": views, "request": facts, "identity": owner}
    deadline = clock() + conf.get("MOUNT_TIMEOUT")
    while True:
        options: dict[str, Any] = {"flags": wire.BROWSER, "subscriber": subscriber, "timeout": REPLY_TIMEOUT}
        future = transport.submit(wire.JOIN, session, body, **options)
        reply = await _join_reply(transport, session, subscriber, future)
        pause = _busy_for(reply)
        if pause is None or clock() + pause >= deadline:
            return reply
        await asyncio.sleep(pause)


async def _join_reply(transport: Transport, session: bytes, subscriber: Push, future: asyncio.Future[Reply]) -> Reply:
    """Awaits the reply. After a timeout or cancellation sends LEAVE, which undoes a join that succeeds late."""
    try:
        return await future
    except (ActorError, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) or error.kind == "timeout":
            transport.unsubscribe(session, subscriber)
            transport.send(wire.LEAVE, session, {})
        raise


def _busy_for(reply: Reply) -> float | None:
    """Seconds to wait before retrying, if the reply says `busy`. None: do not retry."""
    error = from_reply(reply.kind, reply.body) if reply.kind == wire.NOT_EXECUTED else None
    return error.retry_ms / 1000 if error and error.kind == "busy" and error.retry_ms else None


def new_session() -> bytes:
    """The id of a session that replaces a spent one."""
    return secrets.token_bytes(16)


def is_spent(reply: Reply) -> bool:
    """Whether another socket joined with this generation."""
    return reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "spent"


def refused_view(tokens: list[Token], views: list[dict[str, Any]]) -> int | None:
    """The index of a view without which the page has to be loaded again: one that may not be had, where it is the page
    itself, or one that shows what does not exist any more. None: there is none, or the browser is sent elsewhere.
    """
    for index, (token, view) in enumerate(zip(tokens, views, strict=True)):
        error = from_fields(view["error"]) if view.get("error") else None
        if error is not None and not effects_shown(error.effects):
            if is_gone(error) or error.kind == "not_found" or (error.kind == "forbidden" and token.get("route")):
                return index
    return None


def is_gone(error: ActorError) -> bool:
    """Whether what the page shows does not exist any more."""
    return isinstance(error.effects, dict) and error.effects.get("gone") is True


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
    if view.get("anew"):
        entry["anew"] = True
    if view.get("html") is not None:
        entry["html"] = view["html"].decode()
    if view.get("title") is not None:
        entry["T"] = json.loads(view["title"])
    if view.get("error"):
        error = from_fields(view["error"])
        logger.warning(
            "event=view_not_joined view=%s %s session=%s",
            word(token["path"]),
            error.log_fields(),
            token["session"].hex(),
        )
        entry["error"] = shown(error, "This part of the page could not be shown.")
        entry.update(effects_shown(error.effects))
    entry.update(effects_shown(view.get("effects")))
    return entry


def shown(error: ActorError, plain: str) -> dict[str, Any]:
    """What a browser may know of an error: with DEBUG everything, otherwise its kind and the sentence `plain`."""
    if not settings.DEBUG:
        return {"kind": error.kind, "message": plain, **_TOLD.get(error.kind, {})}
    told = {
        "kind": error.kind,
        "message": error.message,
        "type": error.type or error.kind,  # the client shows it before the message
        "frames": [list(frame) for frame in error.frames],
    }
    page = debug_page.read(error)
    return told if page is None else {**told, "page": page}


def reload_message(error: TokenError) -> dict[str, str]:
    """The member `message` of a `reload` frame, for a page that loading again would not help."""
    if not isinstance(error, middleware_user.UserUnknown):
        return {}
    text = str(error) if settings.DEBUG else "the server cannot tell who you are"
    return {"message": f"This page has no live connection: {text}."}
