"""Transactions around a view's code: ATOMIC_REQUESTS and non_atomic_requests(), as around an ordinary view.

Rendering is outside of it, as that of a TemplateResponse is.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import connections, transaction

from .. import validation
from ..admission import NonAtomic
from ..views import LiveView

Call = Callable[[LiveView, "dict[str, Any] | None"], Any]


def _aliases(cls: type[LiveView], function: Any) -> list[str]:
    """The databases in whose transactions a function of the class runs. Both may be in non_atomic_requests()."""
    exempt = {*_exempt(function), *_exempt(cls.dispatch)}  # method_decorator(non_atomic_requests, name="dispatch")
    return [alias for alias, found in connections.settings.items() if found["ATOMIC_REQUESTS"] and alias not in exempt]


def _exempt(function: Any) -> Any:
    return getattr(function, "_non_atomic_requests", ())


def _exempt_by_url(view: LiveView) -> set[str]:
    """Those of non_atomic_requests() around as_view()."""
    function = getattr(getattr(view.request, "resolver_match", None), "func", None)
    exempt = getattr(function, "_non_atomic_requests", None)
    return set(exempt) if isinstance(exempt, NonAtomic) else set()


def _transactions(aliases: list[str]) -> contextlib.ExitStack:
    with contextlib.ExitStack() as stack:
        for alias in aliases:
            stack.enter_context(transaction.atomic(using=alias))
        return stack.pop_all()


@functools.cache
def _mount_aliases(cls: Any) -> list[str]:
    return _aliases(cls, cls.mount)


def mount_transaction(view: LiveView) -> contextlib.AbstractContextManager[Any]:
    """Around mount()."""
    cls: Any = type(view)
    aliases = _mount_aliases(cls)
    if aliases:
        exempt = _exempt_by_url(view)
        aliases = [alias for alias in aliases if alias not in exempt]
    return _transactions(aliases) if aliases else contextlib.nullcontext()


def in_transaction(call: Call, function: Any, cls: type[LiveView]) -> Call:
    """What calls a handler or handle_tick(), with transactions around it. Rows that its parameters name are read in the
    same ones. RuntimeError, as Django raises it: what is called has to be awaited.
    """
    aliases = _aliases(cls, function)
    if not aliases:
        return call

    def call_in_transaction(view: LiveView, params: dict[str, Any] | None) -> Any:
        exempt = _exempt_by_url(view)
        wanted = [alias for alias in aliases if alias not in exempt]
        if not wanted:
            return call(view, params)
        if iscoroutinefunction(function):
            raise RuntimeError(_NOT_AWAITED)
        with _transactions(wanted):
            result = call(view, params)
            if inspect.isawaitable(result):  # the rest of it would run outside of the transaction
                _close(result)
                raise RuntimeError(_NOT_AWAITED)
            return result

    return call_in_transaction


_NOT_AWAITED = "You cannot use ATOMIC_REQUESTS with async event handlers. Put @transaction.non_atomic_requests on it."


def refuse_early_end(call: Call, function: Any) -> Call:
    """What calls a function, and raises TypeError if a context manager that decorates that has been left before it is
    awaited. Some are found when a class is made; a decorator between the two hides that there is a coroutine.
    """
    manager = validation.ends_before_await(function)
    if manager is None:
        return call

    def call_sync(view: LiveView, params: dict[str, Any] | None) -> Any:
        result = call(view, params)
        if inspect.isawaitable(result):
            _close(result)
            raise TypeError(validation.refuse_early_end(manager))
        return result

    return call_sync


def _close(result: Any) -> None:
    if inspect.iscoroutine(result):
        result.close()  # otherwise Python warns, too
