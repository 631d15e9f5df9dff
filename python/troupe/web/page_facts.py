"""What a project's middleware set on a page's request, as far as a worker needs it: where the site is mounted, the URL
configuration, the language, the CSP nonce, and the attributes that TROUPE["REQUEST_ATTRS"] names.

A socket's own request has none of it, so the page token carries it (page_token.py).
"""

import functools
import logging
import os
from contextvars import copy_context
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.urls import get_script_prefix
from django.utils import translation
from django.utils.module_loading import import_string

from .. import conf
from ..logs import quoted, word
from ..snapshots.errors import NotSerializable
from ..snapshots.values import dumps

logger = logging.getLogger("troupe")

_MAX_META = 8 << 10  # bytes
_MAX_ATTRS = 16 << 10  # bytes
_META_OF_REQUEST_MAP = {  # what runtime/request.py makes of the request map's other members
    "REQUEST_METHOD",
    "QUERY_STRING",
    "SCRIPT_NAME",
    "PATH_INFO",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "CSRF_COOKIE",
    "CSRF_COOKIE_NEEDS_UPDATE",
}


# What a worker's request has by itself: TROUPE["REQUEST_ATTRS"] cannot replace it (manage.py check says so).
OWN_ATTRS = frozenset(name for name in dir(HttpRequest()) if not name.startswith("_")) | {
    "user",
    "auser",
    "session",
    "site",
    "urlconf",
    "current_app",
    "LANGUAGE_CODE",
    "csp_nonce",
    "_csp_nonce",
    "_messages",
    "exception_reporter_class",
    "exception_reporter_filter",
}


class Optional(TypedDict, total=False):
    """Members of a request map and of a page token that are only there when they differ from the default."""

    script_name: str  # where the site is mounted, as in WSGI; default: at the root
    path_info: str  # the path below it, unless that is the path without script_name
    urlconf: str  # request.urlconf: a module
    current_app: str  # request.current_app
    language_code: str  # request.LANGUAGE_CODE
    follows: bool  # the language is the one that LocaleMiddleware chose
    nonce: str  # the page's CSP nonce
    by_middleware: bool  # the user is not the one of the Django session
    reporter: str  # request.exception_reporter_class: a dotted path
    reporter_filter: str  # the class of request.exception_reporter_filter


def optional(request: HttpRequest) -> Optional:
    """These facts of an HttpRequest. ImproperlyConfigured: request.urlconf is no module."""
    facts: Optional = {}
    script_name = request.META.get("SCRIPT_NAME") or getattr(request, "script_name", "") or ""
    script_name = settings.FORCE_SCRIPT_NAME or script_name
    if script_name and script_name != "/":
        facts["script_name"] = script_name
    if request.path_info != path_below(request.path, script_name):
        facts["path_info"] = request.path_info
    urlconf = _urlconf(request)
    if urlconf:
        facts["urlconf"] = urlconf
    if isinstance(getattr(request, "current_app", None), str):
        facts["current_app"] = request.current_app
    code = getattr(request, "LANGUAGE_CODE", None)
    if isinstance(code, str):
        facts["language_code"] = code
        if code == translation.get_language() and _locale_middleware():
            facts["follows"] = True
    nonce = nonce_of(request)
    if nonce:
        facts["nonce"] = nonce
    reporter = getattr(request, "exception_reporter_class", None)
    if reporter is not None:
        facts["reporter"] = _path_of(reporter, "exception_reporter_class")
    reporter_filter = getattr(request, "exception_reporter_filter", None)
    if reporter_filter is not None:
        if getattr(reporter_filter, "__dict__", None):
            raise ImproperlyConfigured(
                f"request.exception_reporter_filter is a {type(reporter_filter).__name__} with attributes of its own, "
                "which cannot be sent to a worker: put them into a class, and set an instance of that"
            )
        facts["reporter_filter"] = _path_of(type(reporter_filter), "exception_reporter_filter")
    return facts


def _path_of(cls: Any, name: str) -> str:
    """The dotted path of a class that middleware has set. ImproperlyConfigured: a worker could not import it."""
    path = f"{getattr(cls, '__module__', '')}.{getattr(cls, '__qualname__', '')}"
    try:
        if import_string(path) is cls:
            return path
    except ImportError:
        pass
    raise ImproperlyConfigured(f"request.{name} is {cls!r}, which no worker can import as {path}")


_NAMES = frozenset(Optional.__annotations__)


def of_token(facts: Any) -> Optional:
    """These facts of a page token or a request map."""
    found: Any = {name: facts[name] for name in _NAMES.intersection(facts)}
    return found


def path_below(path: str, script_name: str) -> str:
    """The path_info of a path that begins with the script name; the path itself if it does not."""
    prefix = script_name.rstrip("/")
    return path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path


def _urlconf(request: HttpRequest) -> str | None:
    urlconf = getattr(request, "urlconf", None)
    if urlconf is None or isinstance(urlconf, str):
        return urlconf
    name = getattr(urlconf, "__name__", None)
    if isinstance(name, str):
        return name
    raise ImproperlyConfigured(
        f"request.urlconf is a {type(urlconf).__name__}, which no worker can load: set it to a module's dotted name"
    )


def attrs(request: HttpRequest) -> dict[str, bytes]:
    """The attributes that TROUPE["REQUEST_ATTRS"] names, packed. ImproperlyConfigured: one cannot be sent."""
    packed: dict[str, bytes] = {}
    for name in conf.get("REQUEST_ATTRS"):
        if name in OWN_ATTRS or not hasattr(request, name):
            continue
        try:
            packed[name] = dumps(getattr(request, name))
        except NotSerializable as error:
            raise ImproperlyConfigured(
                f"request.{name}, which TROUPE['REQUEST_ATTRS'] names, cannot be sent to a worker: {error}. What a "
                "snapshot can hold can be sent: plain values, dates, Decimal, UUID, enums, saved model instances, and "
                "lists, tuples, sets and dicts of them"
            ) from error
    size = sum(len(name) + len(value) for name, value in packed.items())
    if size > _MAX_ATTRS:
        largest = max(packed, key=lambda name: len(packed[name]))
        raise ImproperlyConfigured(
            f"the attributes that TROUPE['REQUEST_ATTRS'] names have {size} bytes, over the limit of {_MAX_ATTRS}: the "
            f"largest is request.{largest}, with {len(packed[largest])}. Every page carries them; send a key instead"
        )
    return packed


_SENT_WITH_PAGES = ("accept", "referer", "dnt", "save-data", "x-requested-with")
_MAX_PAGE_HEADERS = 2 << 10  # bytes


def page_headers(headers: dict[str, str]) -> dict[str, str]:
    """Those of a page's headers that browsers send with pages, and not with sockets. None that a proxy may have added:
    the token that carries these is no secret.
    """
    kept: dict[str, str] = {}
    left = _MAX_PAGE_HEADERS
    for name, value in headers.items():
        if name in _SENT_WITH_PAGES or name.startswith(("sec-ch-", "hx-")):
            left -= len(name) + len(value.encode("utf-8", "replace"))
            if left >= 0:
                kept[name] = value
    return kept


def nonce_of(request: HttpRequest | None) -> str | None:
    """The nonce of the page's Content-Security-Policy, from django-csp 3 or 4 or Django's own middleware. Asking for it
    puts it into the header. None: there is none.
    """
    # A nonce that nobody has read yet is false: read it before asking whether there is one.
    for name in ("csp_nonce", "_csp_nonce"):
        nonce = getattr(request, name, None)
        if nonce is not None:
            return str(nonce) or None
    return None


def socket_path() -> str:
    """The address of the socket below where the site is mounted: TROUPE["SOCKET_PATH"], with the script name in front
    unless it has it already.
    """
    path: str = conf.get("SOCKET_PATH")
    prefix = get_script_prefix().rstrip("/")
    return path if not prefix or path.startswith(prefix + "/") else prefix + path


def meta(request: HttpRequest) -> dict[str, str | int]:
    """What the server and middleware put into META besides headers, as far as the limits allow. Nothing from the
    process's environment, which some WSGI servers copy there.
    """
    found: dict[str, str | int] = {}
    left = _MAX_META
    for name, value in request.META.items():
        if type(value) not in (str, int) or name in _META_OF_REQUEST_MAP or not name.isupper():
            continue
        if name.startswith("HTTP_") or os.environ.get(name) == value:
            continue
        left -= len(name) + len(str(value).encode("utf-8", "replace"))
        if left < 0:
            break
        found[name] = value if type(value) is int else str(value).encode("utf-8", "replace").decode()
    return found


# The language


@functools.cache
def _locale_middleware() -> LocaleMiddleware | None:
    """The project's LocaleMiddleware, or its subclass of it."""
    for path in settings.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:  # Django says so itself
            continue
        if isinstance(found, type) and issubclass(found, LocaleMiddleware):
            middleware: LocaleMiddleware = found(lambda request: None)
            return middleware
    return None


def language_cookie() -> str | None:
    """The cookie that a page watches, since set_language in another tab changes it. None: it cannot, or need not."""
    return settings.LANGUAGE_COOKIE_NAME if _locale_middleware() and not settings.LANGUAGE_COOKIE_HTTPONLY else None


def language_now(token: Any, path: str, cookies: dict[str, str], headers: dict[str, str]) -> str | None:
    """The language that LocaleMiddleware chooses for a page's URL with these cookies and headers. None: the page's
    language is not that middleware's choice.
    """
    middleware = _locale_middleware() if token.get("follows") else None
    if middleware is None:
        return None
    request = HttpRequest()
    request.method, request.path, request.COOKIES = "GET", path, cookies
    request.path_info = token.get("path_info") or path_below(path, token.get("script_name") or "")
    request.META = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    if token.get("urlconf"):
        request.urlconf = token["urlconf"]
    try:
        copy_context().run(middleware.process_request, request)  # it activates the language
    except Exception as error:  # a subclass that needs more of the request
        logger.warning("event=language_unknown middleware=%s reason=%s", word(type(middleware)), quoted(repr(error)))
        return None
    return getattr(request, "LANGUAGE_CODE", None)


def _clear(*, setting: str, **_: object) -> None:
    if setting == "MIDDLEWARE":
        _locale_middleware.cache_clear()


setting_changed.connect(_clear, dispatch_uid="troupe.page_facts")
