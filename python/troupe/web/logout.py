"""Logging out ends the user's live sessions, in every worker."""

import asyncio
import logging
from typing import Any

from django.contrib.auth.signals import user_logged_out

from .. import conf, wire
from ..errors import ActorError
from ..logs import quoted
from ..wire import identity_of
from . import client_thread, transport

logger = logging.getLogger("troupe")

REPEAT_AFTER = 1.0  # s


def connect() -> None:
    """Connects to Django's user_logged_out."""
    user_logged_out.connect(_logged_out, dispatch_uid="troupe.logout")


def _logged_out(request: Any, **_: object) -> None:
    if getattr(request, "_troupe_worker", False):
        return  # in a handler: the socket that gets its answer ends the others, after this page has moved on
    identity = identity_of(getattr(getattr(request, "session", None), "session_key", None))
    if identity:
        client_thread.post(end_sessions, identity)


def end_sessions(identity: bytes) -> None:
    """Sends LOGOUT now and once more a little later. On a running loop.

    Django sends its signal before it flushes the session: a page that loads in between would outlive the first LOGOUT.
    """
    _send(identity)
    if not conf.is_inproc():
        asyncio.get_running_loop().call_later(REPEAT_AFTER, _send, identity)


def _send(identity: bytes) -> None:
    try:
        transport.get().send(wire.LOGOUT, wire.NO_SESSION, {"identity": identity}, lost=_log_lost)
    except ActorError as error:
        _log_lost(error)


def _log_lost(error: ActorError) -> None:
    logger.error("event=logout_not_sent reason=%s", quoted(error))
