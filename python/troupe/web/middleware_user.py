"""Who a socket's user is where no Django session says so, but middleware: from the headers of a proxy, mostly.

A page's user comes from the project's MIDDLEWARE, a socket's from Channels' AuthMiddlewareStack, which knows sessions
only. So where a page's user did not come from its session, the socket's handshake is put through that MIDDLEWARE as a
request of the page. Nobody gets more than over HTTP: what decides are the socket's own headers and cookies.

May use the ORM.
"""

import functools
import logging
from collections.abc import Iterator
from contextvars import copy_context
from io import BytesIO
from typing import Any

from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders
from django.utils.module_loading import import_string

from ..errors import TokenError
from ..logs import quoted, word
from . import request_facts
from .request_facts import Login, Scope

logger = logging.getLogger("troupe")


_ASKED = "troupe.middleware_user"  # in a scope: its user comes from here
# Stock middleware asks for these, and does without.
_OFTEN_MISSING = {"HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_IF_NONE_MATCH"}


class UserUnknown(TokenError):
    """The page has a user, and its socket has none: loading the page again would not help. str(): why, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("user_unknown")
        self.args = (message,)


class _Handler(BaseHandler):
    """The project's MIDDLEWARE around a view that only notes that it was reached."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=True)

    async def _get_response_async(self, request: HttpRequest) -> HttpResponse:
        request._troupe_reached = True
        return HttpResponse()


class _Headers(HttpHeaders):
    """Headers that record which were asked for in vain."""

    def __init__(self, environ: dict[str, Any], missed: list[str]) -> None:
        super().__init__(environ)
        self._missed = missed

    def __getitem__(self, key: str) -> str:
        try:
            return super().__getitem__(key)
        except KeyError:
            self._missed.append(key.replace("_", "-"))
            raise


class _Meta(dict[str, Any]):
    """META that records which headers were asked for in vain."""

    missed: list[str]

    def __missing__(self, key: str) -> Any:
        self._note(key)
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """See dict."""
        if key not in self and key not in _OFTEN_MISSING:
            self._note(key)
        return super().get(key, default)

    def _note(self, key: str) -> None:
        if key.startswith("HTTP_") or key == "REMOTE_USER":
            self.missed.append(key.removeprefix("HTTP_").replace("_", "-").title())


@functools.cache
def _handler() -> _Handler:
    return _Handler()


def login(scope: Scope, url: str, expected: str | None) -> Login:
    """Who is logged in according to the project's middleware. url: the page's path and query.
    expected: the page's user. UserUnknown: it does not
    say.

    The scope then has the user, so that this is asked once for each socket.
    """
    request = _request(scope, url)
    missed: list[str] = []
    request.META = _Meta(request.META)
    request.META.missed = missed
    request.headers = _Headers(request.META, missed)
    # In a context of its own: middleware activates languages and the like.
    response = copy_context().run(async_to_sync(_handler().get_response_async), request)
    response.close()
    user = getattr(request, "user", None)
    if not getattr(request, "_troupe_reached", False) or user is None:
        raise UserUnknown(_why(missed, response, request))
    key = request_facts.user_key(user)
    if key is None and expected is not None:
        raise UserUnknown(_why(missed, response, request))
    scope["user"], scope[_ASKED] = user, True
    if scope.get("session") is None and hasattr(request, "session"):
        scope["session"] = request.session
    return request_facts.login_of_scope(scope, False)


def is_asked(scope: Scope) -> bool:
    """Whether the scope's user is what login() has found."""
    return _ASKED in scope


def forget(scope: Scope) -> None:
    """Has login() asked again for this socket: middleware may say something else by now."""
    if scope.pop(_ASKED, False):
        scope.pop("user", None)


def _request(scope: Scope, url: str) -> ASGIRequest:
    path, _, query = url.partition("?")
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"connection", b"upgrade") and not name.startswith(b"sec-websocket-")
    ]
    scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    more = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    return ASGIRequest({**scope, **more, "scheme": scheme}, BytesIO())


def _why(missed: list[str], response: HttpResponse, request: HttpRequest) -> str:
    text = "the page's user came from middleware and not from a Django session, and the socket's handshake has no user"
    if not getattr(request, "_troupe_reached", False):
        text += f": MIDDLEWARE answered it with status {response.status_code}"
    if missed:
        names = ", ".join(dict.fromkeys(missed))
        text += f"; headers that middleware asked for and that it lacks: {names}. The proxy must set them there, too"
    else:
        text += ". Middleware of your own in the ASGI application may set scope['user']"
    return text


# RemoteUserMiddleware


@functools.cache
def _remote_user_middleware() -> tuple[Any, ...]:
    return tuple(_classes())


def _classes() -> Iterator[Any]:
    if not apps.is_installed("django.contrib.auth"):
        return
    from django.contrib.auth.middleware import RemoteUserMiddleware

    for path in settings.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:  # Django says so itself
            continue
        if isinstance(found, type) and issubclass(found, RemoteUserMiddleware):
            yield found


def check_remote_user(scope: Scope, login: Login) -> None:
    """As RemoteUserMiddleware, for a user whom it has logged in: their header must say the same on the socket.

    UserUnknown: the header is missing, so a page would log them out. TokenError(foreign): it names another user.
    """
    for middleware in _remote_user_middleware() if login["user"] is not None else ():
        backend = _remote_user_backend(login["backend"])
        if backend is None:
            continue  # logged in otherwise, which that middleware leaves alone
        # Under ASGI, Django 5.2 prepends HTTP_ to the name by itself.
        names = {middleware.header.removeprefix("HTTP_").replace("_", "-").lower()}
        found = [value for name, value in request_facts.scope_headers(scope) if name in names]
        if found:
            if backend.clean_username(found[0]) != _username(login, backend):
                raise TokenError("foreign")
        elif middleware.force_logout_if_no_header:
            raise UserUnknown(
                f"the socket's handshake lacks the header {names.pop()}, from which {middleware.__name__} takes the "
                "user of each page: the proxy must set it there, too. Or use PersistentRemoteUserMiddleware, if it is "
                "enough that the page for logging in has it"
            )


def _remote_user_backend(path: str | None) -> Any:
    from django.contrib.auth import load_backend
    from django.contrib.auth.backends import RemoteUserBackend

    backend = load_backend(path) if path in settings.AUTHENTICATION_BACKENDS else None
    return backend if isinstance(backend, RemoteUserBackend) else None


def _username(login: Login, backend: Any) -> str | None:
    from django.contrib.auth import get_user_model

    user = backend.get_user(get_user_model()._meta.pk.to_python(login["user"]))
    return user.get_username() if user is not None else None


def log_unknown(error: UserUnknown, path: str, view: str) -> None:
    """One line for a socket that is refused."""
    logger.error("event=user_unknown view=%s path=%s reason=%s", word(view), quoted(path), quoted(error))


def _clear(*, setting: str, **_: object) -> None:
    if setting == "MIDDLEWARE":
        _handler.cache_clear()
        _remote_user_middleware.cache_clear()


setting_changed.connect(_clear, dispatch_uid="troupe.middleware_user")
