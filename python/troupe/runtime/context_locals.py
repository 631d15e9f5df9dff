"""A worker's stand-in for the two asgiref Locals that every turn reads: the active translation and time zone.

A Local takes a lock for each access. With several threads in turns one of them is now and then interrupted while it
holds that lock, and then all of them queue for it, at each access of each turn. A turn has a contextvars context of
its own, so a context variable is enough. Django itself replaces these objects when it reloads translations.
"""

from contextvars import ContextVar

from django.utils import timezone
from django.utils.translation import trans_real

_UNSET = object()


class ContextLocal:
    """An object with one attribute, `value`, which belongs to the current contextvars context. Any thread."""

    __slots__ = ("_variable",)

    def __init__(self, name):
        self._variable = ContextVar(name)

    @property
    def value(self):
        """What was set in this context; AttributeError: nothing was."""
        found = self._variable.get(_UNSET)
        if found is _UNSET:
            raise AttributeError("value")
        return found

    @value.setter
    def value(self, new):
        self._variable.set(new)

    @value.deleter
    def value(self):
        if self._variable.get(_UNSET) is _UNSET:
            raise AttributeError("value")
        self._variable.set(_UNSET)


def install():
    """Puts them in place, before any turn. What is active at that time is forgotten."""
    timezone._active = ContextLocal("troupe.timezone")
    trans_real._active = ContextLocal("troupe.translation")
