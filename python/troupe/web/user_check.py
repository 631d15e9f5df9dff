"""Checks that the user of an open socket is still the one who joined with it.

Django's middleware checks the user of each ordinary request. But a socket stays open while its user is deactivated,
deleted, logged out elsewhere, or changes their password. So the session and the user are read again before an event,
at most once every TROUPE["USER_CHECK_SECONDS"].
"""

import functools
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings

from .. import conf
from . import request_facts
from .request_facts import Login

THREADS = 8  # per process, each with database connections of its own


class UserCheck:
    """The check of one socket. clock: seconds.

    A socket without a user, or with one who does not come from Django's session (but from a middleware of the project's
    own, say), is never checked.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._user: str | None = None
        self._session_key: str | None = None
        self._checked_at = 0.0

    def joined(self, scope: dict[str, Any], login: Login) -> None:
        """A page joined. login: as request_facts.login_of_scope() found it. May use the ORM."""
        self._checked_at = self._clock()
        self._user, self._session_key = login["user"], None
        if self._user is not None and request_facts.is_by_session(scope):
            self._session_key = login["session_key"]

    def logged_in(self, login: Login) -> None:
        """A handler has logged the user in or out, or given the session another key."""
        self._checked_at = self._clock()
        self._user = login["user"]
        self._session_key = login["session_key"] if login["user"] is not None else None

    def is_due(self, least: float = 0) -> bool:
        """Whether the last check is too old. least: seconds for which it is valid whatever the setting says."""
        if self._session_key is None:
            return False
        seconds = conf.get("USER_CHECK_SECONDS")
        return seconds is not None and self._clock() - self._checked_at >= max(seconds, least)

    def is_checked(self) -> bool:
        """Whether there is a user to check."""
        return self._session_key is not None

    async def is_same(self) -> bool:
        """Whether the session is still this user's, and they may still log in. Database errors propagate."""
        assert self._session_key is not None
        now, key = self._clock(), self._session_key
        user = await _reader()(key)
        if key != self._session_key:  # a handler has changed it meanwhile
            return True
        self._checked_at = now
        return user == self._user


def _user_of(session_key: str) -> str | None:
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return request_facts.user_key(request_facts.user_of_session(session))


def _reader() -> Callable[[str], Awaitable[str | None]]:
    """_user_of() on threads of its own: joins share one thread, and neither is to wait for the other. Over inproc:// it
    runs on that one, whose connection a test's transaction is on.
    """
    if conf.is_inproc():
        return database_sync_to_async(_user_of)
    return database_sync_to_async(_user_of, thread_sensitive=False, executor=_threads())


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="troupe-user")


os.register_at_fork(after_in_child=_threads.cache_clear)
