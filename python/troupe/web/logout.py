"""What ends live sessions from outside, in every worker: a log-out those of its Django session, disconnect_user() those
of a user.
"""

import asyncio
import functools
import logging
from concurrent.futures import Future
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import router, transaction

from .. import conf, session_engine, wire
from ..errors import ActorError, expect
from ..logs import quoted
from . import client_thread, request_facts, transport

logger = logging.getLogger("troupe")

REPEAT_AFTER = 1.0  # s
CONFIRM_WAIT = 10.0  # s


def connect() -> None:
    """Connects to Django's user_logged_out."""
    user_logged_out.connect(_logged_out, dispatch_uid="troupe.logout")


def _logged_out(request: Any, user: Any = None, **_: object) -> None:
    if getattr(request, "_troupe_worker", False):
        return  # in a handler: the socket that gets its answer ends the others, after this page has moved on
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    identity = session_engine.identity_of(request_facts.user_key(user), session_key)
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


def disconnect_user(user: Any) -> None:
    """Ends all live pages of a user, in every browser and worker: each is loaded again, and Django says what its user
    may see by now. They stay logged in; whoever should not has to be deactivated, say, or lose their Django sessions.
    A page that no worker has (its browser sleeps, or it moves to another worker just then) is asked when it comes back.

    Call it from any process, after the change that it is for. In a transaction it happens when that is committed.

    user: a saved user, or a primary key. ValueError: it is neither. ActorError: no broker answers; in a transaction
    that is logged instead, as the caller has gone on by then.
    """
    mark = _mark_of(user)
    if _waits_for_commit(mark):
        return
    if conf.is_inproc():
        _send(mark)
    else:
        _start(mark).result()


async def adisconnect_user(user: Any) -> None:
    """disconnect_user() for async code."""
    mark = _mark_of(user)
    if _waits_for_commit(mark):
        return
    if conf.is_inproc():
        _send(mark)
    else:
        await asyncio.wrap_future(_start(mark))


def _mark_of(user: Any) -> bytes:
    model = get_user_model()
    if not hasattr(user, "is_authenticated"):
        if user is None or isinstance(user, bool):
            raise ValueError(f"disconnect_user() takes a user or a primary key, not {user!r}")
        user = model(pk=model._meta.pk.to_python(user))
    key = request_facts.user_key(user)
    if key is None or user.pk is None:
        raise ValueError(f"disconnect_user() takes a user who has been saved, not {user!r}")
    return wire.user_mark(key)


def _waits_for_commit(mark: bytes) -> bool:
    """Whether there is a transaction, in which other processes would not see the change yet."""
    connection = transaction.get_connection(router.db_for_write(get_user_model()))
    if not connection.in_atomic_block:
        return False
    if conf.is_inproc():
        connection.on_commit(functools.partial(_send, mark))
    else:
        connection.on_commit(lambda: _start(mark).result(), robust=True)  # Django logs what it raises
    return True


def _start(mark: bytes) -> Future[None]:
    return client_thread.start(_end_sessions_of, mark)


async def _end_sessions_of(mark: bytes) -> None:
    """Returns when the broker has passed it on: a management command ends right after."""
    client = transport.get()
    client.send(wire.LOGOUT, wire.NO_SESSION, {"identity": mark})
    expect(await client.submit(wire.PING, wire.NO_SESSION, {}, timeout=CONFIRM_WAIT), wire.PONG)
