"""Cache and task backends, one of each for every thread, as a WSGI server has them.

Django keeps them in an asgiref Local, which belongs to the current context. A turn has a context of its own, so each
event would connect to the cache's server anew. Coroutines keep Django's: theirs are in one thread together, where a
backend must not be shared.
"""

import asyncio
import sys
import threading
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

_THREAD, _TASK = "_of_thread", "_of_task"

_used = False  # by anybody in this process


class ThreadInstances:
    """Stands in for the Local of a BaseConnectionHandler, whose attributes are instances by alias."""

    __slots__ = (_THREAD, _TASK)

    def __init__(self, of_task: Any) -> None:
        object.__setattr__(self, _THREAD, threading.local())
        object.__setattr__(self, _TASK, of_task)

    def __getattr__(self, alias: str) -> Any:
        return getattr(self._here(), alias)

    def __setattr__(self, alias: str, instance: Any) -> None:
        global _used
        _used = True
        setattr(self._here(), alias, instance)

    def __delattr__(self, alias: str) -> None:
        delattr(self._here(), alias)

    def _here(self) -> Any:
        name = _THREAD if asyncio._get_running_loop() is None else _TASK
        return object.__getattribute__(self, name)


def of_thread(handler: Any) -> dict[str, Any]:
    """The calling thread's instances, by alias. Empty outside of a worker."""
    instances = handler._connections
    return vars(object.__getattribute__(instances, _THREAD)) if type(instances) is ThreadInstances else {}


def install() -> None:
    """Before any turn."""
    handlers: list[Any] = [caches]
    if "django.tasks" in sys.modules:  # Django 6.0
        handlers.append(sys.modules["django.tasks"].task_backends)
    for handler in handlers:
        if type(handler._connections) is not ThreadInstances:
            handler._connections = ThreadInstances(handler._connections)


def close_caches() -> None:
    """At the end of a turn, for the calling thread: what Django does when a request is finished."""
    if not _used:
        return
    for cache in of_thread(caches).values():
        if type(cache).close is not BaseCache.close:
            cache.close()
