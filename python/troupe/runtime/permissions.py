"""What a view's class says of who may have it: login_required, permission_required, check_permissions(),
has_object_permission(). The view itself is asked.
"""

import functools
import inspect
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from .. import access_names
from ..access import is_signed_in, login_redirect, permissions_of
from ..validation import refuse_unused
from ..views import LiveView
from .request_attributes import has_middleware

# Of Django 5.1 and later: it asks every view, unless login_not_required() is around it.
_LOGIN_MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@functools.cache
def _overrides(cls: Any, name: str) -> bool:
    return getattr(cls, name) is not getattr(LiveView, name)


@functools.cache
def _mixin_asks(cls: Any) -> bool:
    return access_names.mixin_reads(cls, LiveView, "permission_required")


def has_any(view: LiveView) -> bool:
    """Whether there is anything to ask. setup() may not have been called yet, so that no property is read."""
    cls: Any = type(view)
    if any(_is_said(view, name) for name in ("login_required", "permission_required")):
        return True
    if has_middleware(_LOGIN_MIDDLEWARE):
        return True
    return _overrides(cls, "check_permissions") or _overrides(cls, "has_object_permission")


def _is_said(view: LiveView, name: str) -> bool:
    value = vars(view).get(name) or inspect.getattr_static(type(view), name)
    return bool(value) or hasattr(type(value), "__get__")


def check(view: LiveView, request: Any) -> HttpResponseBase | None:
    """A response to give instead of the view: a redirect to log in, say. None: the user may have it. PermissionDenied:
    they may not.
    """
    cls: Any = type(view)
    # Where a mixin asks for permission_required, it has done so already, in its own way: for an object's, say.
    wanted = () if _mixin_asks(cls) else view.permission_required
    if (view.login_required or wanted) and not is_signed_in(request):
        # Attributes of Django's AccessMixin, for those who write them beside login_required.
        if getattr(view, "raise_exception", False):
            raise PermissionDenied(getattr(view, "permission_denied_message", ""))
        return login_redirect(request, view.login_url, getattr(view, "redirect_field_name", "next"))
    if has_middleware(_LOGIN_MIDDLEWARE) and not is_signed_in(request):
        function = getattr(request.resolver_match, "func", None)
        if getattr(function, "login_required", True):  # which login_not_required() sets
            return login_redirect(request, getattr(function, "login_url", None) or view.login_url)
    if wanted and not request.user.has_perms(permissions_of(wanted)):
        raise PermissionDenied
    if _overrides(cls, "check_permissions"):
        return _answer(view.check_permissions(request), f"{cls.__qualname__}.check_permissions()")
    return None


def check_object(view: LiveView, request: Any) -> None:
    """After mount(), and for a page that is open. PermissionDenied: the user may not have the object."""
    cls: Any = type(view)
    if not _overrides(cls, "has_object_permission"):
        return
    found: Any = view.get_object()
    refuse_unused(found, f"{cls.__qualname__}.get_object()")
    allowed: Any = view.has_object_permission(request, found)
    refuse_unused(allowed, f"{cls.__qualname__}.has_object_permission()")
    if not allowed:
        raise PermissionDenied


def before_mount(view: LiveView, request: Any, kwargs: dict[str, Any]) -> HttpResponseBase | None:
    """Calls the hooks of on_mount. A response: what one answers instead of the page."""
    for hook in _hooks(type(view)):
        answer: Any = hook(view, request, **kwargs)
        if answer is not None:
            answer = redirect(answer) if isinstance(answer, str) else answer
            response = _answer(answer, f"the on_mount hook {getattr(hook, '__qualname__', hook)}()")
            if response is not None:
                return response
    return None


def _hooks(cls: type[Any]) -> Iterator[Any]:
    """Those of the bases first. A class that says nothing has those of its bases."""
    for base in reversed(cls.__mro__):
        yield from vars(base).get("on_mount", ())


def _answer(answer: Any, name: str) -> HttpResponseBase | None:
    refuse_unused(answer, name)
    if answer is None or answer is True:
        return None
    if answer is False:
        raise PermissionDenied
    if isinstance(answer, HttpResponseBase):
        return answer
    raise TypeError(
        f"{name} returned a {type(answer).__name__}, which says neither yes nor no: return True, False or a response, "
        "or raise PermissionDenied"
    )
