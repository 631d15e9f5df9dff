"""The WebSocket consumer: between a browser's JSON and the session's owner (proto/PROTOCOL.md 9).

Thin: it reads what a frame asks for, forwards it, and passes the worker's frames on unread. Replies are sent
in the order in which they come, by one writer, so that reading never waits for them.
"""

import asyncio
import json
import logging
import secrets
import time
from collections import deque

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.conf import settings

from . import blame, conf, limits, request, token, transport, wire
from .errors import ActorError, TokenError, expect, from_reply
from .origins import header, origin_allowed

logger = logging.getLogger("troupe")

MAX_TEXT = 64 << 10
MAX_UNANSWERED = 32
MAX_MISTAKES = 5
MAX_OUTGOING = 1000
MAX_CHUNKS = 256  # that a page may ask for at once
MAX_HASH = 16
JOIN_TIMEOUT_SECONDS = 15.0  # less than the browser waits
PARAMS_DEPTH = wire.MAX_DEPTH - 2  # the body is one map, and params another

NOT_UNDERSTOOD, FOREIGN_ORIGIN, JOIN_TIMEOUT, TOO_MANY, TOO_OFTEN = 4400, 4403, 4408, 4409, 4429
BINARY, TOO_LARGE, TRY_LATER = 1003, 1009, 1013

_LOST = {"unknown_session", "stale", "quarantined"}


class Gone(Exception):
    """The page went while something was done for it."""


class BadFrame(Exception):
    """A browser's frame that is not of the protocol. `reason` is a word, `str` a sentence."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


class LiveViewConsumer(AsyncConsumer):
    """One page's socket. `as_asgi()` gives the application for a URLRouter (see routing.py).

    The Origin must be one of ALLOWED_HOSTS or TROUPE["ORIGINS"]; where ALLOWED_HOSTS is "*", it must be the
    request's own host. A handshake without Origin is refused, except with DEBUG: browsers always send one.
    """

    join_timeout = 10.0  # s
    clock = staticmethod(time.monotonic)  # what limits are counted by

    async def __call__(self, scope, receive, send):
        """The ASGI application. No channel layer: what is pushed comes through the session's owner."""
        self.scope = scope
        self.base_send = send
        self._loop = asyncio.get_running_loop()
        self._out = deque()
        self._out_ready = asyncio.Event()
        self._closed = False
        self._unanswered = 0
        self._mistakes = 0
        self._joins = 0
        self._transport = None
        self._inflow = limits.Inflow(scope, self.clock)
        self._session = None  # 16 bytes while joined
        self._from_socket = receive
        self._coming = None  # the socket's next message, where somebody waits for it already
        self._epoch = 0
        self._early = None  # while joining: what came unasked, for after `joined`
        self._tokens = {}  # view's hex → contents of its token
        self._numbers = {}  # view's hex → what patches call it
        self._signed_at = 0.0
        self._writer = self._join_timer = None
        try:
            while True:
                coming, self._coming = self._coming, None
                message = await (coming or receive())
                if message["type"] == "websocket.receive":
                    await self._receive(message)
                elif message["type"] == "websocket.connect":
                    await self._connect()
                elif message["type"] == "websocket.disconnect":
                    return
        finally:
            self._finish()

    async def _connect(self):
        if not origin_allowed(self.scope):
            logger.warning('event=foreign_origin origin="%s"', header(self.scope, b"origin"))
            self._closed = True
            await self.base_send({"type": "websocket.close", "code": FOREIGN_ORIGIN})
            return
        if not self._inflow.admits_socket():
            logger.warning("event=too_many_sockets address=%s", self._inflow.address)
            self._closed = True
            await self.base_send({"type": "websocket.close", "code": TOO_OFTEN})
            return
        await self.base_send({"type": "websocket.accept"})
        self._writer = self._loop.create_task(self._write())
        self._join_timer = self._loop.call_later(self.join_timeout, self._close, JOIN_TIMEOUT)

    def _finish(self):
        """The socket is gone, or the server stops."""
        self._closed = True
        self._leave()
        for task in (self._writer, self._join_timer, self._coming):
            if task is not None:
                task.cancel()

    # What goes to the browser.

    async def _write(self):
        try:
            while True:
                while self._out:
                    message = self._out.popleft()
                    await self.base_send(message)
                    if message["type"] == "websocket.close":
                        return
                self._out_ready.clear()
                await self._out_ready.wait()
        except (OSError, RuntimeError) as error:  # the server's way to say that the peer is gone
            logger.info('event=socket_gone reason="%s"', error)
            self._closed = True

    def _put(self, message):
        if self._closed:
            return
        if len(self._out) >= MAX_OUTGOING:
            self._out.clear()
            message = {"type": "websocket.close", "code": TOO_MANY}
            self._closed = True
        self._out.append(message)
        self._out_ready.set()

    def _text(self, text):
        self._put({"type": "websocket.send", "text": text})

    def _json(self, **frame):
        self._text(json.dumps(frame, separators=(",", ":")))

    def _close(self, code):
        self._put({"type": "websocket.close", "code": code})
        self._closed = True
        self._leave()

    # What comes from the browser.

    async def _receive(self, message):
        if self._closed:
            return
        if not self._inflow.admits_frame():
            logger.warning("event=too_many_frames address=%s", self._inflow.address or "-")
            self._json(t="error", reason="too_many", message="frames come faster than any page sends them")
            return self._close(TOO_OFTEN)
        text = message.get("text")
        if text is None:
            self._json(t="error", reason="binary", message="frames are JSON text")
            return self._close(BINARY)
        if len(text) > MAX_TEXT or len(text) * 4 > MAX_TEXT and len(text.encode("utf-8", "replace")) > MAX_TEXT:
            self._json(t="error", reason="too_large", message=f"a frame is over {MAX_TEXT} bytes")
            return self._close(TOO_LARGE)
        try:
            frame = _parse(text)
            kind = frame.get("t")
            if kind == "event":
                self._event(frame)
            elif kind == "join":
                await self._join(frame)
            else:
                self._other(kind, frame)
        except BadFrame as error:
            self._mistake(error)

    def _mistake(self, error):
        self._mistakes += 1
        logger.warning('event=bad_frame reason=%s message="%s"', error.reason, error)
        self._json(t="error", reason=error.reason, message=str(error))
        if self._mistakes >= MAX_MISTAKES:
            self._close(NOT_UNDERSTOOD)

    def _other(self, kind, frame):
        if not self._joins:
            raise BadFrame("not_joined", "the first frame must be a join")
        if kind == "ping":
            self._json(t="pong")
            if self._session and time.time() - self._signed_at > conf.get("TOKEN_MAX_AGE") / 4:
                self._renew()
        elif kind == "ack":
            self._ack(_view(frame), _number(frame, "s"))
        elif kind == "refresh":
            self._refresh(_view(frame), _wish(frame))
        else:
            raise BadFrame("type", "there is no such frame")

    def _event(self, frame):
        if not self._joins:
            raise BadFrame("not_joined", "the first frame must be a join")
        number = _number(frame, "n")
        name, view = frame.get("e"), frame.get("v")
        params = frame.get("p", {})
        if number < 1 or type(name) is not str or type(params) is not dict:
            raise BadFrame("malformed", "an event has n from 1, e a text and p an object")
        body = {"view": _view(frame), "name": name, "params": params}
        if self._session is None:
            return self._refuse(number, "unknown_session", "the page is not joined")
        refusal = self._inflow.refusal(number)
        if refusal:
            return self._refuse(number, *refusal)
        if not self._take_place():
            return
        if not wire.depth_within(params, PARAMS_DEPTH) or len(name.encode("utf-8", "replace")) > wire.MAX_EVENT_NAME:
            return self._refuse_own(number, "the event's name is too long, or its parameters nest too deep")
        try:
            flags = wire.BROWSER | (wire.AGAIN if frame.get("r") is True else 0)
            options = {"flags": flags, "epoch": self._epoch, "sequence": number}
            future = self._transport.submit(wire.EVENT, self._session, body, **options)
        except ActorError as error:
            if error.kind == "params":
                return self._refuse_own(number, str(error))
            self._unanswered -= 1
            return self._answer_error(number, view, name, error)
        joins = self._joins
        future.add_done_callback(lambda done: self._event_over(joins, number, view, name, done))

    def _refresh(self, view, wish):
        if self._session is None or not self._take_place():
            return
        name = view.hex()
        try:
            options = {"flags": wire.BROWSER, "epoch": self._epoch}
            future = self._transport.submit(wire.REFRESH, self._session, {"view": view, **wish}, **options)
        except ActorError as error:
            self._unanswered -= 1
            return self._answer_error(0, name, "refresh", error)
        joins = self._joins
        future.add_done_callback(lambda done: self._event_over(joins, 0, name, "refresh", done))

    def _ack(self, view, version):
        if self._session is not None:
            self._transport.send(wire.ACK, self._session, {"view": view, "version": version}, epoch=self._epoch)

    def _take_place(self):
        """Count one more unanswered request; a browser keeps 8 at most, so one that has many more is not one
        of ours.
        """
        self._unanswered += 1
        if self._unanswered > MAX_UNANSWERED:
            self._json(t="error", reason="too_many", message=f"over {MAX_UNANSWERED} unanswered messages")
            self._close(TOO_MANY)
        return not self._closed

    # The answers to events.

    def _event_over(self, joins, number, view, name, future):
        if self._closed or joins != self._joins or future.cancelled():
            if not future.cancelled():
                future.exception()  # seen: nobody is left to be told, or the number means another event now
            return
        self._unanswered -= 1
        try:
            reply = future.result()
            if reply.kind == wire.DONE:
                return self._done(number, view, wire.unpack_body(reply.body))
            error = from_reply(reply.kind, reply.body)
            error.again = bool(reply.flags & wire.AGAIN)
        except ActorError as raised:
            error = raised
        except (wire.WireError, KeyError) as raised:
            error = ActorError("internal", f"the reply does not parse: {raised}", "unknown")
        except Exception as raised:
            logger.exception("event=event_failed view=%s name=%s", view, name)
            error = ActorError("internal", str(raised), "unknown")
        self._answer_error(number, view, name, error)

    def _done(self, number, view, fields):
        contents = self._tokens.get(view)
        if contents is not None:
            contents["version"] = fields["version"]
        frame = fields.get("frame")
        if frame is not None:
            self._text(frame.decode())
        else:
            self._json(v=self._numbers.get(view), s=fields["version"], a=number)

    def _answer_error(self, number, view, name, error):
        if error.outcome == "failed":
            path = self._tokens.get(view, {}).get("path", "?")
            session = self._session.hex() if self._session else "?"
            # What code raised is an error; a name that is no handler, say, is only somebody's try.
            level = logging.ERROR if error.type else logging.WARNING
            logger.log(level, "event=failed view=%s name=%s session=%s %s", path, name, session, error.log_fields())
            self._json(t="failed", n=number, v=view, error=shown(error, f"The event '{name}' could not be handled."))
        elif error.outcome == "unknown":
            self._json(t="unknown", n=number, reason=error.kind, message=error.message)
        else:
            self._refuse(number, error.kind, error.message, error.retry_ms, error.again)
            if error.kind in _LOST:
                self._lost(error.kind)

    def _refuse(self, number, reason, message, retry_ms=None, again=False):
        """again: an earlier sending of it may have been executed."""
        self._inflow.refused(number)
        frame = {"t": "refused", "n": number, "reason": reason, "message": message}
        if retry_ms is not None:
            frame["retry_ms"] = retry_ms
        if again:
            frame["r"] = True
        self._json(**frame)

    def _refuse_own(self, number, message):
        """Refuse an event that never left here. The page gives it up; the number stays free."""
        self._unanswered -= 1
        logger.warning('event=bad_event n=%d message="%s"', number, message)
        self._refuse(number, "malformed", message)

    # Joining and leaving.

    async def _join(self, frame):
        asked = _asked_views(frame)
        self._join_timer.cancel()
        self._leave()
        fresh = self._joins > 0
        self._joins += 1
        self._unanswered = 0
        self._inflow.joined()
        person = await database_sync_to_async(request.person_of_scope)(self.scope, fresh)
        try:
            tokens = [token.read(text, person, renewal) for text, _, renewal in asked]
        except TokenError as error:
            logger.warning("event=bad_token reason=%s", error.reason)
            return self._json(t="reload", reason=error.reason)
        if len({one["session"] for one in tokens}) > 1 or len({one["view"] for one in tokens}) < len(tokens):
            raise BadFrame("tokens", "the tokens of a page name one session, and a view each")
        for contents, (_, version, _) in zip(tokens, asked, strict=True):
            if version is not None:
                contents["version"] = version
        facts = await database_sync_to_async(request.of_scope)(self.scope, person, tokens[0])
        try:
            await self._join_session(tokens, facts)
        except ActorError as error:
            self._early = None
            self._join_failed(error)
        except Gone:
            self._closed = True

    async def _join_session(self, tokens, facts):
        self._transport = transport.get()
        for contents in tokens:
            blame.check("JOIN", contents["path"])
        self._early = []
        session = tokens[0]["session"]
        generation = min(one["generation"] for one in tokens)
        reply = await self._ask_to_join(session, generation, tokens, facts)
        if reply.kind == wire.NOT_EXECUTED and from_reply(reply.kind, reply.body).kind == "spent":
            session = secrets.token_bytes(16)
            reply = await self._ask_to_join(session, 0, tokens, facts)
        fields = expect(reply, wire.JOINED)
        self._session, self._epoch = session, reply.epoch
        views = []
        for contents, view in zip(tokens, fields["views"], strict=True):
            same = contents["session"] == session and contents["view"] == view["view"]
            contents.update(
                session=session, view=view["view"], version=view["version"], generation=fields["generation"]
            )
            views.append(_joined_view(contents, view, same))
        self._tokens = {contents["view"].hex(): contents for contents in tokens}
        self._numbers = {view["view"].hex(): view.get("number") for view in fields["views"]}
        self._signed_at = time.time()
        told = {"restored": True} if fields.get("restored") else {}
        self._json(t="joined", n=fields["last"], fresh=fields.get("fresh", False), **told, views=views)
        early, self._early = self._early, None
        for unasked in early:
            self._unasked(*unasked)

    async def _ask_to_join(self, session, generation, tokens, facts):
        views = [{key: one[key] for key in ("view", "version", "path", "params", "init", "url")} for one in tokens]
        body = {"generation": generation, "views": views, "request": facts, "identity": tokens[0]["identity"]}
        options = {"flags": wire.BROWSER, "subscriber": self._unasked, "timeout": JOIN_TIMEOUT_SECONDS}
        until = self._loop.time() + conf.get("MOUNT_TIMEOUT")
        while True:
            reply = await self._unless_gone(session, self._transport.submit(wire.JOIN, session, body, **options))
            pause = _busy_for(reply)
            if pause is None or self._loop.time() + pause >= until:
                return reply
            await asyncio.sleep(pause)  # to be sent away would cost both sides a new socket

    async def _unless_gone(self, session, future):
        """The reply to a JOIN. Gone: the page did not wait for it; its next JOIN must not meet it there."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._from_socket())
        await asyncio.wait((future, self._coming), return_when=asyncio.FIRST_COMPLETED)
        try:
            if not future.done() and self._coming.result()["type"] == "websocket.disconnect":
                future.cancel()
                raise Gone
            return await future
        except (ActorError, Gone) as error:
            if isinstance(error, Gone) or error.kind == "timeout":
                self._transport.send(wire.LEAVE, session, {})
            raise

    def _join_failed(self, error):
        logger.warning('event=join_failed kind=%s message="%s"', error.kind, error.message)
        if error.kind == "forbidden":
            return self._json(t="reload", reason="forbidden")
        text = error.message if settings.DEBUG else "The page could not be joined."
        blame.note(error)
        if error.kind == "quarantined":  # it goes on for minutes: the person should know
            self._json(t="failed", error=shown(error, text))
        self._json(t="error", reason=error.kind, message=text)
        self._close(NOT_UNDERSTOOD if error.outcome == "failed" else TRY_LATER)

    def _renew(self):
        self._signed_at = time.time()
        for view, contents in self._tokens.items():
            self._json(t="token", v=view, token=token.sign(contents))

    def _unasked(self, kind, epoch, body):
        """What the session's owner or the broker says without being asked."""
        if self._early is not None:
            self._early.append((kind, epoch, body))
            return
        if epoch and self._epoch and epoch < self._epoch:
            logger.warning("event=stale_push session=%s epoch=%d", self._session.hex(), epoch)
            return
        self._epoch = max(epoch, self._epoch)  # a session that moves keeps its sockets
        fields = wire.unpack_body(body)
        if kind == wire.PUSH and fields.get("error"):
            self._show_failure(fields)
        elif kind == wire.PUSH:
            self._text(fields["frame"].decode())
        elif kind == wire.ENDED:
            self._lost(fields["reason"])

    def _show_failure(self, fields):
        """What a view raised by itself. Its worker logged it; the person did nothing, and sees it only with DEBUG."""
        if settings.DEBUG:
            self._json(t="failed", n=0, v=fields["view"].hex(), error=shown(_error_of(fields["error"]), ""))

    def _lost(self, reason):
        if self._session is None:
            return
        self._forget()
        self._json(t="reload" if reason == "logout" else "lost", reason=reason)

    def _leave(self):
        """Says so, unless the page is back by another socket of this process already."""
        session = self._session
        if session is not None and self._forget():
            self._transport.send(wire.LEAVE, session, {}, epoch=self._epoch)

    def _forget(self):
        session, self._session = self._session, None
        return self._transport.unsubscribe(session, self._unasked)


def shown(error, plain):
    """What a browser may know of an error: with DEBUG everything, otherwise its kind and a plain sentence."""
    if not settings.DEBUG:
        return {"kind": error.kind, "message": plain}
    return {
        "kind": error.kind,
        "message": error.message,
        "type": error.type or error.kind,  # pages write it in front of the message
        "frames": [list(frame) for frame in error.frames],
    }


def _joined_view(contents, view, same):
    """same: the token that the page has is of this session and view, and needs only to be renewed."""
    entry = {"v": contents["view"].hex(), "s": contents["version"]}
    if same:
        entry["g"] = token.renew(contents)
    else:
        entry["token"] = token.sign(contents)
    for short, name in (("i", "number"), ("k", "chunks")):
        if view.get(name) is not None:
            entry[short] = view[name]
    if view.get("html") is not None:
        entry["html"] = view["html"].decode()
    if view.get("title") is not None:
        entry["T"] = json.loads(view["title"])
    if view.get("error"):
        error = _error_of(view["error"])
        logger.warning(
            'event=view_not_joined view=%s kind=%s message="%s"', contents["path"], error.kind, error.message
        )
        entry["error"] = shown(error, "This part of the page could not be shown.")
    return entry


def _error_of(fields):
    kind, message = fields.get("kind", "internal"), fields.get("message", "")
    return ActorError(kind, message, type=fields.get("type"), frames=fields.get("frames") or ())


def _busy_for(reply):
    """How many seconds the other side asks for, if it has no room just now; else None."""
    error = from_reply(reply.kind, reply.body) if reply.kind == wire.NOT_EXECUTED else None
    return error.retry_ms / 1000 if error and error.kind == "busy" and error.retry_ms else None


def _parse(text):
    try:
        frame = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadFrame("malformed", "the frame is not JSON") from error
    if type(frame) is not dict:
        raise BadFrame("malformed", "the frame is not a JSON object")
    return frame


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def _number(frame, key):
    value = frame.get(key)
    if type(value) is not int or not 0 <= value < wire.MAX_NUMBER:
        raise BadFrame("malformed", f"{key} is a whole number from 0, below 2^53")
    return value


def _view(frame):
    value = frame.get("v")
    if type(value) is str and len(value) == 32:
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise BadFrame("malformed", "v is a view's id, 32 hex digits")


def _wish(frame):
    """What a refresh asks for, as REFRESH says it: chunks, or whole roots for good."""
    chunks, whole = frame.get("c"), frame.get("w")
    wish = {}
    if chunks is not None:
        if type(chunks) is not list or len(chunks) > MAX_CHUNKS or not all(map(_is_hash, chunks)):
            text = f"c is a list of at most {MAX_CHUNKS} texts of 1 to {MAX_HASH} characters"
            raise BadFrame("malformed", text)
        wish["chunks"] = chunks
    if whole is not None:
        if type(whole) is not bool:
            raise BadFrame("malformed", "w is true or false")
        wish["whole"] = whole
    return wish


def _is_hash(text):
    return type(text) is str and text.isascii() and 1 <= len(text) <= MAX_HASH


def _asked_views(frame):
    """[(token, version or None, renewal or None)] of a join."""
    views = frame.get("views")
    if type(views) is not list or not 1 <= len(views) <= wire.MAX_VIEWS:
        raise BadFrame("malformed", f"a join has 1 to {wire.MAX_VIEWS} views")
    asked = []
    for view in views:
        if type(view) is not dict or type(view.get("token")) is not str:
            raise BadFrame("malformed", "each view of a join has its token")
        renewal = view.get("g")
        if renewal is not None and type(renewal) is not str:
            raise BadFrame("malformed", "a view's renewal is text")
        asked.append((view["token"], _number(view, "s") if view.get("s") is not None else None, renewal))
    return asked
