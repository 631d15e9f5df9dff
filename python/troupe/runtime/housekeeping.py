"""What user code may leave behind on a thread that runs turns, and how the next turn, which is another session's, is
kept from it.

Django closes and resets per request what belongs to a thread; a worker does so per turn. A transaction that is still
open then would take in what other sessions write. It is rolled back, and the turn that left it fails.
"""

import functools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import asgiref
from asgiref.sync import SyncToAsync
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.transaction import TransactionManagementError
from django.dispatch import receiver
from django.urls import clear_script_prefix, set_urlconf
from django.utils import timezone, translation

from ..logs import quoted, word

logger = logging.getLogger("troupe")

# From 3.7 on asgiref's Local, and so what translation, time zone and URL configuration are activated in, is part of the
# turn's own context.
LOCALE_ENDS_WITH_CONTEXT = tuple(int(part) for part in asgiref.__version__.split(".")[:2]) >= (3, 7)

# Whose connections are ours to keep in order: a worker's threads. Over inproc:// they are the caller's.
_on = False


class _Thread(threading.local):
    def __init__(self):
        self.connections = {}  # by id, as a copy() has its alias: all that were opened here; cheaper than Django's
        self.wrappers = {}  # by id: connection.execute_wrappers, before user code
        self.was_interrupted = False


_thread = _Thread()


def set_housekeeping(on):
    """Whether turns look after this process's threads (a worker's do)."""
    global _on
    _on = on


@receiver(connection_created, dispatch_uid="troupe.housekeeping")
def _note_connection(*, connection, **_):
    _thread.connections[id(connection)] = connection


def note_interruption():
    """User code on this thread was interrupted, perhaps in the middle of a commit: close its connections."""
    _thread.was_interrupted = True


def begin():
    """Before the first Python of a turn on this thread, in the turn's own context."""
    if _on and _thread.connections:
        _close_old()
        _note_before()


def _close_old():
    """As Django's close_old_connections(), which goes through connections that this thread never opened, too."""
    for key, one in list(_thread.connections.items()):
        one.close_if_unusable_or_obsolete()
        if one.connection is None and connections[one.alias] is not one:  # a copy() that was closed
            del _thread.connections[key]
            _thread.wrappers.pop(key, None)


def _note_before():
    for key, one in _thread.connections.items():
        one.queries_log.clear()
        _thread.wrappers[key] = one.execute_wrappers[:]


def settle():
    """After user code ran on this thread. TransactionManagementError: it left a transaction open; it is rolled back."""
    if not _on or not _thread.connections or _thread.was_interrupted:
        return
    left = [one for one in _thread.connections.values() if _is_open(one)]
    if left:
        raise TransactionManagementError(
            f"it left a transaction open on the database connection {_discard(left)}: all that was written in it is "
            "rolled back. End it before returning: use `with transaction.atomic():`, and leave autocommit on"
        )


def clean():
    """As settle(), where an error is on its way that is to be told instead."""
    try:
        settle()
    except TransactionManagementError as error:
        logger.warning("event=transaction_rolled_back message=%s", quoted(error))


def end():
    """After the last Python of a turn. A thread that never opened a connection has none to look after."""
    if not _on:
        return
    if not LOCALE_ENDS_WITH_CONTEXT:
        translation.deactivate()
        timezone.deactivate()
        set_urlconf(None)
        clear_script_prefix()
    if _thread.was_interrupted:
        _thread.was_interrupted = False
        _discard(connections.all())
    elif _thread.connections:
        clean()  # what no step of the turn looked at
        _undo()
        _close_old()


def _undo():
    for key, one in _thread.connections.items():
        before = _thread.wrappers.get(key)
        if before is not None and one.execute_wrappers != before:
            one.execute_wrappers[:] = before
        if not one.in_atomic_block:
            one.needs_rollback = False
        if one.connection is not None and not one.settings_dict["AUTOCOMMIT"]:
            one.rollback()


# What a driver says of a transaction that Django was not asked to begin. PostgreSQL's drivers have libpq's states.
_BY_VENDOR = {
    "sqlite": lambda connection: connection.in_transaction,
    "postgresql": lambda connection: int(connection.info.transaction_status) in (1, 2, 3),
    "mysql": lambda connection: bool(getattr(connection, "server_status", 0) & 1),
}


def _is_open(connection):
    if connection.in_atomic_block:
        return True
    if connection.connection is None or not connection.settings_dict["AUTOCOMMIT"]:
        return False  # without AUTOCOMMIT every query begins one: end() rolls it back
    return not connection.autocommit or _is_in_transaction(connection)


def _is_in_transaction(connection):
    try:
        return connection.vendor in _BY_VENDOR and _BY_VENDOR[connection.vendor](connection.connection)
    except Exception:  # of a connection that is gone, and its transaction with it
        return False


def _discard(left):
    """Close connections in whatever state, and forget them: the next query opens new ones. Their aliases, as text."""
    for one in left:
        try:
            _close(one)
        except Exception:  # it is lost all the same
            logger.exception("event=connection_not_closed alias=%s", word(one.alias))
        finally:
            if connections[one.alias] is one:  # and not a copy() of it
                del connections[one.alias]
            _thread.connections.pop(id(one), None)
            _thread.wrappers.pop(id(one), None)
    return ", ".join(repr(one.alias) for one in left)


def _close(connection):
    try:
        connection.close()
    except SynchronousOnlyOperation:  # opened on a loop's thread while user code had DJANGO_ALLOW_ASYNC_UNSAFE on
        connection.connection.close()


class Executor(ThreadPoolExecutor):
    """The threads that coroutines hand sync code to (`sync_to_async`, `asyncio.to_thread`, Django's async ORM). All
    sessions share them, and their calls take turns, so each call is looked after by itself.

    keeps: a turn makes many calls on one thread, which keeps its connections until turn_over().
    """

    def __init__(self, max_workers=None, keeps=False):
        super().__init__(max_workers, thread_name_prefix="troupe-sync")
        self._keeps = keeps
        self._used = False

    def submit(self, function, /, *args, **kwargs):
        """See ThreadPoolExecutor."""
        self._used = True
        call = functools.partial(function, *args, **kwargs)
        return super().submit(_call_kept if self._keeps else _call, call)

    def turn_over(self):
        """An awaited turn is over: as at the end of a request, connections are closed that are not to persist."""
        if self._used:
            self._used = False
            super().submit(_close_old)


def _call(call):
    begin()
    try:
        return _settled(call)
    finally:
        end()


def _call_kept(call):
    _note_before()
    try:
        return _settled(call)
    finally:
        _undo()
        for one in _thread.connections.values():
            if one.errors_occurred:  # of a server that went away, too
                one.close_if_unusable_or_obsolete()


def _settled(call):
    try:
        result = call()
    except BaseException:
        clean()
        raise
    settle()
    return result


_sensitive = None


def use_executors(loop):
    """Have a loop's coroutines hand their sync code to threads that are looked after."""
    global _sensitive
    loop.set_default_executor(Executor())
    _sensitive = SyncToAsync.single_thread_executor = Executor(max_workers=1, keeps=True)


def awaited_turn_over():
    """On the loop, after a turn's coroutine."""
    if _sensitive is not None:
        _sensitive.turn_over()
