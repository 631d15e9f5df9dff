"""Checks of view classes, made when a class is defined: which methods are handlers, and that calling a handler or a
hook runs its body.

A wrapper that returns a generator cannot be detected before it is called: refuse_unused() then fails the turn.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from types import CellType, FunctionType
from typing import Any

from asgiref.sync import iscoroutinefunction

# Called and never awaited: a coroutine returned by authorize() would be truthy, and mount()'s body would not run.
_DJANGOS = ("as_view", "setup", "dispatch", "options", "http_method_not_allowed", "get_template_names")
_ACCESS = ("authorize", "check_permissions", "has_object_permission")
SYNC_HOOKS = ("mount", "restore", "migrate", "get_context_data", "request_update", *_ACCESS, *_DJANGOS)
ASYNC_HOOKS = ("handle_tick",)

# What decorators of Django REST framework set on a function.
_FRAMEWORKS = {"permission_classes", "authentication_classes", "throttle_classes"}

_LAZY: dict[str, tuple[Callable[[object], bool], str]] = {
    "a generator": (inspect.isgenerator, "gi_code"),
    "a coroutine": (inspect.iscoroutine, "cr_code"),
    "an async generator": (inspect.isasyncgen, "ag_code"),
}


def is_marked(function: Any) -> bool:
    """Whether a function is decorated with @event_handler."""
    return inspect.getattr_static(function, "_troupe_event_handler", False) is True


def check_mark(function: Any) -> None:
    """TypeError: @event_handler decorates something other than a plain function, which could never be called."""
    if _is(function, FunctionType):
        return
    inner = _inner(function)
    name = getattr(inner, "__qualname__", None) or repr(function)
    raise TypeError(f"{name}{place(inner)}: {_no_method(function)}")


def check_class(cls: type, root: type) -> None:
    """TypeError: something that `cls` declares would never run, or would silently change who may call it.

    root: LiveView. Mixins are checked with each class that uses them.
    """
    bases = [base for base in cls.__mro__ if base is not root and base is not object]
    for base in bases:
        for name, value in vars(base).items():
            _check_attribute(cls, base, root, name, value)
    for name in {name: None for base in bases for name, value in vars(base).items() if is_marked(value)}:
        _check_overrides(cls, name, [base for base in bases if name in vars(base)])


def lookup(cls: type, root: type, name: str) -> Any:
    """The function of `cls` that is a handler by its name and kind, decorated or not. None: there is none."""
    if not name.isidentifier() or name.startswith("_") or _is_of_root(root, name):
        return None
    for base in cls.__mro__:
        if name in vars(base):
            function = vars(base)[name]
            if name == "options" and not is_marked(function):  # the HTTP method's
                return None
            return function if _is(function, FunctionType) else None
    return None


def _is_of_root(root: type, name: str) -> bool:
    """Whether it is a name of LiveView's own. `options` is not, like the names of the other HTTP methods."""
    return name != "options" and any(name in vars(base) for base in root.__mro__)


def _check_attribute(cls: type, base: type, root: type, name: str, value: Any) -> None:
    if is_marked(value) or is_marked(_inner(value)):
        _check_handler(cls, base, root, name, value)
    elif name in SYNC_HOOKS or name in ASYNC_HOOKS:
        _check_body(cls, base, name, _inner(value), may_await=name in ASYNC_HOOKS)


def _check_handler(cls: type, base: type, root: type, name: str, value: Any) -> None:
    inner = _inner(value)
    if not _is(value, FunctionType):
        text = _no_method(value)
    elif name.startswith("_") or not name.isidentifier():
        text = "a browser can never call a handler of such a name. Give it one that begins with a letter."
    elif _is_of_root(root, name):
        text = f"{root.__name__}.{name} is the framework's own, and never a handler. Give the handler another name."
    elif _FRAMEWORKS & vars(value).keys():
        text = (
            "the decorators of Django REST framework are for its views, and nothing asks for what they set here. Take "
            "login_required, permission_required and rate_limit of troupe.decorators, or ask in the handler."
        )
    elif asks_for_a_request(value):
        text = (
            "django.contrib.auth.decorators are for views, whose first argument is a request. Take login_required and "
            "permission_required of troupe.decorators, or ask in the handler."
        )
    else:
        _check_body(cls, base, name, value, may_await=True)
        return
    raise TypeError(named(cls, base, name) + place(inner) + ": " + text)


def asks_for_a_request(function: Any) -> bool:
    """Whether one of Django's access decorators is around it, also by way of method_decorator()."""
    for each, held in _wrappers(function):
        around = [item for value in held for item in (value if _is(value, list, tuple) else [value])]
        if any(_is_of_auth(item) for item in [each, *around]):
            return True
    return False


def _wrappers(function: Any) -> Iterator[tuple[Any, list[Any]]]:
    """A function and those that it wraps, the outermost first, each with the values of its closure."""
    for _ in range(32):  # a project's own wrappers may make a cycle
        if not _is(function, FunctionType):
            return
        yield function, [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
        function = inspect.getattr_static(function, "__wrapped__", None)


def ends_before_await(function: Any) -> str | None:
    """The name of a context manager's class that decorates the function, and is left when that returns: an `async def`
    has not run then. None: there is none.
    """
    for each, held in _wrappers(function):
        if not iscoroutinefunction(each):  # some of them make a coroutine function, and await what they decorate
            for value in held:
                if _is(value, ContextDecorator):
                    return type(value).__name__
    return None


def refuse_early_end(manager: str) -> str:
    """What to say of one, after the name of a handler."""
    return (
        f"its decorator {manager} is left before anything of the coroutine runs. Write `with` inside of the handler, "
        "and what uses the database in a function that sync_to_async calls."
    )


def _is_of_auth(value: Any) -> bool:
    return _is(value, FunctionType) and value.__code__.co_filename.endswith("/django/contrib/auth/decorators.py")


def _check_body(cls: type, base: type, name: str, function: Any, may_await: bool) -> None:
    wrapped = inspect.getattr_static(function, "__wrapped__", None)
    manager = ends_before_await(function) if may_await and iscoroutinefunction(wrapped) else None
    if manager is not None and not iscoroutinefunction(function):
        raise TypeError(f"{named(cls, base, name)}{place(function)}: {refuse_early_end(manager)}")
    if inspect.isgeneratorfunction(function):
        text = "is a generator: calling it runs nothing of it. Take out `yield`; assign to attributes instead."
    elif inspect.isasyncgenfunction(function):
        text = "is an async generator: calling it runs nothing of it. Take out `yield`; assign to attributes instead."
    elif iscoroutinefunction(function) and not may_await:
        text = "is `async def`, and nobody awaits it. Make it a plain function (`def`)."
    else:
        return
    raise TypeError(f"{named(cls, base, name)}{place(function)}: it {text}")


def _check_overrides(cls: type, name: str, bases: list[type]) -> None:
    """TypeError: an undecorated method overrides a handler. bases: those that define the name, in lookup order."""
    first = bases[0]
    override = vars(first)[name]
    if is_marked(override) or override is None:
        return
    before = next(base for base in bases if is_marked(vars(base)[name]))
    raise TypeError(
        f"{named(cls, first, name)}{place(_inner(override))}: it takes the place of the handler "
        f"{before.__qualname__}.{name}, without @event_handler. Decorate it if browsers may call it; if not, say "
        f"`{name} = None` in the class, and give this method another name."
    )


def _inner(value: Any) -> Any:
    """The function inside of a property, a classmethod, a partial…; the value itself if there is none."""
    for _ in range(32):  # a project's own classes may make a cycle
        if _is(value, property):
            inner = value.fget
        elif _is(value, functools.partial, functools.partialmethod):
            inner = value.func
        elif _is(value, staticmethod, classmethod):
            inner = value.__func__
        elif _is(value, FunctionType, type):
            return value
        else:
            inner = inspect.getattr_static(value, "__wrapped__", None)
        if inner is None:
            return value
        value = inner
    return value


def _is(value: Any, *kinds: type) -> bool:
    """isinstance() without evaluating a lazy object."""
    return issubclass(type(value), kinds)


def _no_method(value: Any) -> str:
    kind, advice = type(value).__name__, "Write a method that calls it."
    if _is(value, property):
        advice = "A property is for templates: write a method beside it."
    elif _is(value, staticmethod, classmethod):
        advice = "A handler belongs to one page: write it with `self`."
    elif _is(value, type):
        kind, advice = "class", "Decorate the methods of the view, not a class in it."
    return f"@event_handler is for methods made by `def` or `async def`, and this is a {kind}. {advice}"


def named(cls: type, base: type, name: str) -> str:
    """An attribute of `cls`, for messages. base: the class that defines it."""
    where = f"{cls.__module__}.{cls.__qualname__}.{name}"
    return where if base is cls else f"{where}, of {base.__module__}.{base.__qualname__}"


def place(function: Any) -> str:
    """Where a function is written, for messages: " (file:line)". Empty for anything else."""
    code = getattr(inspect.unwrap(function) if _is(function, FunctionType) else function, "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


def refuse_unused(result: Any, name: str, awaited: bool = False) -> None:
    """TypeError: `name` returned code whose body has not run and never will. awaited: the caller awaits awaitables."""
    for kind, (is_kind, code_name) in _LAZY.items():
        if is_kind(result) and not (awaited and kind == "a coroutine"):
            code = getattr(result, code_name)
            if kind == "a coroutine":
                result.close()  # otherwise Python warns, too
            raise TypeError(
                f"{name} returned {kind}, whose body did not run: {code.co_name} "
                f"({code.co_filename}:{code.co_firstlineno}). "
                + ("Await it in an `async def`." if kind == "a coroutine" else "Take out `yield`, or use it up.")
            )
    if isinstance(result, (map, filter)):
        raise TypeError(f"{name} returned a {type(result).__name__} object, which calls nothing until it is used up")
    if not awaited and inspect.isawaitable(result):
        raise TypeError(f"{name} returned an awaitable {type(result).__name__}, which nobody awaits")
