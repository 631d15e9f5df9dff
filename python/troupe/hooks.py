"""Methods that have the name of one of LiveView's hooks and cannot be it: `restore(self, item_id)` of a trash can would
be called with a request whenever a page moves to another worker.
"""

import functools
import inspect
from types import FunctionType
from typing import Any

# Hook: (what it is called with, when). Parameters may have other names, as long as they can be told from those of a
# method of the project's own: see _is_meant.
_HOOKS: dict[str, tuple[tuple[str, ...], str]] = {
    "mount": (("request",), "when a page opens, with the URL's keywords besides"),
    "authorize": (("request",), "whenever a view is mounted, joined or restored"),
    "restore": (("request",), "when a view was restored on another worker"),
    "migrate": (("version", "state"), "for a snapshot of another state_version"),
    "handle_tick": ((), "every tick_interval ms"),
    "request_update": ((), "by the project's code, and reports a change to the page"),
    "get_context_data": ((), "at each rendering"),
}


def check_class(cls: type, root: type) -> None:
    """TypeError: a method of the project's takes the place of a hook, and cannot be it. root: LiveView."""
    for base in cls.__mro__:
        if base in root.__mro__:
            continue
        for name, (wanted, when) in _HOOKS.items():
            if name not in vars(base):
                continue
            value = vars(base)[name]
            problem = _problem(value, wanted, name == "mount")
            if problem:
                raise TypeError(
                    f"{cls.__module__}.{cls.__qualname__}.{name}{place(value)}: it {problem}. {root.__name__}.{name}"
                    f"({', '.join(('self', *wanted))}) is called {when}. Give yours another name, or the parameters of "
                    "the hook."
                )


def place(value: Any) -> str:
    """Where a method is written, for messages: " (file:line)". Empty for anything else."""
    code = getattr(inspect.unwrap(value) if isinstance(value, FunctionType) else value, "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


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
