"""The WebSocket consumer: between a browser's JSON and the session's owner (proto/PROTOCOL.md 9).

Thin: it reads what a frame asks for and forwards it, and passes the worker's frames on unread. Replies are sent in the
order in which they arrive, by one writer, so reading never waits for them.
"""

import asyncio
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from .. import conf, wire
from .._limits import MAX_DEPTH, MAX_EVENT_NAME
from ..errors import ActorError, TokenError, expect, from_fields, from_reply
from ..logs import quoted, word
from ..wire import Body, RequestMap
from . import circuit_breaker, frames, join, logout, page_token, transport
from .frames import AskedView, BadFrame
from .in_flight import MAX_IN_FLIGHT, InFlight
from .page_socket import JOIN_TIMEOUT, NOT_UNDERSTOOD, TOO_MANY, TRY_LATER, PageSocket
from .page_token import Token
from .transport.base import Reply, Transport
from .user_check import UserCheck

logger = logging.getLogger("troupe")

RETRY_USER_MS = 1000
PUSH_CHECK_SECONDS = 25  # as often as our pages ping
PARAMS_DEPTH = MAX_DEPTH - 2  # the body is one map, and params another

_SESSION_LOST = {"unknown_session", "stale", "quarantined"}


class LiveViewConsumer(PageSocket):
    """One page's socket. `as_asgi()` gives the application for a URLRouter (see routing.py).

    The Origin must be one of ALLOWED_HOSTS or TROUPE["ORIGINS"]; if ALLOWED_HOSTS is "*", it must be the request's own
    host. A handshake without Origin is refused, except with DEBUG: browsers always send one.
    """

    def prepare(self) -> None:
        """See PageSocket."""
        self._transport: Transport
        self._session: bytes | None = None  # 16 bytes while joined
        self._epoch = 0
        self._joins = 0  # that were asked for
        self._asked: tuple[AskedView, ...] | None = None  # the views of the join that is under way
        self._early: list[tuple[int, int, bytes]] | None = None  # pushes during a join, for after `joined`
        self._tokens: dict[str, Token] = {}  # by view, in hex
        self._numbers: dict[str, int | None] = {}  # view, in hex → what patches call it
        self._places = join.Places()
        self._signed_at = 0.0  # when the tokens were signed, by time.time()
        self._in_flight = InFlight()
        self._user = UserCheck(self.clock)

    # Frames from the browser

    def handle_frame(self, text: str, user_known: bool | None = None) -> None:
        """See PageSocket. user_known: whether the user could be looked up for this frame; None: nobody tried."""
        try:
            frame, fault = frames.parse(text)
            kind = frame.get("t")
            if kind == "ping":
                self._ping()
            elif self._work is not None and user_known is None:
                if not self._is_repeated_join(frame):
                    self.hold(text)
            elif kind == "join":
                self._begin_join(frame, fault)
            elif not self._joins:
                raise BadFrame("not_joined", "the first frame must be a join")
            elif kind in ("event", "refresh") and user_known is None and self._user.is_due():
                self.begin_work(self._check_user(text))
            elif kind == "event":
                self._event(frame, fault, user_known)
            elif kind not in ("ack", "refresh"):
                raise BadFrame("type", "there is no such frame")
            elif fault:
                raise BadFrame("malformed", fault)
            elif kind == "ack":
                self._ack(frames.view(frame), frames.number(frame, "s"))
            else:
                self._refresh(frames.view(frame), frames.refresh(frame))
        except BadFrame as error:
            self.report_mistake(error)

    def _is_repeated_join(self, frame: dict[str, Any]) -> bool:
        """Whether the frame repeats the join that is under way, whose `joined` answers both."""
        return frame.get("t") == "join" and self._asked is not None and frames.asked_views(frame) == self._asked

    def _ping(self) -> None:
        if not self._joins:
            raise BadFrame("not_joined", "the first frame must be a join")
        self.send_json(t="pong")
        if self._session and time.time() - self._signed_at > conf.get("TOKEN_MAX_AGE") / 4:
            self._renew_tokens()
        if self._work is None and self._user.is_due():
            self.begin_work(self._check_user(None))

    def _renew_tokens(self) -> None:
        self._signed_at = time.time()
        for view, token in self._tokens.items():
            self.send_json(t="token", v=view, token=page_token.sign(token))

    def _event(self, frame: dict[str, Any], fault: str | None, user_known: bool | None) -> None:
        number, view, name, params = frames.event(frame)
        if self._session is None:
            return self._refuse(number, "unknown_session", "the page is not joined")
        refusal = self._limits.event_refusal(number)
        if refusal:
            return self._refuse(number, *refusal)
        if user_known is False:
            return self._refuse(number, "busy", "the user could not be looked up", RETRY_USER_MS)
        if not self._take_place():
            return
        if not wire.depth_within(params, PARAMS_DEPTH) or len(name.encode("utf-8", "replace")) > MAX_EVENT_NAME:
            fault = "the event's name is too long, or its parameters nest too deep"
        if fault:
            return self._refuse_unsent(number, fault)
        flags = wire.BROWSER | (wire.AGAIN if frame.get("r") is True else 0)
        body = {"view": view, "name": name, "params": params}
        self._submit(wire.EVENT, body, number, view.hex(), name, flags=flags, sequence=number)

    def _refresh(self, view: bytes, fields: Body) -> None:
        if self._session is not None and self._take_place():
            self._submit(wire.REFRESH, {"view": view, **fields}, 0, view.hex(), "refresh", flags=wire.BROWSER)

    def _ack(self, view: bytes, version: int) -> None:
        if self._session is not None:
            self._transport.send(wire.ACK, self._session, {"view": view, "version": version}, epoch=self._epoch)

    def _take_place(self) -> bool:
        """Whether one more request may be sent; otherwise closes the socket."""
        if not self._in_flight.take_place():
            self.send_json(t="error", reason="too_many", message=f"over {MAX_IN_FLIGHT} unanswered messages")
            self.close(TOO_MANY)
        return not self._closed

    def _submit(self, kind: int, body: Body, number: int, view: str, name: str, **options: Any) -> None:
        """Sends an event or (number 0) a refresh. view: hex."""
        assert self._session is not None
        try:
            future = self._transport.submit(kind, self._session, body, epoch=self._epoch, **options)
        except ActorError as error:
            if number and error.kind == "params":
                return self._refuse_unsent(number, str(error))
            self._in_flight.release_place()
            return self._answer_error(number, view, name, error)
        self._in_flight.add(future, lambda done: self._answer(number, view, name, done))

    # Answers to events

    def _answer(self, number: int, view: str, name: str, future: asyncio.Future[Reply]) -> None:
        try:
            reply = future.result()
            if reply.kind == wire.DONE:
                return self._answer_done(number, view, wire.unpack_body(reply.body))
            error = from_reply(reply.kind, reply.body)
            error.again = bool(reply.flags & wire.AGAIN)
        except ActorError as raised:
            error = raised
        except (wire.WireError, KeyError) as raised:
            error = ActorError("internal", f"the reply does not parse: {raised}", "unknown")
        except Exception as raised:
            logger.exception("event=event_failed view=%s name=%s", word(view), word(name))
            error = ActorError("internal", str(raised), "unknown")
        self._answer_error(number, view, name, error)

    def _answer_done(self, number: int, view: str, fields: Body) -> None:
        token = self._tokens.get(view)
        if token is not None:
            token["version"] = fields["version"]
        frame = fields.get("frame")
        if frame is not None:
            self.send_text(frame.decode())
        else:
            self.send_json(v=self._numbers.get(view), s=fields["version"], a=number)

    def _answer_error(self, number: int, view: str, name: str, error: ActorError) -> None:
        if error.outcome == "failed":
            token = self._tokens.get(view)
            path = token["path"] if token is not None else "?"
            # What user code raised is an error. The rest (a name that is no handler, say) any browser can cause.
            logger.log(
                logging.ERROR if error.type else logging.WARNING,
                "event=failed view=%s name=%s session=%s %s",
                word(path),
                word(name),
                self._session_hex(),
                error.log_fields(),
            )
            text = f"The event '{name}' could not be handled."
            self.send_json(t="failed", n=number, v=view, error=join.shown(error, text))
        elif error.outcome == "unknown":
            self.send_json(t="unknown", n=number, reason=error.kind, message=error.message)
        else:
            self._refuse(number, error.kind, error.message, error.retry_ms, error.again)
            if error.kind in _SESSION_LOST:
                self._session_lost(error.kind)

    def _refuse(
        self, number: int, reason: str, message: str, retry_ms: int | None = None, again: bool = False
    ) -> None:
        """again: it was sent before, and that may have been executed."""
        self._limits.event_refused(number)
        frame = {"t": "refused", "n": number, "reason": reason, "message": message}
        if retry_ms is not None:
            frame["retry_ms"] = retry_ms
        if again:
            frame["r"] = True
        self.send_json(**frame)

    def _refuse_unsent(self, number: int, message: str) -> None:
        """Refuses an event that cannot be sent. The page gives it up, and its number stays free."""
        self._in_flight.release_place()
        logger.warning("event=bad_event n=%d message=%s", number, quoted(message))
        self._refuse(number, "malformed", message)

    # Joining

    def _begin_join(self, frame: dict[str, Any], fault: str | None) -> None:
        """Frames that follow wait until the join is over."""
        asked = frames.asked_views(frame)
        if fault:
            raise BadFrame("malformed", fault)
        refusal = self._limits.join_refusal()
        if refusal:
            return self._retry_join(*refusal)
        self.cancel_join_timer()
        previous = self._release_session()
        self._joins += 1
        self._in_flight.abandon()
        self._limits.joined()
        self._asked, self._early = asked, []
        self.begin_work(self._join(asked, previous))

    async def _join(self, asked: tuple[AskedView, ...], previous: bytes | None) -> None:
        """previous: the session that this socket had until now, which it leaves unless it joins the same one."""
        try:
            tokens, facts = await database_sync_to_async(self._read_join)(asked, self._joins > 1)
            await self._join_session(tokens, facts)
        except TokenError as error:
            logger.warning("event=bad_token reason=%s", word(error.reason))
            self.send_json(t="reload", reason=error.reason)
            self.await_join()
        except BadFrame as error:
            self.report_mistake(error)
            self.await_join()
        except ActorError as error:
            self._join_failed(error)
        finally:
            self._asked = self._early = None
            if previous != self._session:
                self._send_leave(previous)

    def _read_join(self, asked: tuple[AskedView, ...], fresh: bool) -> tuple[list[Token], RequestMap]:
        tokens, facts, login = join.read(self.scope, asked, fresh)
        self._user.joined(self.scope, login)
        return tokens, facts

    async def _join_session(self, tokens: list[Token], facts: RequestMap) -> None:
        self._transport = transport.get()
        for token in tokens:
            circuit_breaker.check("JOIN", token["path"])
        places = [(token["session"], token["view"]) for token in tokens]
        origin = page_token.origin(tokens[0])
        session, generation = self._places.follow(tokens)
        reply = await self._request_join(session, generation, tokens, facts)
        if join.is_spent(reply):
            refusal = self._limits.session_refusal(origin)
            if refusal:
                return self._retry_join(*refusal)
            session = join.new_session()
            reply = await self._request_join(session, 0, tokens, facts)
        fields = expect(reply, wire.JOINED)
        self._session, self._epoch = session, reply.epoch
        self._joined(session, tokens, places, origin, fields)

    async def _request_join(
        self, session: bytes, generation: int, tokens: list[Token], facts: RequestMap
    ) -> Reply:
        return await join.request_join(
            self._transport, session, generation, tokens, facts, self._push, self.clock
        )

    def _joined(
        self, session: bytes, tokens: list[Token], places: list[join.Place], origin: bytes, fields: Body
    ) -> None:
        """Sends `joined`, and what was pushed meanwhile. fields: JOINED's body."""
        entries = []
        for token, place, view in zip(tokens, places, fields["views"], strict=True):
            token["session"], token["view"] = session, view["view"]
            token["version"], token["generation"] = view["version"], fields["generation"]
            page_token.set_origin(token, origin)
            entries.append(join.joined_view(token, view, place == (session, view["view"])))
        self._places.joined(places, session, fields["generation"], [view["view"] for view in fields["views"]])
        self._tokens = {token["view"].hex(): token for token in tokens}
        self._numbers = {view["view"].hex(): view.get("number") for view in fields["views"]}
        self._signed_at = time.time()
        restored = {"restored": True} if fields.get("restored") else {}
        self.send_json(t="joined", n=fields["last"], fresh=fields.get("fresh", False), **restored, views=entries)
        early, self._early = self._early or [], None
        for push in early:
            self._push(*push)

    def _retry_join(self, message: str, retry_ms: int) -> None:
        """Tells the page to join again over this socket, which stays open for as long as that takes."""
        self.send_json(t="error", reason="busy", retry_ms=retry_ms, message=message)
        self.await_join(retry_ms / 1000)

    def join_timed_out(self) -> None:
        """See PageSocket."""
        if self._session is None and self._work is None:
            self.close(JOIN_TIMEOUT)

    def _join_failed(self, error: ActorError) -> None:
        logger.warning("event=join_failed kind=%s message=%s", word(error.kind), quoted(error.message))
        if error.kind == "forbidden":
            self.send_json(t="reload", reason="forbidden")
            return self.await_join()
        text = error.message if settings.DEBUG else "The page could not be joined."
        circuit_breaker.record(error)
        if error.kind == "quarantined":  # that lasts for minutes: tell the user
            self.send_json(t="failed", error=join.shown(error, text))
        later = {} if error.retry_ms is None else {"retry_ms": error.retry_ms}
        self.send_json(t="error", reason=error.kind, **later, message=text)
        self.close(NOT_UNDERSTOOD if error.outcome == "failed" else TRY_LATER)

    # Pushes

    def _push(self, kind: int, epoch: int, body: bytes) -> None:
        """What the session's owner or the broker sends without being asked."""
        if self._early is not None:
            self._early.append((kind, epoch, body))
            return
        if self._session is None:
            return  # an ENDED came before it
        if epoch and self._epoch and epoch < self._epoch:
            logger.warning("event=stale_push session=%s epoch=%d", self._session.hex(), epoch)
            return
        self._epoch = max(epoch, self._epoch)  # a session that migrates keeps its sockets
        try:
            fields = wire.unpack_body(body)
            if kind == wire.PUSH and fields.get("error"):
                self._show_failure(fields)
            elif kind == wire.PUSH:
                self.send_text(fields["frame"].decode())
                self._check_user_of_pushes()
            elif kind == wire.ENDED:
                self._session_lost(str(fields["reason"]))
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            logger.error("event=malformed_push session=%s reason=%s", self._session_hex(), quoted(repr(error)))

    def _show_failure(self, fields: Body) -> None:
        """A tick or an update failed. The worker logged it; the user did nothing, and sees it only with DEBUG."""
        if settings.DEBUG:
            error = join.shown(from_fields(fields["error"]), "")
            self.send_json(t="failed", n=0, v=fields["view"].hex(), error=error)

    # The user

    def _check_user_of_pushes(self) -> None:
        """A page that gets pushes and sends nothing, not even a ping, is not our client; its user is checked too."""
        if self._work is None and self._early is None and self._user.is_due(PUSH_CHECK_SECONDS):
            self.begin_work(self._check_user(None))

    async def _check_user(self, text: str | None) -> None:
        """text: the event or refresh that waits for the check, or None."""
        known = True
        try:
            if not await self._user.is_same():
                self._user_changed()
        except Exception:  # of the database, or of the project's session engine or authentication backend
            logger.exception("event=user_check_failed session=%s", self._session_hex())
            known = False
        if text is not None and not self._closed:
            self.handle_frame(text, known)

    def _user_changed(self) -> None:
        """Ends the session, with those of this Django session's other pages, as a logout does."""
        session = self._release_session()
        if session is None:
            return
        logger.warning("event=user_changed session=%s", session.hex())
        self._in_flight.abandon()  # these answers are not for whoever looks at the page now
        self._send_leave(session)
        for identity in {token["identity"] for token in self._tokens.values()}:
            logout.end_sessions(identity)
        self.send_json(t="reload", reason="user_changed")
        self.await_join()

    # The end

    def leave(self) -> None:
        """See PageSocket."""
        self._in_flight.abandon()
        self._send_leave(self._release_session())

    def _session_lost(self, reason: str) -> None:
        if self._session is not None:
            self._release_session()
            self.send_json(t="reload" if reason == "logout" else "lost", reason=reason)
            self.await_join()

    def _send_leave(self, session: bytes | None) -> None:
        """Tells the owner that the session's page has gone. None: there was no session."""
        if session is not None:
            self._transport.send(wire.LEAVE, session, {}, epoch=self._epoch)

    def _release_session(self) -> bytes | None:
        """Forgets the session. Returns it; None: there was none, or the page came back by another socket of this
        process already.
        """
        session, self._session = self._session, None
        if session is not None and self._transport.unsubscribe(session, self._push):
            return session
        return None

    def _session_hex(self) -> str:
        return self._session.hex() if self._session else "?"
