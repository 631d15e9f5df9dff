"""Methods that have the name of one of LiveView's hooks and cannot be it: `restore(self, item_id)` of a trash can would
be called with a request whenever a page moves to another worker.
"""

import functools
import inspect
from types import FunctionType
from typing import Any

from .validation import named, place

# Hook: (what it is called with, when). Parameters may have other names, as long as they can be told from those of a
# method of the project's own: see _is_meant.
_HOOKS: dict[str, tuple[tuple[str, ...], str]] = {
    "mount": (("request",), "when a page opens, with the URL's keywords besides"),
    "setup": (("request",), "by Django, before dispatch()"),
    "dispatch": (("request",), "by Django, and by a worker before each turn"),
    "authorize": (("request",), "whenever a view is mounted, joined or restored"),
    "check_permissions": (("request",), "before mount(), at each join, and before each event"),
    "has_object_permission": (("request", "obj"), "after mount(), at each join, and before each event"),
    "restore": (("request",), "when a view was restored on another worker"),
    "migrate": (("version", "state"), "for a snapshot of another state_version"),
    "handle_tick": ((), "every tick_interval ms"),
    "request_update": ((), "by the project's code, and reports a change to the page"),
    "get_context_data": ((), "at each rendering"),
}
_TAKE_MORE = ("mount", "setup", "dispatch")


def check_class(cls: type, root: type) -> None:
    """TypeError: a method of the project's takes the place of a hook, and cannot be it. root: LiveView."""
    for base in cls.__mro__:
        if base in root.__mro__:
            continue
        for name, (wanted, when) in _HOOKS.items():
            if name not in vars(base):
                continue
            value = vars(base)[name]
            problem = _problem(value, wanted, name in _TAKE_MORE)
            if problem:
                raise TypeError(
                    f"{named(cls, base, name)}{place(value)}: it {problem}. {root.__name__}.{name}"
                    f"({', '.join(('self', *wanted))}) is called {when}. Give yours another name, or the parameters of "
                    "the hook."
                )


def check_instance(view: Any) -> None:
    """TypeError: an attribute of a view's own hides a hook, such as `self.restore = True`."""
    for name in vars(view).keys() & _HOOKS.keys():
        if not callable(vars(view)[name]):
            text = f"self.{name} was set, and LiveView.{name}() is called {_HOOKS[name][1]}. Give it another name."
            raise TypeError(text)


def _problem(value: Any, wanted: tuple[str, ...], takes_more: bool) -> str:
    """Why a class's attribute is not the hook; empty if it may be. takes_more: the hook gets more, by name."""
    if not isinstance(value, FunctionType):
        is_value = not callable(value) and not hasattr(type(value), "__get__")
        return f"is a {type(value).__name__}, and cannot be called" if is_value else ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    try:
        bound = (signature.bind_partial if takes_more else signature.bind)(None, *wanted)
    except TypeError:
        return f"takes {signature}, and cannot be called with {', '.join(wanted) or 'nothing'}"
    given = [name for name in list(bound.arguments)[1:] if signature.parameters[name].kind in _BY_POSITION]
    if len(given) == len(wanted) and wanted and not any(map(_is_meant, given, wanted)):
        return f"takes {signature}, and would get {', '.join(wanted)}"
    return ""


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@functools.cache
def _is_meant(given: str, wanted: str) -> bool:
    """Whether a parameter's name says that it is the hook's: req, _request, http_request, old_version, state…"""
    return given.startswith("_") or wanted in given or (len(given) <= len(wanted) and wanted.startswith(given))
