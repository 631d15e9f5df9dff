"""Cleans up what user code leaves behind on a thread after each turn: the thread's next turn is another session's.

Django resets thread state per request; a worker does so per turn. A transaction that is still open would
swallow what other sessions write, so it is rolled back, and the turn that left it open fails.

Everything here concerns the calling thread. The GIL is held.
"""

import functools
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import asgiref
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.transaction import TransactionManagementError
from django.dispatch import receiver
from django.urls import clear_script_prefix, set_urlconf
from django.utils import timezone, translation

from ..logs import quoted, word
from .thread_instances import close_caches

logger = logging.getLogger("troupe")

P = ParamSpec("P")
R = TypeVar("R")

# From 3.7 on, asgiref's Local (and so the active translation, time zone and URL configuration) is part of the turn's
# own context.
LOCALE_ENDS_WITH_CONTEXT = tuple(int(part) for part in asgiref.__version__.split(".")[:2]) >= (3, 7)

# On in a worker, whose threads are ours. Over inproc:// the threads and their connections are the caller's.
_enabled = False


class _ThreadState(threading.local):
    def __init__(self) -> None:
        # Every connection that was opened on this thread, by id(): a copy() has its original's alias. Cheaper to go
        # through than django.db.connections.
        self.connections: dict[int, BaseDatabaseWrapper] = {}
        self.wrappers: dict[int, list[Any]] = {}  # by id(): execute_wrappers before user code ran
        self.outages: dict[int, int] = {}  # by id(): which outage was the last when the connection was known to work
        self.working: set[int] = set()  # by id(): connections that were opened, and not closed here
        self.was_interrupted = False


_thread = _ThreadState()

# By alias: how often a connection was found dead, on any thread. A server that restarts ends the connections of all
# threads, and only the first one's turn should fail for it.
_outages: dict[str, int] = {}


def set_housekeeping(enabled: bool) -> None:
    """Whether turns clean up this process's threads, as a worker's do."""
    global _enabled
    _enabled = enabled


@receiver(connection_created, dispatch_uid="troupe.housekeeping")
def _note_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    key = id(connection)
    _thread.connections[key] = connection
    if key in _thread.working:  # user code replaced it: atomic() does when it cannot roll back
        _outages[connection.alias] = _outages.get(connection.alias, 0) + 1
    _thread.working.add(key)
    _thread.outages[key] = _outages.get(connection.alias, 0)


def note_interruption() -> None:
    """User code was interrupted, perhaps in the middle of a commit: end() closes the thread's connections."""
    _thread.was_interrupted = True


def begin() -> None:
    """Before the first Python of a turn, in the turn's own context."""
    if _enabled and _thread.connections:
        close_obsolete()
        remember_wrappers()


def settle() -> None:
    """After user code ran. TransactionManagementError: it left a transaction open, which is rolled back."""
    if not _enabled or not _thread.connections or _thread.was_interrupted:
        return
    left_open = [connection for connection in _thread.connections.values() if _is_open(connection)]
    if left_open:
        raise TransactionManagementError(
            f"it left a transaction open on the database connection {_discard(left_open)}: all that was written in it "
            "is rolled back. End it before returning: use `with transaction.atomic():`, and leave autocommit on"
        )


def is_in_transaction() -> bool:
    """Whether what another turn writes on this thread now would be part of a transaction that is open."""
    return _enabled and any(
        _is_open(connection) or (connection.connection is not None and _driver_is_in_transaction(connection))
        for connection in _thread.connections.values()
    )


def clean() -> None:
    """As settle(), while another exception propagates: an open transaction is logged, not raised."""
    try:
        settle()
    except TransactionManagementError as error:
        logger.warning("event=transaction_rolled_back message=%s", quoted(error))


def settled(function: Callable[P, R]) -> Callable[P, R]:
    """Decorates a function that runs user code: a transaction that it leaves open fails the turn."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = function(*args, **kwargs)
        except BaseException:
            clean()
            close_failed()
            raise
        settle()
        return result

    return call


def end(close_obsolete_too: bool = True) -> None:
    """After the last Python of a turn. Costs nothing on a thread that never opened a connection."""
    if not _enabled:
        return
    if not LOCALE_ENDS_WITH_CONTEXT:
        translation.deactivate()
        timezone.deactivate()
        set_urlconf(None)
        clear_script_prefix()
    close_caches()
    if _thread.was_interrupted:
        _thread.was_interrupted = False
        _discard(connections.all())
    elif _thread.connections:
        clean()  # of what ran outside of settled()
        restore_connections()
        if close_obsolete_too:
            close_obsolete()


def close_obsolete() -> None:
    """As Django's close_old_connections(), which also goes through connections that this thread never opened."""
    for key, connection in list(_thread.connections.items()):
        outage = _outages.get(connection.alias, 0)
        if _thread.outages.get(key) != outage and connection.connection is not None:
            connection.errors_occurred = True  # has Django ask the server whether it works
        _thread.outages[key] = outage
        _close_if_unusable_or_obsolete(key, connection)
        if connection.connection is None and connections[connection.alias] is not connection:  # a copy(), and closed
            _forget(key)


def close_failed() -> None:
    """After user code raised: closes connections whose server went away."""
    if not _enabled:
        return
    for key, connection in _thread.connections.items():
        if connection.errors_occurred and not _is_open(connection):
            _close_if_unusable_or_obsolete(key, connection)


def _close_if_unusable_or_obsolete(key: int, connection: BaseDatabaseWrapper) -> None:
    connection.close_if_unusable_or_obsolete()
    if connection.connection is None:
        _thread.working.discard(key)
        if connection.errors_occurred:  # and it was closed for that
            connection.errors_occurred = False
            _thread.outages[key] = _outages[connection.alias] = _outages.get(connection.alias, 0) + 1


def _forget(key: int) -> None:
    _thread.connections.pop(key, None)
    _thread.wrappers.pop(key, None)
    _thread.outages.pop(key, None)
    _thread.working.discard(key)


def remember_wrappers() -> None:
    """Before user code runs: what restore_connections() goes back to."""
    for key, connection in _thread.connections.items():
        connection.queries_log.clear()
        _thread.wrappers[key] = connection.execute_wrappers[:]


def restore_connections() -> None:
    """Undoes what user code changed on connections that stay open."""
    for key, connection in _thread.connections.items():
        wrappers = _thread.wrappers.get(key)
        if wrappers is not None and connection.execute_wrappers != wrappers:
            connection.execute_wrappers[:] = wrappers
        if not connection.in_atomic_block:
            connection.needs_rollback = False
        if connection.connection is not None and not connection.settings_dict["AUTOCOMMIT"]:
            connection.rollback()


# Whether a driver's connection is in a transaction that Django was not asked to begin. PostgreSQL's drivers have
# libpq's states.
_IN_TRANSACTION: dict[str, Callable[[Any], bool]] = {
    "sqlite": lambda driver: driver.in_transaction,
    "postgresql": lambda driver: int(driver.info.transaction_status) in (1, 2, 3),
    "mysql": lambda driver: bool(getattr(driver, "server_status", 0) & 1),
}


def _is_open(connection: BaseDatabaseWrapper) -> bool:
    """Whether the connection has an open transaction."""
    if connection.in_atomic_block:
        return True
    if connection.connection is None or not connection.settings_dict["AUTOCOMMIT"]:
        return False  # without AUTOCOMMIT every query begins one, and end() rolls it back
    return not connection.autocommit or _driver_is_in_transaction(connection)


def _driver_is_in_transaction(connection: BaseDatabaseWrapper) -> bool:
    try:
        return connection.vendor in _IN_TRANSACTION and _IN_TRANSACTION[connection.vendor](connection.connection)
    except Exception:  # the connection is lost, and its transaction with it
        return False


def _discard(discarded: Iterable[BaseDatabaseWrapper]) -> str:
    """Closes connections in whatever state and forgets them: the next query opens new ones. Returns their aliases."""
    aliases = []
    for connection in discarded:
        aliases.append(repr(connection.alias))
        try:
            _close(connection)
        except Exception:  # it is forgotten all the same
            logger.exception("event=connection_not_closed alias=%s", word(connection.alias))
        finally:
            if connections[connection.alias] is connection:  # and not a copy() of it
                del connections[connection.alias]
            _forget(id(connection))
    return ", ".join(aliases)


def _close(connection: BaseDatabaseWrapper) -> None:
    try:
        connection.close()
    except SynchronousOnlyOperation:  # opened on a loop's thread, with DJANGO_ALLOW_ASYNC_UNSAFE
        connection.connection.close()
