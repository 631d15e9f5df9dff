"""The WebSocket consumer: between a browser's JSON and the session's owner (proto/PROTOCOL.md 9).

Thin: it validates the browser's frames and forwards them as requests, and passes the worker's frames on unparsed. One
writer sends replies in the order in which they arrive, so reading from the browser never waits for them.
"""

import asyncio
import logging
import time
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from .. import conf, session_engine, wire
from .._limits import MAX_DEPTH, MAX_EVENT_NAME, MAX_UNANSWERED
from ..errors import ActorError, TokenError, effects_shown, expect, from_fields, from_reply
from ..logs import quoted, word
from ..wire import Body, RequestMap
from . import circuit_breaker, frames, join, logout, page_token, request_facts, transport
from .frames import AskedView, BadFrame
from .in_flight import InFlight
from .page_socket import JOIN_TIMEOUT, NOT_UNDERSTOOD, TOO_MANY, TRY_LATER, PageSocket
from .page_token import Token
from .request_facts import Login
from .transport.base import Reply, Transport
from .user_check import UserCheck

logger = logging.getLogger("troupe")

RETRY_USER_MS = 1000
PUSH_CHECK_SECONDS = 25  # as often as our pages ping
LOGIN_SECONDS = 5.0  # how long answers may take that say who has logged in
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
        self._joins = 0  # joins requested over this socket
        self._asked: tuple[AskedView, ...] | None = None  # the views of the join in progress; None: there is none
        self._early_pushes: list[tuple[int, int, bytes]] | None = None  # received during a join; sent after `joined`
        self._tokens: dict[str, Token] = {}  # by view, in hex
        self._numbers: dict[str, int | None] = {}  # view, in hex → its number in patches (PROTOCOL.md 9.6)
        self._views_joined = join.JoinHistory()
        self._signed_at = 0.0  # when the tokens were signed, by time.time()
        self._in_flight = InFlight()
        self._user = UserCheck(self.clock)

    # Frames from the browser

    def handle_frame(self, text: str, user_known: bool | None = None) -> None:
        """See PageSocket. user_known: whether the user check for this frame succeeded; None: there was none yet."""
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
                raise BadFrame("type", "unknown frame type")
            elif fault:
                raise BadFrame("malformed", fault)
            elif kind == "ack":
                self._ack(frames.view(frame), frames.number(frame, "s"))
            else:
                self._refresh(frames.view(frame), frames.refresh(frame))
        except BadFrame as error:
            self.report_mistake(error)

    def _is_repeated_join(self, frame: dict[str, Any]) -> bool:
        """Whether the frame repeats the join in progress; that join's `joined` then answers both."""
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
        if not self._reserve_request():
            return
        if not wire.depth_within(params, PARAMS_DEPTH) or len(name.encode("utf-8", "replace")) > MAX_EVENT_NAME:
            fault = "the event's name is too long, or its parameters nest too deep"
        if fault:
            return self._refuse_unsent(number, view.hex(), name, fault)
        flags = wire.BROWSER | (wire.AGAIN if frame.get("r") is True else 0)
        body = {"view": view, "name": name, "params": params}
        self._submit(wire.EVENT, body, number, view.hex(), name, flags=flags, sequence=number)

    def _refresh(self, view: bytes, fields: Body) -> None:
        if self._session is not None and self._reserve_request():
            self._submit(wire.REFRESH, {"view": view, **fields}, 0, view.hex(), "refresh", flags=wire.BROWSER)

    def _ack(self, view: bytes, version: int) -> None:
        if self._session is not None:
            self._transport.send(wire.ACK, self._session, {"view": view, "version": version}, epoch=self._epoch)

    def _reserve_request(self) -> bool:
        """Reserves room for one more request. False: too many are unanswered, and the socket is closed."""
        if not self._in_flight.reserve():
            self.send_json(t="error", reason="too_many", message=f"over {MAX_UNANSWERED} unanswered messages")
            self.close(TOO_MANY)
        return not self._closed

    def _submit(self, kind: int, body: Body, number: int, view: str, name: str, **options: Any) -> None:
        """Sends an event or (number 0) a refresh. view: hex."""
        assert self._session is not None
        try:
            future = self._transport.submit(kind, self._session, body, epoch=self._epoch, **options)
        except ActorError as error:
            if number and error.kind == "params":
                return self._refuse_unsent(number, view, name, str(error))
            self._in_flight.release()
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
            logger.exception(
                "event=event_failed view=%s name=%s session=%s",
                word(self._view_path(view)),
                word(name),
                self._session_hex(),
            )
            error = ActorError("internal", str(raised), "unknown")
        self._answer_error(number, view, name, error)

    def _answer_done(self, number: int, view: str, fields: Body) -> None:
        token = self._tokens.get(view)
        if token is not None:
            token["version"] = fields["version"]
        if "effects" in fields:
            self._apply_effects(fields["effects"])
        frame = fields.get("frame")
        if frame is not None:
            self.send_text(frame.decode())
        else:
            self.send_json(v=self._numbers.get(view), s=fields["version"], a=number)

    def _apply_effects(self, effects: dict[str, Any]) -> None:
        """A handler has logged the user in or out, or given the session another key: this socket, and the tokens that
        the page rejoins with, are the new user's from now on.
        """
        if "login" not in effects:
            return
        login: Login = effects["login"]
        before = {(token["user"], token["identity"]) for token in self._tokens.values()}
        identity = session_engine.identity_of(login["user"], login["session_key"])
        for token in self._tokens.values():
            token["user"], token["identity"] = login["user"], identity
        self.scope = request_facts.logged_in(self.scope, login)
        self._user.logged_in(login)
        self._renew_tokens()
        for user, identity in before:
            if user is not None and user != login["user"] and identity:
                logout.end_sessions(identity)

    def _answer_error(self, number: int, view: str, name: str, error: ActorError) -> None:
        self._apply_effects(error.effects)
        if error.outcome == "failed":
            # No error: what user code raised was reported where it was raised, and any browser can cause the rest.
            logger.warning(
                "event=failed view=%s name=%s session=%s %s",
                word(self._view_path(view)),
                word(name),
                self._session_hex(),
                error.log_fields(),
            )
            text = f"The event '{name}' could not be handled."
            shown = effects_shown(error.effects)
            self.send_json(t="failed", n=number, v=view, error=join.shown(error, text), **shown)
            if join.is_gone(error) and view in self._tokens:
                self._refuse_page(self._tokens[view], error)
            elif error.kind == "view_not_found" and view in self._tokens:  # it could not be joined then: try again
                self._session_lost(error.kind)
        elif error.outcome == "unknown":
            self.send_json(t="unknown", n=number, reason=error.kind, message=error.message)
        else:
            self._refuse(number, error.kind, error.message, error.retry_ms, error.again)
            if error.kind in _SESSION_LOST:
                self._session_lost(error.kind)

    def _refuse(self, number: int, reason: str, message: str, retry_ms: int | None = None, again: bool = False) -> None:
        """again: it was sent before, and that delivery may have been executed."""
        self._limits.event_refused(number)
        frame = {"t": "refused", "n": number, "reason": reason, "message": message}
        if retry_ms is not None:
            frame["retry_ms"] = retry_ms
        if again:
            frame["r"] = True
        self.send_json(**frame)

    def _refuse_unsent(self, number: int, view: str, name: str, message: str) -> None:
        """Refuses an event that cannot be sent. The page drops it, and its number remains unused. view: hex."""
        self._in_flight.release()
        logger.warning(
            "event=bad_event view=%s name=%s session=%s n=%d message=%s",
            word(self._view_path(view)),
            word(name),
            self._session_hex(),
            number,
            quoted(message),
        )
        self._refuse(number, "malformed", message)

    # Joining

    def _begin_join(self, frame: dict[str, Any], fault: str | None) -> None:
        """Starts the join. Frames that arrive before it ends are held."""
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
        self._asked, self._early_pushes = asked, []
        self.begin_work(self._join(asked, previous))

    async def _join(self, asked: tuple[AskedView, ...], previous: bytes | None) -> None:
        """previous: this socket's session until now; it is left unless the join leads to the same one."""
        tokens: list[Token] = []
        try:
            tokens, facts = await database_sync_to_async(self._read_join)(asked, self._joins > 1)
            await self._join_session(tokens, facts)
        except TokenError as error:
            logger.warning("event=bad_token reason=%s", word(error.reason))
            self.send_json(t="reload", reason=error.reason, **join.reload_message(error))
            self.await_join()
        except BadFrame as error:
            self.report_mistake(error)
            self.await_join()
        except ActorError as error:
            self._join_failed(error, tokens)
        finally:
            self._asked = self._early_pushes = None
            if previous != self._session:
                self._send_leave(previous)

    def _read_join(self, asked: tuple[AskedView, ...], fresh: bool) -> tuple[list[Token], RequestMap]:
        tokens, facts, login = join.read(self.scope, asked, fresh)
        self._user.joined(self.scope, login, tokens[0]["url"])
        return tokens, facts

    async def _join_session(self, tokens: list[Token], facts: RequestMap) -> None:
        self._transport = transport.get()
        for token in tokens:
            circuit_breaker.check("JOIN", token["path"])
        keys = [(token["session"], token["view"]) for token in tokens]
        origin = page_token.origin(tokens[0])
        session, generation = self._views_joined.resolve(tokens)
        reply = await self._request_join(session, generation, tokens, facts)
        if join.is_spent(reply):
            refusal = self._limits.session_refusal(origin)
            if refusal:
                return self._retry_join(*refusal)
            session = join.new_session()
            reply = await self._request_join(session, 0, tokens, facts)
        fields = expect(reply, wire.JOINED)
        self._session, self._epoch = session, reply.epoch
        self._joined(session, tokens, keys, origin, fields)

    async def _request_join(self, session: bytes, generation: int, tokens: list[Token], facts: RequestMap) -> Reply:
        return await join.request_join(self._transport, session, generation, tokens, facts, self._push, self.clock)

    def _joined(
        self, session: bytes, tokens: list[Token], keys: list[join.ViewKey], origin: bytes, fields: Body
    ) -> None:
        """Sends `joined`, then the pushes that arrived during the join. fields: JOINED's body."""
        refused = join.refused_view(tokens, fields["views"])
        if refused is not None:
            return self._refuse_page(tokens[refused], from_fields(fields["views"][refused]["error"]))
        entries = []
        for token, key, view in zip(tokens, keys, fields["views"], strict=True):
            token["session"], token["view"] = session, view["view"]
            token["version"], token["generation"] = view["version"], fields["generation"]
            page_token.set_origin(token, origin)
            entries.append(join.joined_view(token, view, key == (session, view["view"])))
        views = [view["view"] for view in fields["views"]]
        self._views_joined.record(keys, session, fields["generation"], views)
        self._tokens = {token["view"].hex(): token for token in tokens}
        self._numbers = {view["view"].hex(): view.get("number") for view in fields["views"]}
        self._signed_at = time.time()
        for view in fields["views"]:
            self._apply_effects(view.get("effects") or {})
        restored = {"restored": True} if fields.get("restored") else {}
        self.send_json(t="joined", n=fields["last"], fresh=fields.get("fresh", False), **restored, views=entries)
        pushes, self._early_pushes = self._early_pushes or [], None
        for push in pushes:
            self._push(*push)

    def _refuse_page(self, token: Token, error: ActorError) -> None:
        """Has the page loaded again: its user may no longer have it, or it shows what is gone, and Django says so."""
        logger.warning("event=page_refused view=%s %s", word(token["path"]), error.log_fields())
        self._send_leave(self._release_session())
        self.send_json(t="reload", reason="forbidden" if error.kind == "forbidden" else "not_found")
        self.await_join()

    def _retry_join(self, message: str, retry_ms: int) -> None:
        """Tells the page to join again over this socket, which stays open for as long as that takes."""
        self.send_json(t="error", reason="busy", retry_ms=retry_ms, message=message)
        self.await_join(retry_ms / 1000)

    def join_timed_out(self) -> None:
        """See PageSocket."""
        if self._session is None and self._work is None:
            self.close(JOIN_TIMEOUT)

    def _join_failed(self, error: ActorError, tokens: list[Token]) -> None:
        """tokens: the page's; at least one."""
        logger.warning(
            "event=join_failed kind=%s message=%s view=%s session=%s",
            word(error.kind),
            quoted(error.message),
            word(error.view_path or tokens[0]["path"]),
            tokens[0]["session"].hex(),
        )
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
        """Handles PUSH from the session's owner, and ENDED from the owner or the broker."""
        if self._early_pushes is not None:
            self._early_pushes.append((kind, epoch, body))
            return
        if self._session is None:
            return  # an ENDED arrived first
        if epoch and self._epoch and epoch < self._epoch:
            logger.warning("event=stale_push session=%s epoch=%d", self._session.hex(), epoch)
            return
        self._epoch = max(epoch, self._epoch)  # a session that migrates keeps its sockets
        try:
            fields = wire.unpack_body(body)
            if kind == wire.PUSH and fields.get("error"):
                self._show_failure(fields)
            elif kind == wire.PUSH:
                if "effects" in fields:
                    self._apply_effects(fields["effects"])
                self.send_text(fields["frame"].decode())
                self._check_user_of_pushes()
            elif kind == wire.ENDED:
                self._session_lost(str(fields["reason"]))
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            logger.error("event=malformed_push session=%s reason=%s", self._session_hex(), quoted(repr(error)))

    def _show_failure(self, fields: Body) -> None:
        """A tick or an update failed. The worker has logged it; the browser is told only with DEBUG."""
        error = from_fields(fields["error"])
        if error.kind in _SESSION_LOST:
            return self._session_lost(error.kind)
        self._apply_effects(error.effects)
        shown = effects_shown(error.effects)
        view = fields["view"].hex()
        token = self._tokens.get(view)
        if token is not None and not shown and (
            join.is_gone(error) or (error.kind == "forbidden" and token.get("route"))
        ):
            return self._refuse_page(token, error)
        if settings.DEBUG or shown:
            self.send_json(t="failed", n=0, v=fields["view"].hex(), error=join.shown(error, ""), **shown)

    # The user

    def _check_user_of_pushes(self) -> None:
        """Our client pings, which checks the user. Another client may only listen, so pushes check its user as well."""
        if self._work is None and self._early_pushes is None and self._user.is_due(PUSH_CHECK_SECONDS):
            self.begin_work(self._check_user(None))

    async def _check_user(self, text: str | None) -> None:
        """text: the event or refresh that waits for the check, or None."""
        known = True
        try:
            if not await self._user.is_same() and not await self._answered_login():
                self._user_changed()
        except Exception:  # from the database, or the project's session engine or authentication backend
            logger.exception("event=user_check_failed session=%s", self._session_hex())
            known = False
        if text is not None and not self._closed:
            self.handle_frame(text, known)

    async def _answered_login(self) -> bool:
        """Whether the answer to an event that was on its way during the check says that the user is another one. A
        handler may await for minutes, in which nobody may keep the page of a user who has logged out.
        """
        await self._in_flight.wait(LOGIN_SECONDS)
        return not self._user.is_checked() or await self._user.is_same()

    def _user_changed(self) -> None:
        """Ends the sessions of all pages of this Django session, as a logout does."""
        session = self._release_session()
        if session is None:
            return
        logger.warning("event=user_changed session=%s", session.hex())
        self._in_flight.abandon()  # the replies belong to the previous user
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
        """Detaches this socket from its session and returns its id. None: there was none, or another socket of this
        process has taken the session over.
        """
        session, self._session = self._session, None
        if session is not None and self._transport.unsubscribe(session, self._push):
            return session
        return None

    def _view_path(self, view: str) -> str:
        """The dotted path of a view of this page, for log lines; "?" if the page has no such view. view: hex."""
        token = self._tokens.get(view)
        return token["path"] if token is not None else "?"

    def _session_hex(self) -> str:
        return self._session.hex() if self._session else "?"
