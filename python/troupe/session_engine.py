"""SESSION_ENGINE, as far as Troupe has to know it. May import models: call once Django is set up."""

import functools
from importlib import import_module
from typing import Any

from django.conf import settings

from . import wire


def store_class() -> Any:
    """The project's SessionStore."""
    return import_module(settings.SESSION_ENGINE).SessionStore


def is_in_cookies() -> bool:
    """Whether sessions are kept in the browser's cookie."""
    return _is_in_cookies(store_class())


@functools.cache
def _is_in_cookies(engine: type[Any]) -> bool:
    """Whether it is Django's own engine of that kind, or derived from it."""
    from django.contrib.sessions.backends import signed_cookies

    return issubclass(engine, signed_cookies.SessionStore)


def identity_of(user: str | None, session_key: str | None) -> bytes:
    """The 16 bytes by which LOGOUT finds the live sessions of a Django session; empty without one. user: the primary
    key, as text.

    What is in a cookie has no key: its text is another one after each write. There the user stands for the session, so
    that a log-out ends their pages in other browsers as well, which load again; an anonymous one has no identity.
    """
    if session_key and is_in_cookies():
        return wire.user_mark(user)
    return wire.identity_of(session_key)
