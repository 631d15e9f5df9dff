"""Actors for callers without a loop: WSGI, management commands, Celery. One daemon thread for the process
keeps the client's loop.

    from troupe.sync import create_session_actor

    actor = create_session_actor("report-7")
    actor.mount("reports.views.Report", {"pk": 7})
    actor.event("refresh", {})
"""

import asyncio
import os
import threading

from asgiref.sync import async_to_sync

from . import conf

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


class SyncSessionActor:
    """A SessionActor whose methods wait for their answers. See session.py."""

    def __init__(self, actor):
        self._actor = actor
        self.session_id = actor.session_id

    def mount(self, view_path, params, python_view=None):
        """See SessionActor.mount."""
        return call(self._actor.mount, view_path, params, python_view)

    def event(self, name, params, view_id=None):
        """See SessionActor.event."""
        return call(self._actor.event, name, params, view_id)

    def unmount(self, view_id=None):
        """See SessionActor.unmount."""
        return call(self._actor.unmount, view_id)

    def ping(self):
        """See SessionActor.ping."""
        return call(self._actor.ping)

    def shutdown(self):
        """See SessionActor.shutdown."""
        return call(self._actor.shutdown)


def create_session_actor(session_id):
    """A SyncSessionActor. session_id: see session.session_bytes."""
    from .session import SessionActor

    return SyncSessionActor(SessionActor(session_id))


def _after_fork():
    global _lock, _loop
    _lock = threading.Lock()
    _loop = None


os.register_at_fork(after_in_child=_after_fork)
