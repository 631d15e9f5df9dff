"""SessionActor: a handle on one session, for Python code that mounts views and sends them events."""

import asyncio
import hashlib
import json
import uuid
from typing import Any

from .. import project, wire
from ..errors import ActorError, effects_shown, expect, from_reply
from ..wire import Body
from . import transport
from .fifo_lock import FifoLock
from .transport.base import Reply


def session_bytes(session_id: str | bytes | uuid.UUID) -> bytes:
    """The 16 bytes of a session id: those of a UUID or its text, 16 bytes as given, or the BLAKE2b-16 of other text.

    ValueError: bytes of another length, or all zero.
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
    """A session and its views, wherever it lives. Usable from any running loop; its events run one after the other.

    All methods raise ActorError. session_id: what the handle was made with, as text.
    """

    def __init__(self, session_id: str | bytes | uuid.UUID) -> None:
        self.id = session_bytes(session_id)
        self.session_id = session_id if isinstance(session_id, str) else str(uuid.UUID(bytes=self.id))
        self._lock = FifoLock()
        self._epoch = 0
        self._last = 0  # number of the last event that is known to have been executed
        self._sent = 0  # events from there to this number got no reply: whether they used it up is unknown
        # (future, kind, number) of a request whose caller was cancelled.
        self._unsettled: tuple[asyncio.Future[Reply], int, int] | None = None
        self._views: list[bytes] = []

    async def mount(self, view_path: str, params: dict[str, Any], python_view: Any = None) -> dict[str, Any]:
        """Mounts the view `view_path` with `mount(request, **params)`.

        python_view: over inproc:// only, an instance to use as it is: its `mount` is not called, and the path is only a
        label. Returns {"html": str, "session_id": str, "view_id": 32 hex digits, "version": int}.
        """
        async with self._lock:
            await self._settle()
            body = {"path": view_path, "params": params, "request": {"project": project.identity()}}
            reply = await self._uncancelled(wire.MOUNT, body, flags=wire.HTML, view=python_view)
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

    async def event(self, name: str, params: dict[str, Any], view_id: str | None = None) -> dict[str, Any]:
        """Calls the handler `name(**params)` of a view: the one mounted last, or that of `view_id`.

        Returns {"html": str, the view's HTML as Django renders it; "patches": what changed, by slot (PROTOCOL.md 9.6),
        or None; "version": int; "redirect": where the handler sends the user, or None}. With a redirect nothing is
        rendered.
        """
        return await self.send_event(name, params, view_id, wire.HTML)

    async def unmount(self, view_id: str | None = None) -> None:
        """Drops one view: the one mounted last, or that of `view_id`."""
        view = self._view(view_id)
        try:
            expect(await self._request(wire.UNMOUNT, {"view": view}, epoch=self._epoch), wire.UNMOUNTED)
        except asyncio.CancelledError:  # the request was sent: the view is dropped regardless
            self._forget_view(view)
            raise
        self._forget_view(view)

    async def ping(self) -> bool:
        """Returns True if the session is there and its owner answers."""
        expect(await self._request(wire.PING, {}), wire.PONG)
        return True

    async def shutdown(self) -> None:
        """Ends the session with all its views."""
        try:
            expect(await self._request(wire.SHUTDOWN, {}), wire.ENDED)
        except asyncio.CancelledError:  # the request was sent: the session ends regardless
            self._ended()
            raise
        self._ended()

    def _ended(self) -> None:
        self._views.clear()
        self._epoch = self._last = self._sent = 0
        self._unsettled = None

    def _forget_view(self, view: bytes) -> None:
        if view in self._views:
            self._views.remove(view)

    async def send_event(
        self, name: str, params: dict[str, Any], view_id: str | None, flags: int
    ) -> dict[str, Any]:
        """As event(), with these flags. "html" is None without wire.HTML."""
        body = {"view": self._view(view_id), "name": name, "params": params}
        async with self._lock:
            await self._settle()
            reply = await self._send_numbered(body, flags)
        fields = expect(reply, wire.DONE)
        patch = fields.get("patch")
        html = fields.get("html")
        return {
            "html": html.decode() if html is not None else None,
            "patches": json.loads(patch) if patch else None,
            "redirect": effects_shown(fields.get("effects")).get("redirect"),
            "version": fields["version"],
        }

    async def _send_numbered(self, body: Body, flags: int) -> Reply:
        """Sends an event under the number that follows the last one.

        After events without a reply, several numbers may follow. The highest is tried first: a gap says that the event
        before it was not executed, and a repeat that it has been executed meanwhile.
        """
        unknown = range(self._sent, self._last, -1)
        number = self._sent + 1
        reply = await self._send_once(body, flags, number)
        for number in unknown:
            if not _is_gap(reply):
                break
            reply = await self._send_once(body, flags, number)
        while reply.flags & wire.REPEAT:
            number += 1
            reply = await self._send_once(body, flags, number)
        return reply

    async def _send_once(self, body: Body, flags: int, number: int) -> Reply:
        try:
            options = {"flags": flags, "epoch": self._epoch, "sequence": number}
            reply = await self._uncancelled(wire.EVENT, body, number, **options)
        except ActorError as error:
            if error.kind == "timeout":
                self._sent = max(self._sent, number)
            raise
        self._count(number, reply)
        if reply.kind == wire.NOT_EXECUTED and reply.flags & wire.AGAIN and not _is_gap(reply):
            refusal = from_reply(reply.kind, reply.body)
            text = f"{refusal.message}; but it had been sent before, and whether that was executed is not known"
            raise ActorError(refusal.kind, text, "unknown")
        return reply

    def _count(self, number: int, reply: Reply) -> None:
        """Updates the event numbers from a reply."""
        if reply.kind != wire.NOT_EXECUTED:
            self._last = self._sent = number
        elif reply.flags & wire.AGAIN and not _is_gap(reply):
            self._sent = max(self._sent, number)

    async def _uncancelled(self, kind: int, body: Body, number: int = 0, **options: Any) -> Reply:
        """The reply to a request that changes the numbers or the views. Cancelling the caller does not cancel it: it
        may be running, and the next request waits for its outcome, so that no number is used twice.
        """
        future = asyncio.ensure_future(transport.get().submit(kind, self.id, body, **options))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.cancelled():
                future.add_done_callback(_retrieve)
                self._unsettled = future, kind, number
            raise

    async def _settle(self) -> None:
        """Waits for the last request whose caller was cancelled, and applies its outcome. The lock is held."""
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

    def _drop_mounted(self, reply: Reply) -> None:
        """Unmounts the view of a cancelled mount(): the caller never got its id."""
        fields = wire.unpack_body(reply.body)
        if "view" in fields:
            self._epoch, self._last, self._sent = reply.epoch, fields["last"], fields["last"]
            transport.get().send(wire.UNMOUNT, self.id, {"view": fields["view"]}, epoch=self._epoch)

    async def _request(self, kind: int, body: Body, **options: Any) -> Reply:
        return await transport.get().submit(kind, self.id, body, **options)

    def _view(self, view_id: str | None) -> bytes:
        if view_id is not None:
            return uuid.UUID(view_id).bytes
        if not self._views:
            raise ActorError("view_not_found", "no view is mounted by this handle", "not_executed")
        return self._views[-1]


async def _wait_for(future: asyncio.Future[Reply]) -> None:
    """Waits until it is done. Returns at once if its loop no longer runs: it will never be done."""
    loop = future.get_loop()
    if loop is asyncio.get_running_loop():
        await asyncio.wait((future,))
    elif loop.is_running():
        waiting = asyncio.run_coroutine_threadsafe(asyncio.wait((future,)), loop)
        await asyncio.wrap_future(waiting)


def _retrieve(future: asyncio.Future[Reply]) -> None:
    """Retrieves the exception, so that asyncio does not report it."""
    if not future.cancelled():
        future.exception()


def _is_gap(reply: Reply) -> bool:
    return reply.kind == wire.NOT_EXECUTED and wire.unpack_body(reply.body).get("reason") == "gap"


async def create_session_actor(session_id: str | bytes | uuid.UUID) -> SessionActor:
    """A SessionActor. session_id: text (of a UUID, or any other name), 16 bytes, or a UUID. Sends nothing."""
    return SessionActor(session_id)
