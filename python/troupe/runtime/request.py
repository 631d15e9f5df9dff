"""The request as a view sees it in its worker: Django's HttpRequest, rebuilt from the map of
proto/PROTOCOL.md 6.

Lazy where it costs: the user and the session are read when somebody looks.
"""

from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.cookie import SimpleCookie
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject


class WorkerRequest(HttpRequest):
    """A GET of the page that the view stands in."""

    _troupe_worker = True  # {% live_view %} looks at it

    def _get_scheme(self):
        return self._troupe_scheme

    @property
    def resolver_match(self):
        """What the URL configuration says of the path; None where it knows none."""
        if self._match is False:
            try:
                self._match = resolve(self.path_info)
            except Resolver404:
                self._match = None
        return self._match

    @resolver_match.setter
    def resolver_match(self, value):
        self._match = value


def build_request(facts, url=""):
    """A WorkerRequest of a request map. `url`, if not empty, is the path and query to take instead of the
    map's own.
    """
    request = WorkerRequest()
    request._match = False
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


def _meta(facts, path, query):
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
    if facts.get("csrf"):
        meta["CSRF_COOKIE"] = facts["csrf"]
    return meta


def _session(key):
    store = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    store._troupe_key = key or None
    return store


def _user(facts):
    """The person, through the backend that let them in: one that is gone or inactive by now is nobody."""
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import get_user_model, load_backend
    from django.contrib.auth.models import AnonymousUser

    key, path = facts.get("user"), facts.get("backend")
    if not key:
        return AnonymousUser()

    if path not in settings.AUTHENTICATION_BACKENDS:
        return AnonymousUser()
    try:
        key = get_user_model()._meta.pk.to_python(key)
    except ValueError:
        return AnonymousUser()
    return load_backend(path).get_user(key) or AnonymousUser()


def new_cookies(request):
    """The Set-Cookie texts of a session that mount() began or changed. Saves it."""
    session = getattr(request, "session", None)
    if session is None or not session.modified:
        return []
    session.save()
    if session.session_key == session._troupe_key:
        return []
    jar = SimpleCookie()
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
