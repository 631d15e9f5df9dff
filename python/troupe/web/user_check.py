"""Whether the user behind an open socket is still who joined with it. An ordinary request is looked at by Django's own
middleware each time; a socket stays open while its user is deactivated, deleted, logged out elsewhere, or changes their
password. So the session and the user are read again before an event, at most every TROUPE["USER_CHECK_SECONDS"].
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from channels.db import database_sync_to_async
from django.conf import settings

from .. import conf
from . import request_facts

THREADS = 8  # of a process, each with database connections of its own


class UserCheck:
    """Of one socket. clock: seconds. A socket without a user, or whose user does not come from Django's session (a
    middleware of the project's own, say), is never looked at.
    """

    def __init__(self, clock):
        self._clock = clock
        self._user = None
        self._session_key = None
        self._at = 0.0

    def joined(self, scope, user):
        """A page joined. user: as request.person_of_scope() found it. Where the ORM may be used."""
        self._at = self._clock()
        self._user, self._session_key = user["user"], None
        if self._user is not None and request_facts.is_by_session(scope):
            self._session_key = user["session_key"]

    def is_due(self, least=0):
        """Whether the last look is too old. least: seconds that it is good for anyway."""
        if self._session_key is None:
            return False
        seconds = conf.get("USER_CHECK_SECONDS")
        return seconds is not None and self._clock() - self._at >= max(seconds, least)

    async def is_same(self):
        """Look again: whether the session still says that it is this user, and the user may still log in. What the
        database raises is raised.
        """
        now = self._clock()
        user = await _off_the_loop()(self._session_key)
        self._at = now
        return user == self._user


def _user_of(session_key):
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return request_facts.user_key(request_facts.user_of_session(store))


def _off_the_loop():
    """_user_of() on threads of its own: joins share one, and a look is not to wait for them, nor they for it. Over
    inproc:// on that one, where a test's transaction is.
    """
    if conf.is_inproc():
        return database_sync_to_async(_user_of)
    return database_sync_to_async(_user_of, thread_sensitive=False, executor=_threads())


@functools.cache
def _threads():
    return ThreadPoolExecutor(THREADS, thread_name_prefix="troupe-user")


os.register_at_fork(after_in_child=_threads.cache_clear)
