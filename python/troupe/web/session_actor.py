"""SessionActor: a handle on one session, for Python code that mounts views and sends them events."""

import asyncio
import hashlib
import json
import uuid

from .. import wire
from ..errors import ActorError, expect, from_reply
from . import transport
from .fifo_lock import FifoLock


def session_bytes(session_id):
    """The 16 bytes of a session's id: those of a UUID, 16 bytes as they are, and for other text its
    BLAKE2b-16.
    """
    if isinstance(session_id, uuid.UUID):
        return session_id.bytes
    if isinstance(session_id, bytes):
        if len(session_id) != 16 or session_id == wire.NO_SESSION:
            raise ValueError("a session id in bytes has 16 of them, not all zero")
        return session_id
    try:
        return uuid.UUID(session_id).bytes
    except ValueError:
        return hashlib.blake2b(session_id.encode(), digest_size=16).digest()


class SessionActor:
    """A session and its views, wherever it lives. Usable from any running loop; its events run one after the
    other.

    All methods raise ActorError. `session_id` is what it was made with, as text.
    """

    def __init__(self, session_id):
        self.id = session_bytes(session_id)
        self.session_id = session_id if isinstance(session_id, str) else str(uuid.UUID(bytes=self.id))
        self._lock = FifoLock()
        self._epoch = 0
        self._last = 0  # the number of the last event that was executed, as far as is known
        self._sent = 0  # above that: up to here events got no reply, and whether their numbers are used is not known
        self._unsettled = None  # (future, type, number) of a request whose caller was cancelled
        self._views = []

    async def mount(self, view_path, params, python_view=None):
        """Mount the view `view_path` with `mount(request, **params)`.

        python_view: an instance to use as it is, over inproc:// only; then its `mount` is not called and the
        path is a label. Returns {"html": str, "session_id": str, "view_id": 32 hex digits, "version": int}.
        """
        async with self._lock:
            await self._settle()
            body = {"path": view_path, "params": params}
            reply = await self._whole(wire.MOUNT, body, flags=wire.HTML, view=python_view)
            fields = expect(reply, wire.MOUNTED)
            if "status" in fields:
                text = f"{view_path}.mount() answered with HTTP status {fields['status']}, so there is no view"
                raise ActorError("python", text, view_path=view_path)
            self._epoch = reply.epoch
            self._last = self._sent = fields["last"]
            self._views.append(fields["view"])
            return {
                "html": fields["html"].decode(),
                "session_id": self.session_id,
                "view_id": fields["view"].hex(),
                "version": fields["version"],
            }

    async def event(self, name, params, view_id=None):
        """Call the handler `name(**params)` of a view: the one mounted last, or that of `view_id`.

        Returns {"html": str, the view's HTML as Django renders it; "patches": what changed, by slot (PROTOCOL.md 9.6),
        or None; "version": int}.
        """
        return await self._event(name, params, view_id, wire.HTML)

    async def unmount(self, view_id=None):
        """Drop one view: the one mounted last, or that of `view_id`."""
        view = self._view(view_id)
        try:
            expect(await self._request(wire.UNMOUNT, {"view": view}, epoch=self._epoch), wire.UNMOUNTED)
        except asyncio.CancelledError:  # it is dropped all the same
            self._forget_view(view)
            raise
        self._forget_view(view)

    async def ping(self):
        """Return True if the session is there and its owner answers."""
        expect(await self._request(wire.PING, {}), wire.PONG)
        return True

    async def shutdown(self):
        """End the session with all its views."""
        try:
            expect(await self._request(wire.SHUTDOWN, {}), wire.ENDED)
        except asyncio.CancelledError:  # it ends all the same
            self._ended()
            raise
        self._ended()

    def _ended(self):
        self._views.clear()
        self._epoch = self._last = self._sent = 0
        self._unsettled = None

    def _forget_view(self, view):
        if view in self._views:
            self._views.remove(view)

    async def _event(self, name, params, view_id, flags):
        body = {"view": self._view(view_id), "name": name, "params": params}
        async with self._lock:
            await self._settle()
            reply = await self._numbered(body, flags)
        fields = expect(reply, wire.DONE)
        patch = fields.get("patch")
        html = fields.get("html")
        return {
            "html": html.decode() if html is not None else None,
            "patches": json.loads(patch) if patch else None,
            "version": fields["version"],
        }

    async def _numbered(self, body, flags):
        """Send an event under the number that follows the last one.

        After events without a reply several numbers may be meant. The one behind them all is tried first; a gap says
        that the last of them was not executed, and a repeat that it was executed just now after all.
        """
        doubtful = range(self._sent, self._last, -1)
        number = self._sent + 1
        reply = await self._send_event(body, flags, number)
        for number in doubtful:
            if not _is_gap(reply):
                break
            reply = await self._send_event(body, flags, number)
        while reply.flags & wire.REPEAT:
            number += 1
            reply = await self._send_event(body, flags, number)
        return reply

    async def _send_event(self, body, flags, number):
        try:
            options = {"flags": flags, "epoch": self._epoch, "sequence": number}
            reply = await self._whole(wire.EVENT, body, number, **options)
        except ActorError as error:
            if error.kind == "timeout":
                self._sent = max(self._sent, number)
            raise
        self._count(number, reply)
        if reply.kind == wire.NOT_EXECUTED and reply.flags & wire.AGAIN and not _is_gap(reply):
            error = from_reply(reply.kind, reply.body)
            text = f"{error.message}; but it had been sent before: whether it was executed is not known"
            raise ActorError(error.kind, text, "unknown")
        return reply

    def _count(self, number, reply):
        """What a reply says of the number of its event."""
        if reply.kind != wire.NOT_EXECUTED:
            self._last = self._sent = number
        elif reply.flags & wire.AGAIN and not _is_gap(reply):
            self._sent = max(self._sent, number)

    async def _whole(self, kind, body, number=0, **options):
        """The reply to a request that changes the count or the views. A caller that is cancelled does not cancel it:
        it may be under way, and the next request waits for what it comes to, so that its number is not used twice.
        """
        future = asyncio.ensure_future(transport.get().submit(kind, self.id, body, **options))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.cancelled():
                future.add_done_callback(_seen)
                self._unsettled = future, kind, number
            raise

    async def _settle(self):
        """Take notice of what the last request came to whose caller was cancelled. With the lock."""
        if self._unsettled is None:
            return
        future, kind, number = self._unsettled
        await _wait_for(future)
        self._unsettled = None
        if not future.done() or future.cancelled() or future.exception() is not None:
            self._sent = max(self._sent, number)
        elif kind == wire.EVENT:
            self._count(number, future.result())
        elif kind == wire.MOUNT and future.result().kind == wire.MOUNTED:
            self._drop_mounted(future.result())

    def _drop_mounted(self, reply):
        """Nobody knows of the view that a cancelled mount() made."""
        fields = wire.unpack_body(reply.body)
        if "view" in fields:
            self._epoch, self._last, self._sent = reply.epoch, fields["last"], fields["last"]
            transport.get().send(wire.UNMOUNT, self.id, {"view": fields["view"]}, epoch=self._epoch)

    async def _request(self, kind, body, **options):
        return await transport.get().submit(kind, self.id, body, **options)

    def _view(self, view_id):
        if view_id is not None:
            return uuid.UUID(view_id).bytes
        if not self._views:
            raise ActorError("view_not_found", "no view is mounted by this handle", "not_executed")
        return self._views[-1]


async def _wait_for(future):
    """Until it is done. Of a loop that does not run any more it never will be."""
    loop = future.get_loop()
    if loop is asyncio.get_running_loop():
        await asyncio.wait((future,))
    elif loop.is_running():
        waiting = asyncio.run_coroutine_threadsafe(asyncio.wait((future,)), loop)
        await asyncio.wrap_future(waiting)


def _seen(future):
    """Its exception, if it ends in one, is no surprise to the loop."""
    if not future.cancelled():
        future.exception()


def _is_gap(reply):
    return reply.kind == wire.NOT_EXECUTED and wire.unpack_body(reply.body).get("reason") == "gap"


async def create_session_actor(session_id):
    """A SessionActor. session_id: a str (UUID text, or any other name), 16 bytes or a UUID. Nothing is sent
    yet.
    """
    return SessionActor(session_id)
