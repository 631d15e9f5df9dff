"""What the runtime knows of a view beside its attributes, which are the project's."""

import weakref
from collections.abc import Collection
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerView(Generic[T]):
    """A value a view, for as long as that lives. By identity: a project's class may define __eq__()."""

    def __init__(self) -> None:
        self._values: dict[int, tuple[weakref.ref[Any], T]] = {}

    @property
    def entries(self) -> Collection[Any]:
        """For those who ask in each turn whether there is anything at all."""
        return self._values

    def get(self, view: Any) -> T | None:
        entry = self._values.get(id(view))
        return entry[1] if entry is not None else None

    def set(self, view: Any, value: T) -> None:
        key, values = id(view), self._values
        self._values[key] = weakref.ref(view, lambda _: values.pop(key, None)), value

    def pop(self, view: Any) -> T | None:
        entry = self._values.pop(id(view), None)
        return entry[1] if entry is not None else None
