"""Logging out ends the person's live sessions, in every worker."""

import asyncio
import logging

from django.contrib.auth.signals import user_logged_out

from .. import conf, wire
from ..errors import ActorError
from ..logs import quoted
from . import client_thread, transport
from .request_facts import identity_of

logger = logging.getLogger("troupe")

AGAIN_AFTER = 1.0  # s


def connect():
    """Listen to Django's signal."""
    user_logged_out.connect(_logged_out, dispatch_uid="troupe.logout")


def _logged_out(request, **_):
    identity = identity_of(getattr(getattr(request, "session", None), "session_key", None))
    if identity:
        client_thread.post(end_sessions, identity)


def end_sessions(identity):
    """Send LOGOUT, and once more a little later.

    Django tells of a logout before it flushes the session: a page that loads between the two would outlive
    it.
    """
    _send(identity)
    if not conf.is_inproc():
        asyncio.get_running_loop().call_later(AGAIN_AFTER, _send, identity)


def _send(identity):
    try:
        transport.get().send(wire.LOGOUT, wire.NO_SESSION, {"identity": identity}, lost=_lost)
    except ActorError as error:
        _lost(error)


def _lost(error):
    logger.error("event=logout_not_sent reason=%s", quoted(error))
