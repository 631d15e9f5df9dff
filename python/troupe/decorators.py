"""Decorators for views."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from .context import computed, state
from .validation import check_mark

__all__ = ["computed", "event_handler", "state"]

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
