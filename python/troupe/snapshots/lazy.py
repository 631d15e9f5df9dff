"""Lazy texts: `gettext_lazy("Open")` stays lazy, and is in the reader's language at each rendering.

Only calls of the functions below are made again, with the arguments that the text had.
"""

from typing import Any

from django.urls import reverse
from django.utils import html, safestring, text, translation
from django.utils.functional import Promise, lazy

from .errors import NotSerializable

_NAMED: dict[str, Any] = {
    "gettext": translation.gettext,
    "pgettext": translation.pgettext,
    "ngettext": translation.ngettext,
    "npgettext": translation.npgettext,
    "reverse": reverse,
    "format_lazy": text._format_lazy,
    "capfirst": text.capfirst,
    "escape": html.escape,
    "mark_safe": safestring.mark_safe,
    "str": str,
}
# What keep_lazy() decorates, a lazy text calls without the decorator.
_FUNCTIONS = {name: getattr(function, "__wrapped__", function) for name, function in _NAMED.items()}
_NAMES = {function: name for name, function in _FUNCTIONS.items()}
_BY_NUMBER = {"ngettext": translation.ngettext_lazy, "npgettext": translation.npgettext_lazy}


def pack_lazy(value: Promise) -> list[Any]:
    """["lazy", function, arguments, keywords, whether it is safe], or ["number", function, arguments]: ngettext_lazy()
    with the name of its number. Asks Django's own __reduce__(). NotSerializable: it is another function's.
    """
    try:
        unpickle, (function, *rest) = value.__reduce__()
        name = _NAMES[function]
        if unpickle.__name__ == "_lazy_number_unpickle":
            _, number, kwargs = rest
            return ["number", name, {**kwargs, "number": number}]
        args, kwargs, *types = rest
    except (AttributeError, KeyError, TypeError, ValueError):
        message = "a lazy text of a function that is not Django's cannot be serialized: keep str() of it"
        raise NotSerializable(message) from None
    return ["lazy", name, list(args), kwargs, html.SafeString in types]


def make_lazy(name: str, args: Any, kwargs: Any, safe: Any) -> Any:
    """The lazy text of pack_lazy()'s parts."""
    return lazy(_FUNCTIONS[name], html.SafeString if safe else str)(*args, **kwargs)


def make_by_number(name: str, kwargs: Any) -> Any:
    """The same for ["number", …]."""
    return _BY_NUMBER[name](**kwargs)
