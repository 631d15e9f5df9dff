"""The request as a view sees it in its worker: Django's HttpRequest, rebuilt from the map of proto/PROTOCOL.md 6.

The user and the session are read on first access: many views need neither.
"""

import time
from contextvars import ContextVar
from io import BytesIO
from typing import Any, Literal

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import translation
from django.utils.functional import SimpleLazyObject, cached_property

from ..wire import RequestMap
from .messages import messages_of
from .request_attributes import cookie_header, missing, set_attributes, urls_of
from .session import make_session
from .turn import TURN, Turn, current_turn

_NO_FORM = QueryDict("")

# The request whose user was asked for last, and the user. A turn has a context of its own, and so a user of its own.
_user_of_turn: ContextVar[tuple[HttpRequest, Any] | None] = ContextVar("troupe_user", default=None)


class WorkerRequest(HttpRequest):
    """A GET of the page that contains the view."""

    _troupe_worker = True  # so that {% live_view %} can tell
    _troupe_facts: RequestMap
    _troupe_url: str
    _troupe_scheme: str
    _troupe_language: str | None
    _troupe_time_zone: str | None
    _troupe_urls: tuple[str, str | None] | None  # to activate for each turn
    _troupe_missing: dict[str, str] = {}  # attributes that could not be restored, and why
    _troupe_cookie_at: float  # when the browser got its session cookie, at the latest
    script_name: str
    _read_started = False
    # Set by gate.py: how Django would call the page's view, whether something is to be asked before each turn, whether
    # that is more than the view itself, and which attributes it sets by itself.
    _troupe_entry: Any = None
    _troupe_params: dict[str, Any]
    _troupe_asked = False
    _troupe_probed = False
    _troupe_made: dict[str, Any] | None = None
    _troupe_user: tuple[Turn | None, Any] | None = None  # one that user code has set, and in which turn
    _resolver_match: ResolverMatch | Literal[False] | None  # False: not resolved yet

    def _get_scheme(self) -> str:
        return self._troupe_scheme

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # a property that raised AttributeError: raise that again
            return object.__getattribute__(self, name)
        raise AttributeError(missing(self, name), name=name, obj=self)

    @cached_property
    def _stream(self) -> BytesIO:
        return BytesIO()  # a GET has no body

    @cached_property
    def GET(self) -> QueryDict:
        """See HttpRequest."""
        return QueryDict(self.META["QUERY_STRING"], encoding=self._encoding)

    @property
    def user(self) -> Any:
        """The user as of this turn: looked up on first use, as Django does for each request, so that a permission that
        is taken away counts from the next turn on. One that user code sets holds until then, too.
        """
        if self._troupe_user is not None and self._troupe_user[0] is TURN.get():
            return self._troupe_user[1]
        before = _user_of_turn.get()
        if before is not None and before[0] is self:
            return before[1]
        user = SimpleLazyObject(lambda: _user(self._troupe_facts))
        _user_of_turn.set((self, user))
        return user

    @user.setter
    def user(self, user: Any) -> None:
        self._troupe_user = TURN.get(), user

    @property
    def session(self) -> Any:
        """That of the turn; see session.py. What a test or a middleware sets takes its place."""
        if "_troupe_own_session" in self.__dict__:
            return self.__dict__["_troupe_own_session"]
        if not apps.is_installed("django.contrib.sessions"):
            raise AttributeError(missing(self, "session"), name="session", obj=self)
        turn = current_turn()
        if turn.session is None:
            turn.session = make_session(self._troupe_facts.get("session_key"), turn)
        return turn.session

    @session.setter
    def session(self, value: Any) -> None:
        self.__dict__["_troupe_own_session"] = value

    @property
    def _messages(self) -> Any:
        return messages_of(self)

    @property
    def resolver_match(self) -> ResolverMatch | None:
        """The match of the path in the URL configuration. None: there is none."""
        if self._resolver_match is False:
            # A page below a language's prefix is still there when the view has chosen another language.
            with translation.override(self._troupe_language or translation.get_language()):
                try:
                    self._resolver_match = resolve(self.path_info, getattr(self, "urlconf", None))
                except Resolver404:
                    self._resolver_match = None
        return self._resolver_match

    @resolver_match.setter
    def resolver_match(self, value: ResolverMatch | None) -> None:
        self._resolver_match = value


def build_request(facts: RequestMap, url: str = "") -> WorkerRequest:
    """The request that a request map describes. url: the path and query to use instead of the map's, unless empty."""
    request = WorkerRequest()
    del request.GET
    request._resolver_match = False
    request._troupe_facts, request._troupe_url = facts, url
    path, _, query = url.partition("?") if url else (facts.get("path") or "/", "", facts.get("query") or "")
    request.method = facts.get("method") or "GET"
    request.script_name = facts.get("script_name") or ""
    request.path, request.path_info = path, facts.get("path_info") or _path_info(path, request.script_name)
    request._troupe_scheme = facts.get("scheme") or "http"
    request._troupe_language = facts.get("language")
    request._troupe_time_zone = facts.get("time_zone")
    request._troupe_urls = urls_of(facts)
    request.COOKIES = dict(facts.get("cookies") or {})
    request.META = _meta(facts, request, query)
    request._set_content_type_params(request.META)
    request.POST = _NO_FORM
    request._troupe_cookie_at = time.time()
    request._dont_enforce_csrf_checks = False
    set_attributes(request, facts)
    return request


def _path_info(path: str, script_name: str) -> str:
    prefix = script_name.rstrip("/")
    return path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path


def _meta(facts: RequestMap, request: WorkerRequest, query: str) -> dict[str, Any]:
    host, port = facts.get("server") or ("", 0)
    address = facts.get("remote_addr") or ""
    meta = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path_info,
        "QUERY_STRING": query,
        "SCRIPT_NAME": request.script_name,
        "REMOTE_ADDR": address,
        "REMOTE_HOST": address,
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": str(port or 80),
        "wsgi.url_scheme": facts.get("scheme") or "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        **(facts.get("meta") or {}),
    }
    for name, value in (facts.get("headers") or {}).items():
        key = name.upper().replace("-", "_")
        meta[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
    if request.COOKIES:
        meta["HTTP_COOKIE"] = cookie_header(request.COOKIES)
    csrf = facts.get("csrf")
    if csrf:
        meta["CSRF_COOKIE"] = csrf
    return meta


def _user(facts: RequestMap) -> Any:
    """The user, loaded by the backend that authenticated them. Anonymous: deleted or inactive by now. None:
    django.contrib.auth is not installed.
    """
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import get_user_model, load_backend
    from django.contrib.auth.models import AnonymousUser

    key, path = facts.get("user"), facts.get("backend")
    if not key or path not in (None, *settings.AUTHENTICATION_BACKENDS):
        return AnonymousUser()
    model = get_user_model()
    try:
        key = model._meta.pk.to_python(key)
    except (ValueError, ValidationError):
        return AnonymousUser()
    if path is not None:
        return load_backend(path).get_user(key) or AnonymousUser()
    # Middleware of the project's own said who it is, from a proxy's header, say: there is no backend to ask.
    user = model._base_manager.filter(pk=key).first()
    return user if user is not None and user.is_active else AnonymousUser()
