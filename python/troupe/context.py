"""What a template sees of a view besides what get_context_data() returns: attributes of its class, properties, state()
and @computed.

Attributes are read at each rendering, properties only where the template asks for them.
"""

import copy
import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, overload

from django.db.models import QuerySet

T = TypeVar("T")

_UNSET: Any = object()
# Values that cannot change in place: equal ones stay equal.
_CONSTANT = (type(None), bool, int, float, complex, str, bytes)

_METHODS = (classmethod, staticmethod, functools.partialmethod)

_NAMES = "_troupe_names"  # attribute of a view's class: what _find() gives for it


class State:
    """See state()."""

    def __init__(self, default: Any, factory: Callable[[], Any] | None) -> None:
        self._default, self._factory = default, factory
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, view: Any, owner: type | None = None) -> Any:
        if view is None:
            return self
        # The next time the view's own attribute goes first: this is no data descriptor.
        value = vars(view)[self._name] = self._factory() if self._factory is not None else copy.deepcopy(self._default)
        return value


@overload
def state(default: T) -> T: ...
@overload
def state(*, default_factory: Callable[[], T]) -> T: ...
@overload
def state() -> Any: ...
def state(default: Any = _UNSET, *, default_factory: Callable[[], Any] | None = None) -> Any:
    """An attribute with a default of each page's own, declared in the class:

    class Board(LiveView):
        filter = state(default="all")
        tasks = state(default_factory=list)

    A default is copied, so that pages do not share a list. TypeError: both a default and a factory, or a factory that
    cannot be called.
    """
    if default_factory is not None and (default is not _UNSET or not callable(default_factory)):
        raise TypeError("state() takes either default or default_factory, a function that makes one")
    return State(None if default is _UNSET else default, default_factory)


class Computed:
    """See computed()."""

    def __init__(self, function: Callable[[Any], Any], dependencies: tuple[str, ...]) -> None:
        functools.update_wrapper(self, function)  # type: ignore[arg-type]
        self._function, self._dependencies = function, dependencies
        self._last: weakref.WeakKeyDictionary[Any, tuple[Any, Any]] = weakref.WeakKeyDictionary()

    def __get__(self, view: Any, owner: type | None = None) -> Any:
        if view is None:
            return self
        key = self._key(view)
        if key is None:
            return self._function(view)
        try:
            last = self._last.get(view)
        except TypeError:  # views that define __eq__ cannot be hashed
            return self._function(view)
        if last is None or last[0] != key:
            last = self._last[view] = key, self._function(view)
        return last[1]

    def __set__(self, view: Any, value: Any) -> None:
        raise AttributeError(f"{self._function.__qualname__} is computed, and cannot be set")

    def _key(self, view: Any) -> tuple[Any, ...] | None:
        """What the value depends on. None: it has to be computed each time, as something may have changed in place."""
        values = [getattr(view, name) for name in self._dependencies]
        if not values or not all(type(value) in _CONSTANT for value in values):
            return None
        return tuple((type(value), value) for value in values)


@overload
def computed(function: Callable[[Any], T], /) -> T: ...
@overload
def computed(*dependencies: str) -> Callable[[Callable[[Any], T]], T]: ...
def computed(*arguments: Any) -> Any:
    """A property for the template: @computed, or @computed("price", "count") with the attributes that it depends on.

    While those are the same numbers and texts it is not computed again. With others among them (a list, a model), which
    may change in place, it is computed at each rendering that shows it.
    """
    if len(arguments) == 1 and callable(arguments[0]):
        return Computed(arguments[0], ())
    if not arguments or not all(isinstance(name, str) and name.isidentifier() for name in arguments):
        raise TypeError('@computed takes the names of attributes: @computed("price", "count")')
    return lambda function: Computed(function, arguments)


class _Later:
    """The value of a property, read when a template first asks for it. Templates call what can be called."""

    __slots__ = ("_view", "_name", "_value")
    do_not_call_in_templates = False
    alters_data = False

    def __init__(self, view: Any, name: str) -> None:
        self._view, self._name = view, name
        self._value = _UNSET

    def __call__(self) -> Any:
        if self._value is _UNSET:
            self._value = getattr(self._view, self._name)
        return self._value


class ViewNames(dict[str, Any]):
    """The scope of a template's context with the names of a view's class."""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) is not _Later:
            return value
        try:
            return value()
        except Exception:
            # A template takes a KeyError of a lookup for a name that is not there. It calls this, which raises again.
            return value

    def get(self, name: str, default: Any = None) -> Any:
        """As dict.get(), with the values of properties."""
        return self[name] if name in self else default


def view_names(view: Any, root: type) -> ViewNames | None:
    """What a template sees of the view's class. None: nothing. root: LiveView."""
    cls = type(view)
    names: dict[str, bool] | None = vars(cls).get(_NAMES)
    if names is None:
        names = dict(_find(cls, root))
        setattr(cls, _NAMES, names)
    if not names:
        return None
    return ViewNames({name: _Later(view, name) if later else _read(view, name) for name, later in names.items()})


def _read(view: Any, name: str) -> Any:
    value = getattr(view, name)
    # A queryset of the class's keeps its rows for all pages, for ever.
    return value.all() if isinstance(value, QuerySet) else value


def _find(cls: type, root: type) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a property) of what the project's own classes define: nothing private, nothing that is
    called, and nothing that LiveView or Django's views have.
    """
    seen: set[str] = set()
    for base in cls.__mro__:
        ours = base in root.__mro__ or base.__module__.partition(".")[0] in ("django", "troupe")
        for name, value in vars(base).items():
            if name in seen:
                continue
            seen.add(name)
            if ours or name.startswith("_") or any(name in vars(each) for each in root.__mro__):
                continue
            if isinstance(value, State):
                yield name, False
            elif hasattr(type(value), "__get__"):
                if not callable(value) and not isinstance(value, _METHODS):
                    yield name, True
            elif not callable(value) or getattr(value, "do_not_call_in_templates", False):
                yield name, False
