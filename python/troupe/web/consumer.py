"""The WebSocket consumer: between a browser's JSON and the session's owner (proto/PROTOCOL.md 9).

Thin: it reads what a frame asks for, forwards it, and passes the worker's frames on unread. Replies are sent
in the order in which they come, by one writer, so that reading never waits for them.
"""

import asyncio
import json
import logging
import time

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.conf import settings

from .. import conf, wire
from .._limits import MAX_BROWSER_FRAME, MAX_DEPTH, MAX_EVENT_NAME, MAX_HELD_BYTES, MAX_HELD_FRAMES
from ..errors import ActorError, TokenError, expect, from_fields, from_reply
from ..logs import quoted, word
from . import circuit_breaker, frames, join, logout, page_token, rate_limit, transport
from .frames import BadFrame
from .origins import header, origin_allowed
from .outbox import Backlog, Outbox
from .user_check import UserCheck

logger = logging.getLogger("troupe")

MAX_UNANSWERED = 32
MAX_MISTAKES = 5
SERVER_MAX_TEXT = 128 << 10  # what the guide tells servers to let through: twice as much, to be answered in words
JOIN_TIMEOUT_SECONDS = 15.0  # less than the browser waits
WORK_ENDS_SECONDS = 1.0
RETRY_USER_MS = 1000
PUSH_LOOK_SECONDS = 25  # as often as our pages ping
PARAMS_DEPTH = MAX_DEPTH - 2  # the body is one map, and params another

NOT_UNDERSTOOD, FOREIGN_ORIGIN, JOIN_TIMEOUT, TOO_MANY, TOO_OFTEN = 4400, 4403, 4408, 4409, 4429
BINARY, TOO_LARGE, TRY_LATER = 1003, 1009, 1013

_LOST = {"unknown_session", "stale", "quarantined"}


class LiveViewConsumer(AsyncConsumer):
    """One page's socket. `as_asgi()` gives the application for a URLRouter (see routing.py).

    The Origin must be one of ALLOWED_HOSTS or TROUPE["ORIGINS"]; where ALLOWED_HOSTS is "*", it must be the
    request's own host. A handshake without Origin is refused, except with DEBUG: browsers always send one.
    """

    join_timeout = 10.0  # s
    clock = staticmethod(time.monotonic)  # what limits are counted by

    async def __call__(self, scope, receive, send):
        """The ASGI application. No channel layer: what is pushed comes through the session's owner.

        Reads on whatever happens: what takes time (a join, a look at the user) is a task, `_work`, one at a time; what
        comes meanwhile waits in `_held`. So nothing piles up in the server, whose queue nobody here can bound.
        """
        self.scope = scope
        self.base_send = send
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(send)
        self._closed = False
        self._unanswered = 0
        self._sent = set()  # futures of what is unanswered
        self._mistakes = 0
        self._joins = 0
        self._transport = None
        self._inflow = rate_limit.Inflow(scope, self.clock)
        self._user = UserCheck(self.clock)
        self._session = None  # 16 bytes while joined
        self._epoch = 0
        self._work = None
        self._held = Backlog(MAX_HELD_FRAMES, MAX_HELD_BYTES)
        self._asked = None  # the views of the join that is under way
        self._early = None  # while joining: what came unasked, for after `joined`
        self._tokens = {}  # view's hex → contents of its token
        self._numbers = {}  # view's hex → what patches call it
        self._places = join.Places()
        self._signed_at = 0.0
        self._join_timer = None
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.receive":
                    self._receive(message)
                elif message["type"] == "websocket.connect":
                    await self._connect()
                elif message["type"] == "websocket.disconnect":
                    return
        finally:
            self._finish()
            if self._work is not None:  # what it began to join it leaves
                await asyncio.wait((self._work,), timeout=WORK_ENDS_SECONDS)

    async def _connect(self):
        if not origin_allowed(self.scope):
            logger.warning("event=foreign_origin origin=%s", quoted(header(self.scope, b"origin")))
            self._closed = True
            await self.base_send({"type": "websocket.close", "code": FOREIGN_ORIGIN})
            return
        if not self._inflow.admits_socket():
            logger.warning("event=too_many_sockets address=%s", word(self._inflow.address))
            self._closed = True
            await self.base_send({"type": "websocket.close", "code": TOO_OFTEN})
            return
        await self.base_send({"type": "websocket.accept"})
        self._outbox.open()
        self._join_timer = self._loop.call_later(self.join_timeout, self._no_join)

    def _finish(self):
        """The socket is gone, or the server stops."""
        self._stop()
        self._outbox.end()
        self._inflow.close()
        if self._join_timer is not None:
            self._join_timer.cancel()

    # What goes to the browser.

    def _text(self, text):
        if not self._closed and not self._outbox.text(text):
            self._close(TOO_MANY)

    def _json(self, **frame):
        self._text(json.dumps(frame, separators=(",", ":")))

    def _close(self, code):
        if not self._closed:
            self._outbox.close(code)
            self._stop()

    def _stop(self):
        """Take nothing more, and leave the session."""
        self._closed = True
        self._held.clear()
        self._abandon_sent()
        self._leave(self._forget())
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()

    # What comes from the browser.

    def _receive(self, message):
        if self._closed:
            return
        text = message.get("text")
        if not self._inflow.admits_frame():
            logger.warning("event=too_many_frames address=%s", word(self._inflow.address or "-"))
            self._json(t="error", reason="too_many", message="frames come faster than any page sends them")
            self._close(TOO_OFTEN)
        elif text is None:
            rate_limit.note_frame(len(message.get("bytes") or b""), SERVER_MAX_TEXT)
            self._json(t="error", reason="binary", message="frames are JSON text")
            self._close(BINARY)
        elif frames.text_bytes(text) > MAX_BROWSER_FRAME:
            rate_limit.note_frame(len(text), SERVER_MAX_TEXT)
            self._json(t="error", reason="too_large", message=f"a frame is over {MAX_BROWSER_FRAME} bytes")
            self._close(TOO_LARGE)
        else:
            self._take(text)

    def _take(self, text, user=None):
        """One frame. user: after a look at them for its sake, whether they could be looked up; None: there was none."""
        try:
            frame, fault = frames.parse(text)
            kind = frame.get("t")
            if kind == "ping":
                self._ping()
            elif self._work is not None and user is None:
                self._hold(text, kind, frame)
            elif kind == "join":
                self._join_asked(frame, fault)
            elif not self._joins:
                raise BadFrame("not_joined", "the first frame must be a join")
            elif kind in ("event", "refresh") and user is None and self._user.is_due():
                self._begin(self._look_at_user(text))
            elif kind == "event":
                self._event(frame, fault, user)
            else:
                self._other(kind, frame, fault)
        except BadFrame as error:
            self._mistake(error)

    def _hold(self, text, kind, frame):
        """Keep a frame until what is under way is done. The same join again is answered by that one's `joined`."""
        if kind == "join" and self._asked is not None and frames.asked_views(frame) == self._asked:
            return
        if not self._held.put(text):
            self._json(t="error", reason="too_many", message="too much came while the page was joined or looked up")
            self._close(TOO_MANY)

    def _begin(self, coroutine):
        self._work = self._loop.create_task(coroutine)
        self._work.add_done_callback(self._work_over)

    def _work_over(self, task):
        """Go on with what was held, until that begins something else."""
        self._work = None
        if not task.cancelled() and task.exception() is not None:
            logger.error("event=socket_failed reason=%s", quoted(task.exception()), exc_info=task.exception())
            self._json(t="error", reason="internal", message="something failed here")
            self._close(TRY_LATER)
        while self._held and self._work is None and not self._closed:
            self._take(self._held.take())

    def _mistake(self, error):
        self._mistakes += 1
        logger.warning("event=bad_frame reason=%s message=%s", word(error.reason), quoted(error))
        self._json(t="error", reason=error.reason, message=str(error))
        if self._mistakes >= MAX_MISTAKES:
            self._close(NOT_UNDERSTOOD)

    def _ping(self):
        if not self._joins:
            raise BadFrame("not_joined", "the first frame must be a join")
        self._json(t="pong")
        if self._session and time.time() - self._signed_at > conf.get("TOKEN_MAX_AGE") / 4:
            self._renew()
        if self._work is None and self._user.is_due():
            self._begin(self._look_at_user(None))

    def _other(self, kind, frame, fault):
        if kind not in ("ack", "refresh"):
            raise BadFrame("type", "there is no such frame")
        if fault:
            raise BadFrame("malformed", fault)
        if kind == "ack":
            self._ack(frames.view(frame), frames.number(frame, "s"))
        else:
            self._refresh(frames.view(frame), frames.wish(frame))

    def _event(self, frame, fault, user):
        number, view, name, params = frames.event(frame)
        if self._session is None:
            return self._refuse(number, "unknown_session", "the page is not joined")
        refusal = self._inflow.refusal(number)
        if refusal:
            return self._refuse(number, *refusal)
        if user is False:
            return self._refuse(number, "busy", "the user could not be looked up", RETRY_USER_MS)
        if not self._take_place():
            return
        if not wire.depth_within(params, PARAMS_DEPTH) or len(name.encode("utf-8", "replace")) > MAX_EVENT_NAME:
            fault = "the event's name is too long, or its parameters nest too deep"
        if fault:
            return self._refuse_own(number, fault)
        body = {"view": view, "name": name, "params": params}
        again = wire.AGAIN if frame.get("r") is True else 0
        self._submit(wire.EVENT, body, number, view.hex(), name, flags=wire.BROWSER | again, sequence=number)

    def _refresh(self, view, wish):
        if self._session is not None and self._take_place():
            self._submit(wire.REFRESH, {"view": view, **wish}, 0, view.hex(), "refresh", flags=wire.BROWSER)

    def _submit(self, kind, body, number, view, name, **options):
        try:
            future = self._transport.submit(kind, self._session, body, epoch=self._epoch, **options)
        except ActorError as error:
            if number and error.kind == "params":
                return self._refuse_own(number, str(error))
            self._unanswered -= 1
            return self._answer_error(number, view, name, error)
        joins = self._joins
        self._sent.add(future)
        future.add_done_callback(lambda done: self._event_over(joins, number, view, name, done))

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

    def _abandon_sent(self):
        """Nobody waits for these answers any more. Sent again by us, after the broker was restarted, such an event
        could run under a number that the page gave to another one since.
        """
        for future in list(self._sent):
            future.cancel()

    def _event_over(self, joins, number, view, name, future):
        self._sent.discard(future)
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
            logger.exception("event=event_failed view=%s name=%s", word(view), word(name))
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
            # What code raised is an error; a name that is no handler, say, is only somebody's try.
            level = logging.ERROR if error.type else logging.WARNING
            logger.log(
                level,
                "event=failed view=%s name=%s session=%s %s",
                word(path),
                word(name),
                self._hex(),
                error.log_fields(),
            )
            text = f"The event '{name}' could not be handled."
            self._json(t="failed", n=number, v=view, error=join.shown(error, text))
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
        logger.warning("event=bad_event n=%d message=%s", number, quoted(message))
        self._refuse(number, "malformed", message)

    # Joining and leaving.

    def _join_asked(self, frame, fault):
        """What comes from here on waits until it is over."""
        asked = frames.asked_views(frame)
        if fault:
            raise BadFrame("malformed", fault)
        refusal = self._inflow.join_refusal()
        if refusal:
            return self._join_later(*refusal)
        self._join_timer.cancel()
        previous = self._forget()
        self._joins += 1
        self._unanswered = 0
        self._abandon_sent()
        self._inflow.joined()
        self._asked, self._early = asked, []
        self._begin(self._join(asked, previous))

    async def _join(self, asked, previous):
        """previous: the session that this socket had until now; it is left unless it is the one that is joined."""
        try:
            tokens, facts = await database_sync_to_async(self._read_join)(asked, self._joins > 1)
            await self._join_session(tokens, facts)
        except TokenError as error:
            logger.warning("event=bad_token reason=%s", word(error.reason))
            self._json(t="reload", reason=error.reason)
            self._await_join()
        except BadFrame as error:
            self._mistake(error)
            self._await_join()
        except ActorError as error:
            self._join_failed(error)
        finally:
            self._asked = self._early = None
            if previous != self._session:
                self._leave(previous)

    def _read_join(self, asked, fresh):
        tokens, facts, user = join.read(self.scope, asked, fresh)
        self._user.joined(self.scope, user)
        return tokens, facts

    async def _join_session(self, tokens, facts):
        self._transport = transport.get()
        for contents in tokens:
            circuit_breaker.check("JOIN", contents["path"])
        before = [(contents["session"], contents["view"]) for contents in tokens]
        origin = page_token.origin(tokens[0])
        session, generation = self._places.follow(tokens)
        reply = await self._ask_to_join(session, generation, tokens, facts)
        if join.is_spent(reply):
            refusal = self._inflow.session_refusal(origin)
            if refusal:
                return self._join_later(*refusal)
            session = join.new_session()
            reply = await self._ask_to_join(session, 0, tokens, facts)
        fields = expect(reply, wire.JOINED)
        self._session, self._epoch = session, reply.epoch
        views = []
        for contents, place, view in zip(tokens, before, fields["views"], strict=True):
            contents.update(
                session=session, view=view["view"], version=view["version"], generation=fields["generation"]
            )
            page_token.set_origin(contents, origin)
            views.append(join.joined_view(contents, view, place == (session, view["view"])))
        self._places.joined(before, session, fields["generation"], [view["view"] for view in fields["views"]])
        self._tokens = {contents["view"].hex(): contents for contents in tokens}
        self._numbers = {view["view"].hex(): view.get("number") for view in fields["views"]}
        self._signed_at = time.time()
        told = {"restored": True} if fields.get("restored") else {}
        self._json(t="joined", n=fields["last"], fresh=fields.get("fresh", False), **told, views=views)
        early, self._early = self._early, None
        for unasked in early:
            self._unasked(*unasked)

    async def _ask_to_join(self, session, generation, tokens, facts):
        body = join.body(generation, tokens, facts)
        options = {"flags": wire.BROWSER, "subscriber": self._unasked, "timeout": JOIN_TIMEOUT_SECONDS}
        until = self.clock() + conf.get("MOUNT_TIMEOUT")
        while True:
            reply = await self._reply_to_join(session, self._transport.submit(wire.JOIN, session, body, **options))
            pause = join.busy_for(reply)
            if pause is None or self.clock() + pause >= until:
                return reply
            await asyncio.sleep(pause)  # to be sent away would cost both sides a new socket

    async def _reply_to_join(self, session, future):
        """Where nobody waits for it any more, the page's next join must not meet this one there: it leaves."""
        try:
            return await future
        except (ActorError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) or error.kind == "timeout":
                self._transport.unsubscribe(session, self._unasked)
                self._transport.send(wire.LEAVE, session, {})
            raise

    def _join_later(self, message, retry_ms):
        """The page is to join again over this socket, which stays open for as long as that takes."""
        self._json(t="error", reason="busy", retry_ms=retry_ms, message=message)
        self._await_join(retry_ms / 1000)

    def _await_join(self, seconds=0):
        """A socket without a session does not stay for long."""
        self._join_timer.cancel()
        self._join_timer = self._loop.call_later(seconds + self.join_timeout, self._no_join)

    def _no_join(self):
        if self._session is None and self._work is None:
            self._close(JOIN_TIMEOUT)

    def _join_failed(self, error):
        logger.warning("event=join_failed kind=%s message=%s", word(error.kind), quoted(error.message))
        if error.kind == "forbidden":
            self._json(t="reload", reason="forbidden")
            return self._await_join()
        text = error.message if settings.DEBUG else "The page could not be joined."
        circuit_breaker.note(error)
        if error.kind == "quarantined":  # it goes on for minutes: the user should know
            self._json(t="failed", error=join.shown(error, text))
        later = {} if error.retry_ms is None else {"retry_ms": error.retry_ms}
        self._json(t="error", reason=error.kind, **later, message=text)
        self._close(NOT_UNDERSTOOD if error.outcome == "failed" else TRY_LATER)

    def _renew(self):
        self._signed_at = time.time()
        for view, contents in self._tokens.items():
            self._json(t="token", v=view, token=page_token.sign(contents))

    def _unasked(self, kind, epoch, body):
        """What the session's owner or the broker says without being asked."""
        if self._early is not None:
            self._early.append((kind, epoch, body))
            return
        if self._session is None:
            return  # an ENDED came before it
        if epoch and self._epoch and epoch < self._epoch:
            logger.warning("event=stale_push session=%s epoch=%d", self._session.hex(), epoch)
            return
        self._epoch = max(epoch, self._epoch)  # a session that moves keeps its sockets
        try:
            fields = wire.unpack_body(body)
            if kind == wire.PUSH and fields.get("error"):
                self._show_failure(fields)
            elif kind == wire.PUSH:
                self._text(fields["frame"].decode())
                self._look_now_and_then()
            elif kind == wire.ENDED:
                self._lost(str(fields["reason"]))
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            logger.error("event=malformed_push session=%s reason=%s", self._hex(), quoted(repr(error)))

    def _show_failure(self, fields):
        """What a view raised by itself. Its worker logged it; the user did nothing, and sees it only with DEBUG."""
        if settings.DEBUG:
            error = join.shown(from_fields(fields["error"]), "")
            self._json(t="failed", n=0, v=fields["view"].hex(), error=error)

    # The user.

    def _look_now_and_then(self):
        """A page that gets pushes and says nothing, not even a ping, is none of ours; it is looked at all the same."""
        if self._work is None and self._early is None and self._user.is_due(PUSH_LOOK_SECONDS):
            self._begin(self._look_at_user(None))

    async def _look_at_user(self, text):
        """text: the event or refresh that waits for it, or None."""
        known = True
        try:
            if not await self._user.is_same():
                self._user_gone()
        except Exception:  # of the database, or of the project's session engine or authentication backend
            logger.exception("event=user_check_failed session=%s", self._hex())
            known = False
        if text is not None and not self._closed:
            self._take(text, user=known)

    def _user_gone(self):
        """As a log-out does it: the session ends, with those of this Django session's other pages."""
        session = self._forget()
        if session is None:
            return
        logger.warning("event=user_changed session=%s", session.hex())
        self._joins += 1  # what is answered from here on is not for whoever looks at the page now
        self._unanswered = 0
        self._abandon_sent()
        self._leave(session)
        for identity in {contents["identity"] for contents in self._tokens.values()}:
            logout.end_sessions(identity)
        self._json(t="reload", reason="user_changed")
        self._await_join()

    # The end.

    def _lost(self, reason):
        if self._session is not None:
            self._forget()
            self._json(t="reload" if reason == "logout" else "lost", reason=reason)
            self._await_join()

    def _leave(self, session):
        """Say that the page of this session has gone. None: there was none."""
        if session is not None:
            self._transport.send(wire.LEAVE, session, {}, epoch=self._epoch)

    def _forget(self):
        """The session that this socket had, and has no more. None: it had none, or the page is back by another socket
        of this process already.
        """
        session, self._session = self._session, None
        if session is not None and self._transport.unsubscribe(session, self._unasked):
            return session
        return None

    def _hex(self):
        return self._session.hex() if self._session else "?"
