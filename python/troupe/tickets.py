"""Tickets: how a page gets cookies that its socket cannot set, without JavaScript seeing them (proto/PROTOCOL.md 9.7).

The session engine keeps the cookies, under a hash of the ticket. May use the ORM.
"""

import functools
import hashlib
import secrets
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings

SECONDS = 60
HEADER = "X-Troupe-Ticket"

_COOKIES, _BOUND = "_troupe_cookies", "_troupe_bound"


def make(cookies: list[str], session_key: str | None) -> str:
    """A ticket for these Set-Cookie texts. session_key: of the browser's session cookie by now; only it may have them.

    RuntimeError: there is no session engine to keep them.
    """
    if not apps.is_installed("django.contrib.sessions") or is_in_cookies(_engine()):
        names = ", ".join(text.partition("=")[0] for text in cookies)
        raise RuntimeError(
            f"an event cannot set cookies ({names}) without django.contrib.sessions and a SESSION_ENGINE that keeps "
            "sessions on the server"
        )
    ticket = secrets.token_urlsafe(24)
    store = _store(ticket)
    # Assigned, since Django would look for the session before it adds to it.
    store._session_cache = {_COOKIES: cookies, _BOUND: _hash(session_key or ""), "_session_expiry": SECONDS}
    store.save(must_create=True)
    return ticket


def redeem(ticket: str, session_key: str | None) -> list[str] | None:
    """The Set-Cookie texts, once. None: there is no such ticket any more, or it is another browser's."""
    store = _store(ticket)
    contents = store.load()
    if _COOKIES not in contents or contents[_BOUND] not in (_hash(session_key or ""), _hash("")):
        return None
    store.delete(store.session_key)
    cookies: list[str] = contents[_COOKIES]
    return cookies


def _store(ticket: str) -> Any:
    return _engine()("troupe" + _hash(ticket))


def _engine() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


@functools.cache
def is_in_cookies(engine: type[Any]) -> bool:
    """Whether this SessionStore keeps the contents in the browser's cookie: Django's own, or one derived from it."""
    from django.contrib.sessions.backends import signed_cookies

    return issubclass(engine, signed_cookies.SessionStore)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
