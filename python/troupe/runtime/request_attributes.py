"""What Django's stock middleware, and the project's own, set on a request: for the request that a worker rebuilds.

Set as Django sets it, from the request map (proto/PROTOCOL.md 6). What cannot be had here says why, and what to do.
"""

import functools
import inspect
from collections.abc import Callable
from http import cookies
from typing import Any

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import set_script_prefix, set_urlconf
from django.utils.functional import LazyObject, empty
from django.utils.module_loading import import_string

from .. import conf
from ..snapshots.values import loads
from ..wire import RequestMap

# Headers that describe the page's own request: those of its socket do not replace them.
_OF_PAGE_LOAD = ("accept", "cache-control", "pragma", "referer")


@functools.cache
def _stock_middleware() -> frozenset[str]:
    """Dotted paths of MIDDLEWARE's classes, and of those that they derive from."""
    paths = set()
    for path in settings.MIDDLEWARE:
        try:
            found = import_string(path)
        except ImportError:  # Django says so itself
            continue
        for cls in inspect.getmro(found) if inspect.isclass(found) else ():
            paths.add(f"{cls.__module__}.{cls.__qualname__}")
    return frozenset(paths)


@receiver(setting_changed, dispatch_uid="troupe.runtime.request_attributes")
def _clear(*, setting: str, **_: object) -> None:
    if setting == "MIDDLEWARE":
        _stock_middleware.cache_clear()


def has_middleware(path: str) -> bool:
    """Whether MIDDLEWARE names this class, or one that derives from it."""
    return path in _stock_middleware()


def set_attributes(request: Any, facts: RequestMap) -> None:
    """Sets what middleware has set on the page's request."""
    for name in ("urlconf", "current_app"):
        if facts.get(name):
            setattr(request, name, facts[name])
    if facts.get("language_code"):
        request.LANGUAGE_CODE = facts["language_code"]
    if facts.get("nonce"):
        request._csp_nonce = request.csp_nonce = facts["nonce"]
    if facts.get("reporter"):
        _set_attr(request, "exception_reporter_class", import_string, facts["reporter"])
    if facts.get("reporter_filter"):
        _set_attr(request, "exception_reporter_filter", lambda path: import_string(path)(), facts["reporter_filter"])
    if has_middleware("django.contrib.auth.middleware.AuthenticationMiddleware") and _auser is not None:
        request.auser = functools.partial(_auser, request)
    if has_middleware("django.contrib.sites.middleware.CurrentSiteMiddleware"):
        _set_attr(request, "site", _site, request)  # at most one query in a process: Django keeps sites
    for name, packed in (facts.get("attrs") or {}).items():
        _set_attr(request, name, loads, packed)


def _set_attr(request: Any, name: str, read: Callable[[Any], Any], source: Any) -> None:
    try:
        setattr(request, name, read(source))
    except Exception as error:  # a row that was deleted since, say: whoever reads the attribute is told
        request._troupe_missing = {**request._troupe_missing, name: f"{type(error).__name__}: {error}"}


def _site(request: HttpRequest) -> Any:
    from django.contrib.sites.shortcuts import get_current_site  # importable only where that app is installed

    return get_current_site(request)


async def _load_user(request: Any) -> Any:
    """The user whom request.user stands for."""
    user = request.user
    if not isinstance(user, LazyObject):
        return user
    if user._wrapped is empty:
        await sync_to_async(user._setup)()
    return user._wrapped


def _auser_of_django() -> Any:
    """_load_user, if this Django's requests have auser(): from 5.0 on."""
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth import middleware

    return _load_user if hasattr(middleware, "auser") else None


_auser = _auser_of_django()


def missing(request: Any, name: str) -> str:
    """The message of the AttributeError for an attribute that the request does not have."""
    text = f"{type(request).__name__!r} object has no attribute {name!r}"
    if name in request._troupe_missing:
        return f"request.{name} could not be restored: {request._troupe_missing[name]}"
    if name in conf.get("REQUEST_ATTRS"):
        return f"{text}: TROUPE['REQUEST_ATTRS'] names it, but it was not set on the page's request"
    if name == "session":
        return f"{text}: django.contrib.sessions is not installed"
    if name in ("user", "auser"):
        return f"{text}: AuthenticationMiddleware is not in MIDDLEWARE, or this Django has none"
    if name in ("csp_nonce", "_csp_nonce"):
        return f"{text}: no middleware has set a nonce on the page's request"
    return f"{text}. If the project's own middleware sets it: name it in TROUPE['REQUEST_ATTRS']"


def cookie_header(values: dict[str, str]) -> str:
    """The Cookie header that these cookies were read from, as META["HTTP_COOKIE"] has it."""
    return "; ".join(f"{name}={cookies._quote(value)}" for name, value in values.items())


def after_page_load(page: RequestMap, socket: RequestMap) -> RequestMap:
    """The request map of a view whose page's socket joins: the socket's, with what only the page's request had."""
    headers = {**page.get("headers", {}), **socket.get("headers", {})}
    for name, value in page.get("headers", {}).items():
        if name in _OF_PAGE_LOAD or name.startswith("sec-fetch-"):
            headers[name] = value
    merged: RequestMap = {**socket, "headers": headers, "meta": {**page.get("meta", {}), **socket.get("meta", {})}}
    if not any(socket.get("server") or ()):  # over a Unix socket, say
        merged["server"] = page.get("server") or ["", 0]
    merged["remote_addr"] = socket.get("remote_addr") or page.get("remote_addr") or ""
    return merged


# The turn


def urls_of(facts: RequestMap) -> tuple[str, str | None] | None:
    """(script name, URL configuration) to activate for each turn. None: the defaults hold."""
    script_name = facts.get("script_name") or settings.FORCE_SCRIPT_NAME or ""
    urlconf = facts.get("urlconf")
    return (script_name, urlconf) if script_name or urlconf else None


def activate_urls(urls: tuple[str, str | None]) -> None:
    """As Django's handlers do before a view. It ends with the turn."""
    script_name, urlconf = urls
    if script_name:
        set_script_prefix(script_name)
    if urlconf:
        set_urlconf(urlconf)
