"""The request as a view sees it in its worker: Django's HttpRequest, rebuilt from the map of proto/PROTOCOL.md 6.

The user and the session are read on first access: many views need neither.
"""

from importlib import import_module
from typing import Any, Literal

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, QueryDict
from django.http.cookie import SimpleCookie
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.functional import SimpleLazyObject

from ..wire import RequestMap


class WorkerRequest(HttpRequest):
    """A GET of the page that contains the view."""

    _troupe_worker = True  # so that {% live_view %} can tell
    _troupe_facts: RequestMap
    _troupe_url: str
    _troupe_scheme: str
    _troupe_language: str | None
    _troupe_time_zone: str | None
    _resolver_match: ResolverMatch | Literal[False] | None  # False: not resolved yet

    def _get_scheme(self) -> str:
        return self._troupe_scheme

    @property
    def resolver_match(self) -> ResolverMatch | None:
        """The match of the path in the URL configuration. None: there is none."""
        if self._resolver_match is False:
            try:
                self._resolver_match = resolve(self.path_info)
            except Resolver404:
                self._resolver_match = None
        return self._resolver_match

    @resolver_match.setter
    def resolver_match(self, value: ResolverMatch | None) -> None:
        self._resolver_match = value


def build_request(facts: RequestMap, url: str = "") -> WorkerRequest:
    """The request that a request map describes. url: the path and query to use instead of the map's, unless empty."""
    request = WorkerRequest()
    request._resolver_match = False
    request._troupe_facts, request._troupe_url = facts, url
    path, _, query = url.partition("?") if url else (facts.get("path") or "/", "", facts.get("query") or "")
    request.method = facts.get("method") or "GET"
    request.path = request.path_info = path
    request._troupe_scheme = facts.get("scheme") or "http"
    request._troupe_language = facts.get("language")
    request._troupe_time_zone = facts.get("time_zone")
    request.COOKIES = dict(facts.get("cookies") or {})
    request.META = _meta(facts, path, query)
    request.GET = QueryDict(query, encoding="utf-8")
    if facts.get("language"):
        request.LANGUAGE_CODE = facts["language"]
    if apps.is_installed("django.contrib.sessions"):
        request.session = _session(facts.get("session_key"))
    request.user = SimpleLazyObject(lambda: _user(facts))
    request._dont_enforce_csrf_checks = False
    for name, value in (facts.get("attrs") or {}).items():
        setattr(request, name, value)
    return request


def _meta(facts: RequestMap, path: str, query: str) -> dict[str, Any]:
    host, port = facts.get("server") or ("", 0)
    meta = {
        "REQUEST_METHOD": facts.get("method") or "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": facts.get("remote_addr") or "",
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": str(port or 80),
        "wsgi.url_scheme": facts.get("scheme") or "http",
    }
    for name, value in (facts.get("headers") or {}).items():
        key = name.upper().replace("-", "_")
        meta[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    csrf = facts.get("csrf")
    if csrf:
        meta["CSRF_COOKIE"] = csrf
    return meta


def _session(key: str | None) -> SessionBase:
    session = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    session._troupe_key = key or None
    return session


def _user(facts: RequestMap) -> Any:
    """The user, loaded by the backend that authenticated them. Anonymous: deleted or inactive by now. None:
    django.contrib.auth is not installed.
    """
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import get_user_model, load_backend
    from django.contrib.auth.models import AnonymousUser

    key, path = facts.get("user"), facts.get("backend")
    if not key or path not in settings.AUTHENTICATION_BACKENDS:
        return AnonymousUser()
    try:
        key = get_user_model()._meta.pk.to_python(key)
    except ValueError:
        return AnonymousUser()
    return load_backend(path).get_user(key) or AnonymousUser()


def new_cookies(request: HttpRequest) -> list[str]:
    """Saves the request's session if it was changed. Returns the Set-Cookie texts of one that is new."""
    session = getattr(request, "session", None)
    if session is None or not session.modified:
        return []
    session.save()
    if session.session_key == session._troupe_key:
        return []
    jar: SimpleCookie = SimpleCookie()
    name = settings.SESSION_COOKIE_NAME
    jar[name] = session.session_key
    jar[name]["path"] = settings.SESSION_COOKIE_PATH
    jar[name]["samesite"] = settings.SESSION_COOKIE_SAMESITE or ""
    if settings.SESSION_COOKIE_DOMAIN:
        jar[name]["domain"] = settings.SESSION_COOKIE_DOMAIN
    if settings.SESSION_COOKIE_HTTPONLY:
        jar[name]["httponly"] = True
    if settings.SESSION_COOKIE_SECURE:
        jar[name]["secure"] = True
    if not session.get_expire_at_browser_close():
        jar[name]["max-age"] = session.get_expiry_age()
    return [morsel.OutputString() for morsel in jar.values()]
