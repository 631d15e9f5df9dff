"""Event handlers and ticks: how they are found, and how they are called.

Over inproc:// await_handler() is not used: web/transport/inproc.py awaits by itself.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import connections, transaction

from .. import conf
from ..errors import HandlerTimeout
from ..validation import is_marked, lookup, refuse_unused
from ..views import LiveView
from .executors import enter_scope
from .faults import HANDLER_NOT_FOUND, Refused
from .housekeeping import clean, settle, settled
from .locale import activate_locale

Handler = Callable[..., Any]

_handlers: dict[tuple[type[LiveView], str], tuple[Handler, bool]] = {}


def find_handler(view: LiveView, path: str, name: str, browser: bool) -> Handler:
    """The function to call with the view and the parameters. Refused(handler_not_found): there is none.

    browser: the event comes from a browser, which may call only decorated handlers unless TROUPE["STRICT_EVENTS"] is
    off.
    """
    activate_locale(view)
    cls = type(view)
    entry = _handlers.get((cls, name))
    if entry is None:
        entry = _prepare(cls, name)
        if entry is None:
            raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
        _handlers[cls, name] = entry
    function, decorated = entry
    if browser and not decorated and conf.get("STRICT_EVENTS"):
        raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
    return function


def find_tick(view: LiveView) -> Handler:
    """The function to call with the view when it ticks."""
    activate_locale(view)
    cls: Any = type(view)  # mypy takes a class whose instances are hashable for an unhashable one
    return _tick_of(cls)


@functools.cache
def _tick_of(cls: type[LiveView]) -> Handler:
    function = cls.handle_tick
    return function if function is LiveView.handle_tick else _in_transaction(function)


def may_repeat(view: LiveView, name: str) -> bool:
    """Whether a handler is marked retry_safe."""
    entry = _prepare(type(view), name)
    return entry is not None and getattr(entry[0], "_troupe_retry_safe", False)


def _prepare(cls: type[LiveView], name: str) -> tuple[Handler, bool] | None:
    """(function, decorated) of a handler. None: the class has none of that name."""
    function = lookup(cls, LiveView, name)
    return None if function is None else (_in_transaction(function), is_marked(function))


def _in_transaction(function: Handler) -> Handler:
    """ATOMIC_REQUESTS for a handler: its writes are committed or rolled back together. The render stays outside."""
    aliases = [alias for alias in connections if connections[alias].settings_dict.get("ATOMIC_REQUESTS")]
    if aliases:
        function = _not_awaited(function)
    for alias in aliases:
        function = transaction.atomic(using=alias)(function)
    return function


def _not_awaited(function: Handler) -> Handler:
    text = "You cannot use ATOMIC_REQUESTS with async event handlers."
    if iscoroutinefunction(function):
        raise RuntimeError(text)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):  # the rest of it would run outside of the transaction
            if inspect.iscoroutine(result):
                result.close()
            raise RuntimeError(text)
        return result

    return call


@settled
def run_handler(function: Handler, view: LiveView, params: dict[str, Any]) -> Any:
    """Calls a handler or handle_tick(). An awaitable result is returned, for the caller to await; any other is
    ignored.
    """
    result = function(view, **params)
    if result is not None:
        refuse_unused(result, "it", awaited=True)
    return result


async def await_handler(awaitable: Awaitable[Any]) -> tuple[bool, Any]:
    """Awaits a handler and returns (True, result) or (False, exception), so that no exception can end the loop.

    Past the soft limit the handler is cancelled, and the result is (False, HandlerTimeout).
    """
    timer = asyncio.timeout(HandlerTimeout.limit)
    lease = enter_scope()
    try:
        async with timer:
            result = await awaitable
        if lease is not None:
            await lease.finish()
        if result is not None and not asyncio.isfuture(result):
            refuse_unused(result, "it")
        settle()  # with DJANGO_ALLOW_ASYNC_UNSAFE: the loop's own thread
        return True, result
    except BaseException as error:
        clean()
        if not timer.expired() or not isinstance(error, TimeoutError):
            return False, error
        cancelled = error.__context__ or error  # its traceback says where the handler was
        return False, HandlerTimeout().with_traceback(cancelled.__traceback__)
    finally:
        if lease is not None:
            lease.end()
