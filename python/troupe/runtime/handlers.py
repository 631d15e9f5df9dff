"""Event handlers and ticks: how they are found, and how they are called.

Over inproc:// await_handler() is not used: web/transport/inproc.py awaits by itself.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from django.http.response import HttpResponseBase

from .. import conf
from ..errors import HandlerTimeout
from ..validation import is_marked, lookup, refuse_unused
from ..views import LiveView
from . import gate
from .atomic import in_transaction, refuse_early_end
from .awaited import Note, reports
from .conclusion import raise_refusal
from .executors import enter_scope
from .faults import HANDLER_NOT_FOUND, Refused
from .housekeeping import clean, settle, settled
from .locale import activate_locale
from .messages import begin_event
from .parameters import Binder
from .progress import VIEW, Pause, PauseSwitch, Steps
from .reports import ask_middleware
from .results import take_result
from .turn import EVENT, TICK, begin_turn

Handler = Callable[..., Any]
Call = Callable[[LiveView, "dict[str, Any] | None"], Any]  # of a handler, with the event's parameters

_handlers: dict[tuple[type[LiveView], str], tuple[Call, bool]] = {}


def find_handler(view: LiveView, path: str, name: str, browser: bool) -> Call:
    """The function to call with the view and the event's parameters. Refused(handler_not_found): there is none.

    browser: the event comes from a browser, which may call only decorated handlers unless TROUPE["STRICT_EVENTS"] is
    off.
    """
    begin_turn(view, EVENT, name)
    begin_event(view)
    activate_locale(view)
    cls = type(view)
    entry = _handlers.get((cls, name))
    if entry is None:
        entry = _prepare(cls, name)
        if entry is None:
            raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
        _handlers[cls, name] = entry
    call, decorated = entry
    if browser and not decorated and conf.get("STRICT_EVENTS"):
        raise Refused(HANDLER_NOT_FOUND, f"Handler '{name}' not found on {path}")
    return call


def find_tick(view: LiveView) -> Call:
    """The function to call when the view ticks, with it and no parameters."""
    begin_turn(view, TICK, "handle_tick")
    activate_locale(view)
    cls: Any = type(view)  # mypy takes a class whose instances are hashable for an unhashable one
    return _tick_of(cls)


@functools.cache
def _tick_of(cls: type[LiveView]) -> Call:
    function: Handler = cls.handle_tick
    if function is not LiveView.handle_tick:
        call = in_transaction(lambda view, params: function(view), function, cls)
        return refuse_early_end(call, function)
    return lambda view, params: function(view)


def may_repeat(view: LiveView, name: str) -> bool:
    """Whether a handler is marked retry_safe."""
    function = lookup(type(view), LiveView, name)
    return function is not None and getattr(function, "_troupe_retry_safe", False)


def _prepare(cls: type[LiveView], name: str) -> tuple[Call, bool] | None:
    """(function, decorated) of a handler. None: the class has none of that name."""
    function = lookup(cls, LiveView, name)
    if function is None:
        return None
    defined_by = next(base for base in cls.__mro__ if name in vars(base))
    call = in_transaction(Binder(function, name, vars(defined_by)), function, cls)
    return refuse_early_end(call, function), is_marked(function)


@settled
def run_handler(call: Call, view: LiveView, params: dict[str, Any] | None) -> Any:
    """Calls a handler or handle_tick(). Returns an awaitable, for the caller to await; True, if the user is to leave
    the page; or None. Refused(forbidden): they may no longer have it.
    """
    gate.before_turn(view)
    try:
        result = call(view, params)
    except Exception as error:
        response = ask_middleware(view.request, error)
        if response is None:
            raise_refusal(view, error)
            raise
        return _take_answer(view, response, error)
    if result is None:
        return None
    refuse_unused(result, "it", awaited=True)
    if inspect.isawaitable(result):
        VIEW.set(view)
        return result
    return take_result(view, result) or None


@settled
def settle_handler(view: LiveView, value: Any, error: BaseException | None) -> Any:
    """Takes what an awaited handler returned, or raises its exception. True: the user is to leave the page."""
    if error is not None:
        response = ask_middleware(view.request, error)
        if response is None:
            raise_refusal(view, error)
            raise error
        return _take_answer(view, response, error)
    if value is None or asyncio.isfuture(value):
        return None
    return take_result(view, value) or None


def _take_answer(view: LiveView, response: HttpResponseBase, error: BaseException) -> bool | None:
    """Takes what middleware answers in place of an exception, as if the handler had returned it."""
    try:
        return take_result(view, response) or None
    except TypeError:
        raise TypeError(
            f"process_exception() of a middleware answered {type(error).__name__} with a {type(response).__name__} "
            f"(status {response.status_code}), which an event cannot deliver: return a redirect, or None"
        ) from error


async def await_handler(
    awaitable: Awaitable[Any],
    pause: Pause | None = None,
    note: Note | None = None,
    switch: PauseSwitch | None = None,
) -> tuple[bool, Any]:
    """Awaits a handler and returns (True, result) or (False, exception), so that no exception can end the loop.

    When its own steps have computed for the soft limit, or when all took as long as `--await-s` allows, the handler is
    cancelled, and the result is (False, HandlerTimeout). pause, note, switch: see Steps.
    """
    timer = asyncio.timeout(HandlerTimeout.await_limit)
    steps = Steps(awaitable, pause, timer, note, switch)
    lease = enter_scope()
    reports.add(steps)
    try:
        async with timer:
            result = await steps
        if lease is not None:
            await lease.finish()
        settle()  # with DJANGO_ALLOW_ASYNC_UNSAFE: the loop's own thread
        return True, result
    except BaseException as error:
        clean()
        if not timer.expired() or not isinstance(error, TimeoutError):
            return False, error
        cancelled = error.__context__ or error  # its traceback says where the handler was
        late = HandlerTimeout(None if steps.computed_too_long else HandlerTimeout.await_limit)
        return False, late.with_traceback(cancelled.__traceback__)
    finally:
        if lease is not None:
            lease.end()
        reports.remove(steps)
