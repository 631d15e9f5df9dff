"""Decorators for views."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from django.core.exceptions import PermissionDenied

from .access import NotSignedIn, is_signed_in, login_redirect, permissions_of
from .context import computed, state
from .handler_rate import allow
from .validation import check_mark

__all__ = ["computed", "event_handler", "login_required", "permission_required", "rate_limit", "state"]

Method = TypeVar("Method", bound=Callable[..., Any])


@overload
def event_handler(function: Method, *, retry_safe: bool = False, coerce_types: bool = True) -> Method: ...
@overload
def event_handler(
    function: None = None, *, retry_safe: bool = False, coerce_types: bool = True
) -> Callable[[Method], Method]: ...
def event_handler(function: Any = None, *, retry_safe: bool = False, coerce_types: bool = True) -> Any:
    """Marks a method as one that a browser's events may call.

    Usable with and without parentheses, on `def` and `async def`. retry_safe: the handler is idempotent, so an event
    whose worker died while it ran may be retried. coerce_types: convert parameters as their type hints say; False: they
    are passed as they came.

    TypeError: the decorated object is not a function. Defining the class raises TypeError if the handler could never
    run (a generator, a name that begins with an underscore or is LiveView's own), or if an undecorated method of a
    subclass overrides it.
    """

    def mark(method: Any) -> Any:
        check_mark(method)
        method._troupe_event_handler = True
        method._troupe_retry_safe = retry_safe
        method._troupe_coerce = coerce_types
        return method

    return mark if function is None else mark(function)


def login_required(method: Method) -> Method:
    """Lets only users call a handler who are logged in; others are sent to the login page. It may stand above or below
    @event_handler.

    A program's event has no user, and is not asked.
    """
    return _guarded(method, _check_login)


def permission_required(permission: str | Iterable[str]) -> Callable[[Method], Method]:
    """Lets only users call a handler who have this permission, or all of these: the event of others fails with kind
    `forbidden`. Who is not logged in is sent to the login page.

    A program's event has no user, and is not asked.
    """
    wanted = permissions_of(permission)
    if not wanted or not all(isinstance(name, str) for name in wanted):
        raise TypeError('@permission_required takes the names of permissions: @permission_required("shop.add_order")')

    def check(view: Any) -> None:
        _check_login(view)
        if not view.request.user.has_perms(wanted):
            raise PermissionDenied(f"the user does not have {' and '.join(wanted)}")

    return lambda method: _guarded(method, check)


def rate_limit(rate: float, burst: int = 1) -> Callable[[Method], Method]:
    """Lets a page call a handler `rate` times a second on average, and `burst` times at once; an event over that fails
    with kind `rate_limited`, and is not run.
    """
    if not rate > 0 or not burst >= 1:
        raise TypeError("@rate_limit takes events a second, over 0, and how many may come at once, from 1")

    def decorate(method: Method) -> Method:
        return _guarded(method, lambda view: allow(view, method, rate, burst))

    return decorate


def _check_login(view: Any) -> None:
    if not is_signed_in(view.request):
        raise NotSignedIn(login_redirect(view.request, view.login_url))


def _guarded(method: Method, check: Callable[[Any], None]) -> Method:
    """The method behind a check, which is made before a coroutine is: where the ORM may be used."""
    check_mark(method)

    @functools.wraps(method)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.request is not None:
            check(self)
        return method(self, *args, **kwargs)

    return guarded  # type: ignore[return-value]
