"""What a mount does beside the page, done to the page's own request: Django's middleware answers with it.

The worker's request is another one. So it gets what the page's has and nobody has stored yet; and what mount() and the
template did to the session, the messages and the CSRF token is done to the page's request, whose middleware sets the
cookies, as for any view.

May use the ORM. Not for threads that run a loop.
"""

import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.http import HttpRequest
from django.middleware import csrf
from django.utils.functional import SimpleLazyObject

from .. import conf

Effects = dict[str, Any]  # of MOUNTED or FAILED (proto/PROTOCOL.md 5.2)


def prepare(request: HttpRequest) -> None:
    """Before a mount: makes sure that the response sets the CSRF cookie, and stores what the session has got so far.

    SessionInterrupted: the session was deleted meanwhile.
    """
    csrf.get_token(request)
    session = getattr(request, "session", None)
    if session is None:
        return
    if settings.CSRF_USE_SESSIONS and csrf.CSRF_SESSION_KEY not in session:
        session[csrf.CSRF_SESSION_KEY] = request.META["CSRF_COOKIE"]  # as CsrfViewMiddleware does, with the response
    if not session.modified or session.is_empty():
        return
    try:
        _committed(session, session.save)
    except UpdateError as error:
        raise SessionInterrupted(
            "The request's session was deleted before the request completed. The user may have logged out in a "
            "concurrent request, for example."
        ) from error


def _committed(session: Any, save: Callable[[], object]) -> None:
    """Saves so that a worker sees it: on a connection of its own, if this one is in a transaction."""
    model = getattr(session, "model", None)
    if model is None or conf.is_inproc() or not connections[router.db_for_write(model)].in_atomic_block:
        save()
        return
    raised: list[Exception] = []

    def run() -> None:
        try:
            save()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name="troupe-session")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def messages_so_far(request: HttpRequest) -> dict[str, list[list[Any]]] | None:
    """The messages of this request that no storage has yet. None: there are none."""
    storage = getattr(request, "_messages", None)
    if storage is None:
        return None
    found = {}
    if storage._queued_messages:
        found["queued"] = [_entry(message) for message in storage._queued_messages]
    if storage.used:  # what was shown may be nowhere else
        found["loaded"] = [_entry(message) for message in storage._loaded_data]
    return found or None


def _entry(message: Message) -> list[Any]:
    message._prepare()
    return [message.level, message.message, message.extra_tags]


def apply(request: HttpRequest, effects: Effects) -> None:
    """After a mount, whatever came of it."""
    session = getattr(request, "session", None)
    if session is not None:
        _apply_to_session(request, session, effects)
    elif "session" in effects:
        raise ImproperlyConfigured(
            "mount() wrote to the session, and the page's request has none: add SessionMiddleware to MIDDLEWARE"
        )
    if "csrf" in effects:
        request.META.update(CSRF_COOKIE=effects["csrf"], CSRF_COOKIE_NEEDS_UPDATE=True)
    told = effects.get("messages", {})
    if told.get("used") and hasattr(request, "_messages"):
        list(request._messages)
    add_messages(request, [Message(level, text, extra_tags=tags) for level, text, tags in told.get("new", ())])


def add_messages(request: Any, messages: list[Message]) -> None:
    """Adds messages to those of the page's own request, whatever their level: they were let through once."""
    storage = getattr(request, "_messages", None)
    if messages and storage is not None:
        storage._queued_messages.extend(messages)
        storage.added_new = True


def _apply_to_session(request: Any, session: Any, effects: Effects) -> None:
    # It was stored before the mount: what it is now is read again, if anybody asks.
    vars(session).pop("_session_cache", None)
    login = effects.get("login")
    if login is not None:
        session._session_key = login["session_key"]
    if "session" in effects:
        session.modified = True
    if login is not None and hasattr(request, "user"):
        from django.contrib.auth import get_user

        for name in ("_cached_user", "_acached_user"):
            vars(request).pop(name, None)
        request.user = SimpleLazyObject(lambda: get_user(request))
