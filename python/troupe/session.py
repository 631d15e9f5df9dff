"""SessionActor: a handle on one session, for Python code that mounts views and sends them events."""

import hashlib
import json
import uuid

from . import transport, wire
from .errors import ActorError, expect, from_reply
from .turnlock import TurnLock


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
        self._lock = TurnLock()
        self._epoch = 0
        self._last = 0  # the number of the last event that was executed, as far as is known
        self._in_doubt = False  # an event got no reply: whether its number is used is not known
        self._views = []

    async def mount(self, view_path, params, python_view=None):
        """Mount the view `view_path` with `mount(request, **params)`.

        python_view: an instance to use as it is, over inproc:// only; then its `mount` is not called and the
        path is a label. Returns {"html": str, "session_id": str, "view_id": 32 hex digits, "version": int}.
        """
        async with self._lock:
            body = {"path": view_path, "params": params}
            reply = await self._request(wire.MOUNT, body, flags=wire.HTML, view=python_view)
            fields = expect(reply, wire.MOUNTED)
            if "status" in fields:
                text = f"{view_path}.mount() answered with HTTP status {fields['status']}, so there is no view"
                raise ActorError("python", text, view_path=view_path)
            self._epoch = reply.epoch
            self._last = fields["last"]
            self._in_doubt = False
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
        expect(await self._request(wire.UNMOUNT, {"view": view}, epoch=self._epoch), wire.UNMOUNTED)
        if view in self._views:
            self._views.remove(view)

    async def ping(self):
        """Return True if the session is there and its owner answers."""
        expect(await self._request(wire.PING, {}), wire.PONG)
        return True

    async def shutdown(self):
        """End the session with all its views."""
        expect(await self._request(wire.SHUTDOWN, {}), wire.ENDED)
        self._views.clear()
        self._epoch = self._last = 0

    async def _event(self, name, params, view_id, flags):
        body = {"view": self._view(view_id), "name": name, "params": params}
        async with self._lock:
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

        After an event without a reply two numbers may be meant. The one behind it is tried first; a gap says
        that the lost event was not executed, and a repeat that it was executed just now after all.
        """
        if not self._in_doubt:
            return await self._send_event(body, flags, self._last + 1)
        doubtful = self._last + 1
        reply = await self._send_event(body, flags, doubtful + 1)
        if not _is_gap(reply):
            return reply
        reply = await self._send_event(body, flags, doubtful)
        if reply.flags & wire.REPEAT:
            return await self._send_event(body, flags, doubtful + 1)
        return reply

    async def _send_event(self, body, flags, number):
        try:
            reply = await self._request(wire.EVENT, body, flags=flags, epoch=self._epoch, sequence=number)
        except ActorError as error:
            self._in_doubt = self._in_doubt or error.kind == "timeout"
            raise
        if reply.kind == wire.NOT_EXECUTED and reply.flags & wire.AGAIN and not _is_gap(reply):
            self._in_doubt = True
            error = from_reply(reply.kind, reply.body)
            text = f"{error.message}; but it had been sent before: whether it was executed is not known"
            raise ActorError(error.kind, text, "unknown")
        if reply.kind != wire.NOT_EXECUTED:
            self._last = number
            self._in_doubt = False
        return reply

    async def _request(self, kind, body, **options):
        return await transport.get().submit(kind, self.id, body, **options)

    def _view(self, view_id):
        if view_id is not None:
            return uuid.UUID(view_id).bytes
        if not self._views:
            raise ActorError("view_not_found", "no view is mounted by this handle", "not_executed")
        return self._views[-1]


def _is_gap(reply):
    return reply.kind == wire.NOT_EXECUTED and wire.unpack_body(reply.body).get("reason") == "gap"


async def create_session_actor(session_id):
    """A SessionActor. session_id: a str (UUID text, or any other name), 16 bytes or a UUID. Nothing is sent
    yet.
    """
    return SessionActor(session_id)
