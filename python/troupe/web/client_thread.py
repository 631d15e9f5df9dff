"""The thread that runs the transport's event loop for callers without one: WSGI, management commands, Celery. One
daemon thread per process, started on first use.
"""

import asyncio
import os
import threading

from asgiref.sync import async_to_sync

from .. import conf

_lock = threading.Lock()
_loop = None


def client_loop():
    """The loop of the process's client thread, started when first asked for."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="troupe-client", daemon=True).start()
        return _loop


def start(function, *args, **kwargs):
    """Call an async function on the client thread; a concurrent.futures.Future of its result."""
    return asyncio.run_coroutine_threadsafe(function(*args, **kwargs), client_loop())


def call(function, *args, **kwargs):
    """Call an async function that uses a transport, from sync code, and wait for its result.

    Over inproc:// it runs on this very thread, so that a transaction that is open here holds.
    """
    if conf.is_inproc():
        return async_to_sync(function)(*args, **kwargs)
    return start(function, *args, **kwargs).result()


def post(function, *args):
    """Call a plain function on the client thread soon; over inproc://, here and now."""
    if conf.is_inproc():
        function(*args)
    else:
        client_loop().call_soon_threadsafe(function, *args)


def _after_fork():
    global _lock, _loop
    _lock = threading.Lock()
    _loop = None


os.register_at_fork(after_in_child=_after_fork)
