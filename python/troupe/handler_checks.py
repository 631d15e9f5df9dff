"""System checks of handlers: type hints that name nothing, and decorators behind which a handler cannot be seen."""

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from . import validation
from .runtime.parameters import signature_of
from .view_checks import live_views


def check_handlers(**_: Any) -> list[CheckMessage]:
    """Every handler of every live view, each function once."""
    messages: list[CheckMessage] = []
    seen: set[int] = set()
    for cls in dict.fromkeys(cls for cls, _ in live_views()):
        for base in cls.__mro__:
            for name, function in vars(base).items():
                if isinstance(function, FunctionType) and validation.is_marked(function) and id(function) not in seen:
                    seen.add(id(function))
                    messages.extend(_messages(base, name, function))
    return messages


def _messages(cls: type, name: str, function: Any) -> Iterator[CheckMessage]:
    title = f"{cls.__module__}.{cls.__qualname__}.{name}{validation.place(function)}"
    for parameter, hint in signature_of(function, vars(cls), getattr(function, "_troupe_coerce", True)).unresolved:
        text = (
            f"{title}: the type {hint!r} of parameter {parameter!r} cannot be resolved, so nothing is converted to it."
        )
        advice = (
            "Import it where the module runs, not under TYPE_CHECKING, or pass coerce_types=False to @event_handler."
        )
        yield checks.Warning(text, hint=advice, obj=cls, id="troupe.W028")
    if _is_opaque(name, function):
        text = f"{title}: its decorator hides what it takes, so it gets every data-* of an element."
        advice = "Let the decorator use functools.wraps."
        yield checks.Warning(text, hint=advice, obj=cls, id="troupe.W029")


def _is_opaque(name: str, function: Any) -> bool:
    """Whether a handler is a wrapper of another name that passes on whatever it gets, and does not say to what."""
    kinds = {parameter.kind for parameter in inspect.signature(function, follow_wrapped=False).parameters.values()}
    is_wrapper = function.__name__ not in (name, "<lambda>") and not hasattr(function, "__wrapped__")
    return is_wrapper and inspect.Parameter.VAR_KEYWORD in kinds
