"""Whether the user of a request is signed in and permitted, and where they are sent if not: as Django's own decorators
and mixins have it.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url


class NotSignedIn(PermissionDenied):
    """Raised in an event. response: the redirect to log in."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__("the user is not signed in")
        self.response = response


def check_class(cls: type[Any], root: type[Any]) -> None:
    """TypeError: what the class says of access could not be asked. root: LiveView."""
    where = f"{cls.__module__}.{cls.__qualname__}"
    if cls.has_object_permission is not root.has_object_permission and not callable(getattr(cls, "get_object", None)):
        raise TypeError(f"{where}.has_object_permission() has no object to ask about: define get_object(self) as well.")
    if not isinstance(vars(cls).get("login_required", False), (bool, property)):
        raise TypeError(f"{where}.login_required must be True or False. For one handler, decorate it: @login_required.")
    wanted = vars(cls).get("permission_required")
    if not (wanted is None or isinstance(wanted, (str, property)) or _are(wanted, lambda name: isinstance(name, str))):
        raise TypeError(f"{where}.permission_required must be a permission ('shop.add_order') or a list of them.")
    if not _are(vars(cls).get("on_mount", ()), callable):
        raise TypeError(f"{where}.on_mount must be a list of functions: hook(view, request, **kwargs).")


def _are(values: Any, is_one: Callable[[Any], bool]) -> bool:
    return isinstance(values, (list, tuple, set, frozenset)) and all(map(is_one, values))


def is_signed_in(request: Any) -> bool:
    """Whether somebody is logged in."""
    return bool(getattr(getattr(request, "user", None), "is_authenticated", False))


def permissions_of(value: Any) -> tuple[str, ...]:
    """The permissions that permission_required names: one, or several."""
    return (value,) if isinstance(value, str) else tuple(value)


def login_redirect(request: Any, login_url: Any = None, field: str | None = "next") -> HttpResponseBase:
    """The redirect to the login page that leads back to the request's. login_url: default: LOGIN_URL. field: the name
    of the page's parameter that says where to.
    """
    from django.contrib.auth.views import redirect_to_login  # importable only where that app is installed

    path = request.build_absolute_uri()
    url = resolve_url(login_url or settings.LOGIN_URL)
    (scheme, host), (page_scheme, page_host) = urlsplit(url)[:2], urlsplit(path)[:2]
    if (not scheme or scheme == page_scheme) and (not host or host == page_host):
        path = request.get_full_path()
    return redirect_to_login(path, url, field)
