"""The request map, from which a worker rebuilds the request (proto/PROTOCOL.md 6): made from Django's HttpRequest, or
from a socket's scope and a page token.

These functions may read the session and the user: call them where the ORM may be used.
"""

from collections.abc import Iterable
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NotRequired, TypedDict, cast

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, parse_cookie
from django.middleware import csrf
from django.utils import timezone, translation

from .. import project
from .._limits import MAX_URL
from ..wire import MountRequestMap, RequestMap
from . import mount_effects, page_facts

# Headers of a socket's handshake that say nothing of the page.
_OF_HANDSHAKE = ("connection", "upgrade", "cache-control", "pragma")
_MAX_ENTRIES = 64
_MAX_HEADERS = 32 << 10  # bytes
_MAX_COOKIES = 16 << 10  # bytes

Scope = dict[str, Any]  # of ASGI


class RequestTooLarge(Exception):
    """The path or the query is longer than MAX_URL."""


class PageFacts(page_facts.Optional):
    """The part of a page token that a request map takes over."""

    url: str
    attrs: dict[str, bytes]
    language: str | None
    time_zone: str | None
    route: str | None
    headers: NotRequired[dict[str, str]]  # that browsers send with pages only; tokens of older code have none


class Login(TypedDict):
    """Who is logged in. user: the primary key as Django serializes it; None: anonymous. backend: the dotted path of the
    authentication backend.
    """

    user: str | None
    backend: str | None
    session_key: str | None


def user_key(user: Any) -> str | None:
    """The user's primary key as Django serializes it. None: an anonymous user. ImproperlyConfigured: no model."""
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    if not hasattr(user, "_meta"):
        raise ImproperlyConfigured(
            f"request.user is a {type(user).__name__}, which is no model: no worker could load it. Set an anonymous "
            "user there, and what is known of the visitor in an attribute that TROUPE['REQUEST_ATTRS'] names"
        )
    return str(user._meta.pk.value_to_string(user))


def of_http(request: HttpRequest) -> MountRequestMap:
    """The request map of an HttpRequest. Stores what its session has got so far.

    RequestTooLarge, SessionInterrupted.
    """
    mount_effects.prepare(request)
    session = getattr(request, "session", None)
    query = request.META.get("QUERY_STRING", "")
    if len(request.path) > MAX_URL or len(query) > MAX_URL:
        raise RequestTooLarge
    page: RequestMap = {
        "method": "GET",
        "path": request.path,
        "query": query,
        "scheme": request.scheme,
        "headers": _headers((name.lower(), value) for name, value in request.headers.items()),
        "cookies": _cookies(request.COOKIES),
        "remote_addr": request.META.get("REMOTE_ADDR") or "",
        "server": [request.META.get("SERVER_NAME") or "", _port(request.META.get("SERVER_PORT"))],
        "csrf": request.META.get("CSRF_COOKIE"),
        "meta": page_facts.meta(request),
        "attrs": page_facts.attrs(request),
        "language": translation.get_language(),
        "time_zone": timezone.get_current_timezone_name(),
        "project": project.identity(),
        "route": None,
        **_login(getattr(request, "user", None), session),
        **page_facts.optional(request),
    }
    facts = cast(MountRequestMap, page)
    if hasattr(request, "user") and facts["user"] != (session.get("_auth_user_id") if session is not None else None):
        facts["by_middleware"] = True
    messages = mount_effects.messages_so_far(request)
    if messages is not None:
        facts["messages"] = messages
    return facts


def of_scope(scope: Scope, login: Login, token: PageFacts) -> RequestMap:
    """The request map of a WebSocket: its own headers, who is logged in, and the rest as the page's token has it."""
    headers = {**_headers(scope_headers(scope)), **token.get("headers", {})}
    cookies = _scope_cookies(scope)
    path, _, query = token["url"].partition("?")
    server = scope.get("server") or ("", 0)
    client = scope.get("client") or ("", 0)
    facts: RequestMap = {
        "method": "GET",
        "path": path,
        "query": query,
        "scheme": "https" if scope.get("scheme") in ("wss", "https") else "http",
        "headers": headers,
        "cookies": _cookies(cookies),
        "remote_addr": client[0] or "",
        "server": [server[0] or "", _port(server[1])],
        "csrf": _scope_csrf(scope, cookies),
        "meta": {"REMOTE_PORT": client[1]} if client[1] else {},
        "attrs": token["attrs"],
        "language": token["language"],
        "time_zone": token["time_zone"],
        "project": project.identity(),
        "route": token.get("route"),  # tokens of older code have none
        **login,
        **page_facts.of_token(token),
    }
    language = page_facts.language_now(token, path, cookies, headers)
    if language is not None:
        facts["language"] = facts["language_code"] = language
    return facts


def scope_headers(scope: Scope) -> Iterable[tuple[str, str]]:
    """The headers of the handshake that a page's request would have had, too. A proxy that says "wss" where it says
    "https" of a page means the same.
    """
    secure, _ = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    secure = secure.removeprefix("HTTP_").replace("_", "-").lower()
    for name, value in ((name.decode("latin1").lower(), value.decode("latin1")) for name, value in scope["headers"]):
        if name == secure:
            value = {"wss": "https", "ws": "http"}.get(value, value)
        if name not in _OF_HANDSHAKE and not name.startswith("sec-websocket-"):
            yield name, value


def login_of_scope(scope: Scope, fresh: bool) -> Login:
    """Who is logged in on a socket: the scope's user and session, as Channels' AuthMiddlewareStack puts them there.

    With `fresh`, or without that middleware, the session is read again: the user may have logged out since the socket
    was opened.
    """
    session = scope.get("session")
    user = scope.get("user")
    if session is not None and user is not None and not (fresh and _is_by_session(session, user)):
        return _login(user, session)
    if not apps.is_installed("django.contrib.sessions"):
        return _login(user, None)
    if session is not None:
        key = session.session_key
    else:
        key = _scope_cookies(scope).get(settings.SESSION_COOKIE_NAME)
    current = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    if user is None or _is_by_session(session, user):
        user = user_of_session(current)
    return _login(user, current)


def logged_in(scope: Scope, login: Login) -> Scope:
    """The scope after a handler has logged the user in or out, or given the session another key: the handshake's
    headers have the cookies of before.
    """
    key = login["session_key"]
    cookies = dict(_scope_cookies(scope))
    cookies.pop(settings.SESSION_COOKIE_NAME, None)
    if key:
        cookies[settings.SESSION_COOKIE_NAME] = key
    changed = {**scope, "cookies": cookies}
    if scope.get("session") is not None:
        changed["session"] = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if scope.get("user") is not None and apps.is_installed("django.contrib.auth"):
        from django.contrib.auth.models import AnonymousUser

        changed["user"] = AnonymousUser()  # read again at the next join, as the session's user is
    return changed


def is_by_session(scope: Scope) -> bool:
    """Whether the user that login_of_scope() finds is that of a Django session."""
    if not apps.is_installed("django.contrib.sessions"):
        return False
    user = scope.get("user")
    return user is None or _is_by_session(scope.get("session"), user)


def _is_by_session(session: Any, user: Any) -> bool:
    """Whether the user comes from the Django session and not from a middleware of the project's own."""
    key = user_key(user)
    return session is None or key is None or session.get("_auth_user_id") == key


def user_of_session(session: Any) -> Any:
    """The user of a Django session as of now: anonymous if inactive, or logged in with an older password. Changes
    nothing in the session. None: django.contrib.auth is not installed.
    """
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import get_user

    return get_user(SimpleNamespace(session=_ReadOnlySession(session.items()), META={}))


class _ReadOnlySession(dict[str, Any]):
    """A session's contents for get_user(), which gives a session a new key after SECRET_KEY was changed, and empties
    one that is no longer valid. Both are for a request to do, whose response tells the browser.
    """

    def cycle_key(self) -> None:
        """See Django's."""

    def flush(self) -> None:
        """See Django's."""


def _login(user: Any, session: Any) -> Login:
    key = user_key(user)
    backend = session.get("_auth_user_backend") if key is not None and session is not None else None
    if key is not None and backend is None:
        backend = getattr(user, "backend", None)
    session_key = session.session_key if session is not None else None
    return {"user": key, "backend": backend, "session_key": session_key}


def _headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    return _within(((name, value) for name, value in items if name != "cookie"), _MAX_HEADERS)


def _cookies(cookies: dict[str, str]) -> dict[str, str]:
    """As many cookies as the limits allow, Django's own first."""
    django_names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME)
    first = [(name, cookies[name]) for name in django_names if name in cookies]
    return _within(first + [item for item in cookies.items() if item[0] not in django_names], _MAX_COOKIES)


def _within(items: Iterable[tuple[str, str]], limit: int) -> dict[str, str]:
    """As many of the items as the limits of PROTOCOL.md 6 allow. limit: bytes."""
    kept: dict[str, str] = {}
    for name, value in items:
        name, value = _encodable(name), _encodable(value)
        limit -= len(name.encode()) + len(value.encode())
        if limit < 0 or len(kept) >= _MAX_ENTRIES:
            break
        kept[name] = value
    return kept


def _encodable(value: object) -> str:
    """Text that UTF-8 can encode: raw header bytes may have become lone surrogates."""
    return str(value).encode("utf-8", "replace").decode()


def _port(value: Any) -> int:
    try:
        return int(value or 0)
    except ValueError:
        return 0


def _scope_cookies(scope: Scope) -> dict[str, str]:
    if "cookies" in scope:
        return scope["cookies"]
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            return parse_cookie(value.decode("latin1"))
    return {}


def _scope_csrf(scope: Scope, cookies: dict[str, str]) -> str | None:
    if not settings.CSRF_USE_SESSIONS:
        return cookies.get(settings.CSRF_COOKIE_NAME)
    session = scope.get("session")
    return session.get(csrf.CSRF_SESSION_KEY) if session is not None else None
