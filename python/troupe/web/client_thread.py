"""The thread that runs the transport's event loop for callers without one: WSGI, management commands, Celery. One
daemon thread per process, started on first use.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import async_to_sync

from .. import conf

P = ParamSpec("P")
R = TypeVar("R")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def client_loop() -> asyncio.AbstractEventLoop:
    """The loop of the process's client thread."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="troupe-client", daemon=True).start()
        return _loop


def start(function: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
    """Calls an async function on the client thread; returns a concurrent.futures.Future of its result."""
    return asyncio.run_coroutine_threadsafe(function(*args, **kwargs), client_loop())


def call(function: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls an async function that uses a transport, from sync code, and blocks until it returns.

    Over inproc:// it runs on the calling thread, so that a transaction that is open there covers it.
    """
    if conf.is_inproc():
        return async_to_sync(function)(*args, **kwargs)
    return start(function, *args, **kwargs).result()


def post(function: Callable[..., object], *args: Any) -> None:
    """Schedules a plain function on the client thread and does not wait. Over inproc:// calls it at once."""
    if conf.is_inproc():
        function(*args)
    else:
        client_loop().call_soon_threadsafe(function, *args)


def _after_fork() -> None:
    global _lock, _loop
    _lock = threading.Lock()
    _loop = None


os.register_at_fork(after_in_child=_after_fork)
