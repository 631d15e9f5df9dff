"""Checks that the user of an open socket is still the one who joined with it.

Django's middleware checks the user of each ordinary request. But a socket stays open while its user is deactivated,
deleted, logged out elsewhere, or changes their password. So the session and the user are read again before an event,
at most once every TROUPE["USER_CHECK_SECONDS"].
"""

import functools
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.db import database_sync_to_async

from .. import conf
from ..session_engine import store_class
from . import middleware_user, request_facts
from .request_facts import Login

THREADS = 8  # per process, each with database connections of its own


class UserCheck:
    """The check of one socket. clock: seconds.

    Where middleware has put another user in the place of the session's (one who is impersonated, say), the session is
    looked at, and middleware is asked again once there is something else in it. A socket without a user, or whose user
    has nothing to do with a session, is never checked.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._user: str | None = None
        self._session_key: str | None = None
        self._middleware: _Middleware | None = None
        self._checked_at = 0.0

    def joined(self, scope: dict[str, Any], login: Login, url: str) -> None:
        """A page joined. login: as request_facts.login_of_scope() found it. url: the page's. May use the ORM."""
        self._checked_at = self._clock()
        self._user, self._session_key, self._middleware = login["user"], None, None
        if self._user is None:
            return
        if request_facts.is_by_session(scope):
            self._session_key = login["session_key"]
        elif middleware_user.is_asked(scope) and login["session_key"]:
            self._session_key = login["session_key"]
            self._middleware = _Middleware(scope, url, login)

    def logged_in(self, login: Login) -> None:
        """A handler has logged the user in or out, or given the session another key."""
        self._checked_at = self._clock()
        self._user, self._middleware = login["user"], None
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
        user = await _reader()(key, self._middleware)
        if key != self._session_key:  # a handler has changed it meanwhile
            return True
        self._checked_at = now
        return user == self._user


class _Middleware:
    """A user whom middleware has put in the place of the session's. Middleware may count, log and limit what it sees:
    it is asked only when the session, or its user's row, is not what it was.
    """

    def __init__(self, scope: dict[str, Any], url: str, login: Login) -> None:
        self._scope, self._url, self._user = scope, url, login["user"]
        self._seen = _look(login["session_key"] or "")

    def user(self, session_key: str) -> str | None:
        """Who it is by now. None: the session is another one's, or middleware does not say who it is."""
        seen = _look(session_key)
        if seen == self._seen:
            return self._user
        try:
            user = middleware_user.login({**self._scope}, self._url, self._user)["user"]
        except middleware_user.UserUnknown:
            return None
        if user == self._user:
            self._seen = seen
        return user


def _look(session_key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is in a session, and in the row of its user."""
    session = store_class()(session_key)
    user = request_facts.user_of_session(session)
    row = {name: value for name, value in vars(user).items() if name[0] != "_"} if user is not None else {}
    return dict(session.items()), row


def _user_of(session_key: str, middleware: _Middleware | None = None) -> str | None:
    if middleware is not None:
        return middleware.user(session_key)
    return request_facts.user_key(request_facts.user_of_session(store_class()(session_key)))


def _reader() -> Callable[[str, _Middleware | None], Awaitable[str | None]]:
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
