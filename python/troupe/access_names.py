"""Names by which Django and its packages ask who may see a page, in a class in which nobody asks for them:

class Reports(LiveView):
    def test_func(self):              # UserPassesTestMixin is not among the bases
        return self.request.user.is_staff

The page would be shown to everybody, so defining such a class is an error. What is only without effect is a finding of
`manage.py check`. A name counts as asked for as soon as a function of the class, or of a mixin, mentions it.
"""

import difflib
import functools
import inspect
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from asgiref.sync import iscoroutinefunction

from .validation import asks_for_a_request, is_marked, named, place

_DJANGOS = "django.contrib.auth.mixins.{} asks for it, and is not among the bases. Put it there"
_OWN = ", or ask in check_permissions(self, request)"
_REST = (
    "Django REST framework's views ask for it, and a LiveView does not. Ask in check_permissions(self, request), or "
    "set login_required or permission_required"
)
_BRACES = "a mixin of django-braces asks for it, and is not among the bases. Put it there" + _OWN
# Name: who asks for it, and what to do. Whoever defines one of these means to keep somebody out.
GUARDS = {
    "test_func": _DJANGOS.format("UserPassesTestMixin") + _OWN,
    "get_test_func": _DJANGOS.format("UserPassesTestMixin") + _OWN,
    "has_permission": _DJANGOS.format("PermissionRequiredMixin") + _OWN,
    "get_permission_required": _DJANGOS.format("PermissionRequiredMixin") + ", or make permission_required a property",
    "permission_classes": _REST,
    "authentication_classes": _REST,
    "check_object_permissions": "Django REST framework's views ask for it, and a LiveView does not. Define "
    "has_object_permission(self, request, obj) and get_object(self)",
    "group_required": _BRACES,
}
# Of AccessMixin: what happens to those who are kept out.
DETAILS = ("login_url", "raise_exception", "redirect_field_name", "permission_denied_message", "handle_no_permission")
_ASKED = ("login_required", "permission_required", "check_permissions", "has_object_permission", "on_mount")
_ALIKE = 0.88  # the least likeness of a name that is meant to be another one
_MAX_VALUES = 1000  # looked at for one name


def check_class(cls: type[Any], root: type[Any]) -> None:
    """TypeError: `cls` says who may see the page by a name that nobody asks for, or in a way that lets everybody in.
    root: LiveView.
    """
    for each in _others(cls, root):
        if asks_for_a_request(vars(each).get("mount")):
            raise TypeError(
                f"{named(cls, each, 'mount')}: decorators of django.contrib.auth ask here when the page opens, and "
                "never again while it is open. Put them around dispatch(): @method_decorator(login_required, "
                "name='dispatch'), or set login_required or permission_required."
            )
    for name, advice in GUARDS.items():
        base = next((base for base in _others(cls, root) if name in vars(base)), None)
        if base is None or base.__module__.startswith("django.") or not _is_guard(name, vars(base)[name]):
            continue
        value = vars(base)[name]
        where = named(cls, base, name) + place(value)
        if not is_mentioned(cls, root, name):
            text = f"nothing here asks for it, so that everybody would see the page: {advice}."
            raise TypeError(f"{where}: {text}")
        if mixin_reads(cls, root, name) and _is_truthy(value):
            text = "whoever calls it takes what it returns for a yes. Make it a plain function (`def`) without `yield`."
            raise TypeError(f"{where}: {text}")


def without_effect(cls: type[Any], root: type[Any]) -> Iterator[tuple[str, str]]:
    """(name, advice): what `cls` itself defines, and nobody asks for, though it is named like a part of an access
    check.
    """
    asks = any(
        vars(base).get(name) for base in _others(cls, root) for name in ("login_required", "permission_required")
    )
    for name, value in vars(cls).items():
        advice = None
        if name in DETAILS:
            if value and not asks:
                advice = "Set login_required or permission_required as well, or add the mixin that is to ask for it."
        elif not (name.startswith("_") or hasattr(root, name) or name in GUARDS or is_marked(value)):
            meant = difflib.get_close_matches(name, [*_ASKED, *GUARDS], 1, _ALIKE)
            advice = f"Did you mean {meant[0]!r}?" if meant else None
        if advice and not is_mentioned(cls, root, name):
            yield name, advice


def is_mentioned(cls: type[Any], root: type[Any], name: str) -> bool:
    """Whether the code of a class, or of what it derives from, names this attribute. LiveView's own does not count."""
    return any(name in _names_of(base, name, base.__module__.split(".")[0]) for base in _others(cls, root))


def mixin_reads(cls: type[Any], root: type[Any], name: str) -> bool:
    """Whether a mixin with a dispatch() of its own names this attribute: then it is the mixin's to ask."""
    mixins = [base for base in _others(cls, root) if not issubclass(base, root)]
    return any(
        hasattr(mixin, "dispatch") and name in _names_of(base, name, None)
        for mixin in mixins
        for base in mixins
        if issubclass(mixin, base)
    )


def _others(cls: type[Any], root: type[Any]) -> list[type[Any]]:
    own = set(root.__mro__)
    return [base for base in cls.__mro__ if base not in own]


def _is_guard(name: str, value: Any) -> bool:
    """Whether an attribute may be what its name says. A method that takes more is one of the project's own."""
    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    if name == "has_permission":
        is_method = isinstance(function, FunctionType) and not is_marked(function)
        return is_method and function.__code__.co_argcount <= 1 and function.__code__.co_kwonlyargcount == 0
    return bool(value) and not is_marked(value) and not isinstance(value, (property, functools.cached_property))


def _is_truthy(function: Any) -> bool:
    """Whether calling it runs nothing, and returns what counts as true."""
    return (
        iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    )


def _names_of(base: type[Any], name: str, package: str | None) -> set[str]:
    """The names of attributes, and the texts, in the functions that a class defines, but for those of that name, which
    may call super(). package: also in functions of this one that they name.
    """
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [value for key, value in vars(base).items() if key != name]
    while waiting and len(seen) < _MAX_VALUES:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if not isinstance(value, FunctionType):
            waiting += _inside(value)
            continue
        names = _names_of_code(value.__code__)
        found |= names
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
        waiting += [each for cell in cells for each in (cell if isinstance(cell, (list, tuple)) else [cell])]
        if package and value.__module__.split(".")[0] == package:
            waiting += [value.__globals__[each] for each in names if each in value.__globals__]
    return found


def _inside(value: Any) -> list[Any]:
    """The functions of a list, a property, a classmethod, a partial."""
    kind = type(value)
    if issubclass(kind, (list, tuple)):
        return list(value)
    if issubclass(kind, property):
        return [value.fget, value.fset]
    if issubclass(kind, (staticmethod, classmethod)):
        return [value.__func__]
    if issubclass(kind, (functools.partial, functools.partialmethod)):
        return [value.func]
    if issubclass(kind, functools.cached_property):
        return [value.func]
    return []


def _names_of_code(code: CodeType) -> set[str]:
    names = {*code.co_names}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_of_code(constant)
        elif isinstance(constant, str):  # getattr(self, "test_func")
            names.add(constant)
    return names
