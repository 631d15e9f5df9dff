"""What a worker rebuilds the request from (proto/PROTOCOL.md 6): from Django's HttpRequest, or from a
socket's scope and a page token.

The functions here may touch the session and the user, so call them where the ORM may be used.
"""

import hashlib
from importlib import import_module
from types import SimpleNamespace

from django.apps import apps
from django.conf import settings
from django.http import parse_cookie
from django.middleware import csrf
from django.utils import timezone, translation

from .. import conf
from .._limits import MAX_URL

_MAX_ENTRIES = 64
_MAX_HEADERS = 32 << 10
_MAX_COOKIES = 16 << 10


class RequestTooLarge(Exception):
    """The path or the query is over 8 KiB."""


def identity_of(session_key):
    """Whose session it is, as LOGOUT compares it: 16 bytes, or none without a Django session. The key itself
    does not travel so.
    """
    return hashlib.blake2b(session_key.encode(), digest_size=16).digest() if session_key else b""


def user_key(user):
    """The user's primary key as Django serializes it, or None for an anonymous one."""
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    return str(user._meta.pk.value_to_string(user))


def of_http(request):
    """The request map of an HttpRequest. Sets the CSRF cookie. RequestTooLarge: see there."""
    csrf.get_token(request)
    session = getattr(request, "session", None)
    if session is not None and session.session_key is None and session.modified and not session.is_empty():
        session.save()  # else the cookie that this response sets would make its own page foreign
    query = request.META.get("QUERY_STRING", "")
    if len(request.path) > MAX_URL or len(query) > MAX_URL:
        raise RequestTooLarge
    named = conf.get("REQUEST_ATTRS")
    facts = {
        "method": "GET",
        "path": request.path,
        "query": query,
        "scheme": request.scheme,
        "headers": _headers((name.lower(), value) for name, value in request.headers.items()),
        "cookies": _cookies(request.COOKIES),
        "remote_addr": request.META.get("REMOTE_ADDR") or "",
        "server": [request.META.get("SERVER_NAME") or "", _port(request.META.get("SERVER_PORT"))],
        "csrf": request.META.get("CSRF_COOKIE"),
        "attrs": {name: getattr(request, name) for name in named if hasattr(request, name)},
    }
    facts.update(_locale())
    facts.update(_person(getattr(request, "user", None), session))
    return facts


def of_scope(scope, person, token):
    """The request map of a WebSocket: its own headers, `person` from `person_of_scope`, the rest as the
    page's token says.
    """
    headers = ((name.decode("latin1").lower(), value.decode("latin1")) for name, value in scope["headers"])
    cookies = _scope_cookies(scope)
    path, _, query = token["url"].partition("?")
    server = scope.get("server") or ("", 0)
    client = scope.get("client") or ("", 0)
    facts = {
        "method": "GET",
        "path": path,
        "query": query,
        "scheme": "https" if scope.get("scheme") in ("wss", "https") else "http",
        "headers": _headers(headers),
        "cookies": _cookies(cookies),
        "remote_addr": client[0] or "",
        "server": [server[0] or "", _port(server[1])],
        "csrf": _scope_csrf(scope, cookies),
        "attrs": token["attrs"],
        "language": token["language"],
        "time_zone": token["time_zone"],
    }
    facts.update(person)
    return facts


def person_of_scope(scope, fresh):
    """Who is behind a socket: {"user", "backend", "session_key"}.

    The scope's user and session count, as Channels' AuthMiddlewareStack puts them there. With `fresh`, or
    without that middleware, the session is read anew: a person may have logged out since the socket opened.
    """
    session = scope.get("session")
    user = scope.get("user")
    if session is not None and user is not None and not (fresh and _by_session(session, user)):
        return _person(user, session)
    if not apps.is_installed("django.contrib.sessions"):
        return _person(user, None)
    if session is not None:
        key = session.session_key
    else:
        key = _scope_cookies(scope).get(settings.SESSION_COOKIE_NAME)
    store = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    if user is None or _by_session(session, user):
        user = user_of_session(store)
    return _person(user, store)


def _by_session(session, user):
    """Whether the user came from the Django session and not from a middleware of the project's own."""
    return session is None or user_key(user) is None or "_auth_user_id" in session


def is_by_session(scope):
    """Whether the user whom person_of_scope() finds is that of a Django session."""
    if not apps.is_installed("django.contrib.sessions"):
        return False
    user = scope.get("user")
    return user is None or _by_session(scope.get("session"), user)


def user_of_session(store):
    """The user of a Django session as it is now: inactive ones, and those of an older password, are nobody. Changes
    nothing in the session.
    """
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import get_user

    return get_user(SimpleNamespace(session=_Unchanged(store.items()), META={}))


class _Unchanged(dict):
    """A session's contents for get_user(), which gives a session a new key when SECRET_KEY was changed, and empties one
    that is no longer good: both are for a request to do, whose answer tells the browser.
    """

    def cycle_key(self):
        """Django's."""

    def flush(self):
        """Django's."""


def _person(user, session):
    key = user_key(user)
    backend = session.get("_auth_user_backend") if key is not None and session is not None else None
    if key is not None and backend is None:
        backend = getattr(user, "backend", None)
    session_key = session.session_key if session is not None else None
    return {"user": key, "backend": backend, "session_key": session_key}


def _locale():
    return {"language": translation.get_language(), "time_zone": timezone.get_current_timezone_name()}


def _headers(items):
    return _within(((name, value) for name, value in items if name != "cookie"), _MAX_HEADERS)


def _cookies(cookies):
    ours = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME)
    first = [(name, cookies[name]) for name in ours if name in cookies]
    return _within(first + [item for item in cookies.items() if item[0] not in ours], _MAX_COOKIES)


def _within(items, limit):
    """As many of the items as the limits of PROTOCOL.md 6 allow; one that is too long is left out."""
    kept = {}
    for name, value in items:
        name, value = _text(name), _text(value)
        limit -= len(name.encode()) + len(value.encode())
        if limit < 0 or len(kept) >= _MAX_ENTRIES:
            break
        kept[name] = value
    return kept


def _text(value):
    """Text that UTF-8 can carry: raw header bytes may have become lone surrogates."""
    return str(value).encode("utf-8", "replace").decode()


def _port(value):
    try:
        return int(value or 0)
    except ValueError:
        return 0


def _scope_cookies(scope):
    if "cookies" in scope:
        return scope["cookies"]
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}


def _scope_csrf(scope, cookies):
    if not settings.CSRF_USE_SESSIONS:
        return cookies.get(settings.CSRF_COOKIE_NAME)
    session = scope.get("session")
    return session.get(csrf.CSRF_SESSION_KEY) if session is not None else None
