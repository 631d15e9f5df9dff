"""Replacements for the asgiref Locals that belong to a turn: the active translation, time zone and URL configuration,
and the script prefix.

A Local takes a lock for each access. When a thread is preempted while it holds that lock, the other threads queue for
it at each access of each turn (docs/decisions/worker/0012). A turn has a contextvars context of
its own, so a context variable is enough. And a turn may go on in another thread, where a Local has no value. Django
itself replaces these objects when it reloads translations.
"""

from contextvars import ContextVar
from typing import Any

from django.urls import base as urls
from django.utils import timezone
from django.utils.translation import trans_real

UNSET = object()
_REPLACED = (
    (timezone, "_active", "troupe.timezone"),
    (trans_real, "_active", "troupe.translation"),
    (urls, "_urlconfs", "troupe.urlconf"),
    (urls, "_prefixes", "troupe.script_prefix"),
)


class ContextLocal:
    """An object with one attribute, `value`, which belongs to the current contextvars context. Any thread."""

    __slots__ = ("variable",)

    def __init__(self, name: str) -> None:
        self.variable: ContextVar[Any] = ContextVar(name)  # holds UNSET after `del`

    @property
    def value(self) -> Any:
        """What was set in this context. AttributeError: nothing was."""
        value = self.variable.get(UNSET)
        if value is UNSET:
            raise AttributeError("value")
        return value

    @value.setter
    def value(self, value: Any) -> None:
        self.variable.set(value)

    @value.deleter
    def value(self) -> None:
        if self.variable.get(UNSET) is UNSET:
            raise AttributeError("value")
        self.variable.set(UNSET)


def install() -> None:
    """Installs the replacements, with the values that this thread has; must run before any turn."""
    for module, name, label in _REPLACED:
        replaced = getattr(module, name)
        if not isinstance(replaced, ContextLocal):
            local = ContextLocal(label)
            if hasattr(replaced, "value"):
                local.value = replaced.value
            setattr(module, name, local)
