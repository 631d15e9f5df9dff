"""What user code leaves on a thread is undone there, and told; nothing is looked at outside of a worker."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import DatabaseError, connection, connections, transaction
from django.db.transaction import TransactionManagementError

from troupe import LiveView, event_handler
from troupe.runtime import entry, executors, housekeeping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """As in a worker: on, and the default connection a file's, as one in memory is lost when it is closed."""
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "db.sqlite3"))
    before = connections["default"]
    del connections["default"]
    monkeypatch.setattr(housekeeping, "_enabled", True)
    monkeypatch.setattr(housekeeping, "_thread", housekeeping._ThreadState())
    with connection.cursor() as cursor:
        cursor.execute("create table note (text text)")
    yield
    connection.close()
    connections["default"] = before


def write(text="x"):
    with connection.cursor() as cursor:
        cursor.execute("insert into note values (%s)", [text])


def count():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from note")
        return cursor.fetchone()[0]


def enter():
    transaction.atomic().__enter__()
    write()


def no_autocommit():
    transaction.set_autocommit(False)
    write()


def begin():
    with connection.cursor() as cursor:
        cursor.execute("begin")
    write()


@pytest.mark.parametrize("leave", [enter, no_autocommit, begin])
def test_an_open_transaction_is_rolled_back_and_told(worker, leave):
    leave()
    with pytest.raises(
        TransactionManagementError, match="left a transaction open on the database connection 'default'"
    ):
        housekeeping.settle()
    assert count() == 0 and connection.get_autocommit() and not connection.in_atomic_block
    housekeeping.settle()
    with transaction.atomic():
        write()
    housekeeping.settle()
    assert count() == 1


@pytest.mark.parametrize("leave", [enter, no_autocommit, begin])
def test_nothing_is_looked_at_outside_of_a_worker(worker, monkeypatch, leave):
    monkeypatch.setattr(housekeeping, "_enabled", False)
    leave()
    housekeeping.settle()
    housekeeping.end()
    assert count() == 1
    monkeypatch.setattr(housekeeping, "_enabled", True)
    housekeeping.clean()


def test_another_error_is_not_hidden(worker, caplog):
    class Fails(LiveView):
        @event_handler
        def fail(self):
            enter()
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        entry.run_handler(lambda view, params: Fails.fail(view), Fails(), {})
    assert count() == 0
    assert caplog.messages[-1].startswith("event=transaction_rolled_back")


def test_a_tick_is_looked_at_as_well(worker):
    class Ticks(LiveView):
        def handle_tick(self):
            enter()

    view = Ticks()
    with pytest.raises(TransactionManagementError):
        entry.run_handler(entry.find_tick(view), view, {})


def test_atomic_requests_hold_no_coroutine(worker, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    async def later():
        write()

    class Atomic(LiveView):
        @event_handler
        def add(self):
            write()
            return later()

    view = Atomic()
    with pytest.raises(RuntimeError, match="You cannot use ATOMIC_REQUESTS with async"):
        entry.run_handler(entry.find_handler(view, "shop.Atomic", "add", True), view, {})
    assert count() == 0


def test_without_autocommit_what_was_not_committed_is_rolled_back(worker, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    housekeeping.begin()
    write()
    transaction.commit()
    write()
    housekeeping.settle()
    housekeeping.end()
    assert count() == 1
    connection.rollback()
    connection.close()


def test_wrappers_are_put_back(worker):
    own = []
    connection.execute_wrappers.append(lambda execute, *args: own.append(1) or execute(*args))
    housekeeping.begin()
    connection.execute_wrappers.append(lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        count()
    housekeeping.end()
    assert count() == 0 and own


def test_a_lost_connection_is_no_open_transaction(worker):
    connection.connection.close()
    with pytest.raises(DatabaseError):
        count()
    housekeeping.settle()
    housekeeping.end()
    assert count() == 0


def test_coroutines_are_looked_after(worker, monkeypatch, caplog):
    """An awaited turn when it ends; where threads belong to nobody, each call."""
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", None)
    monkeypatch.setattr(executors, "_turn_threads", None)
    caplog.set_level(logging.WARNING, "troupe")

    def current():
        return connections["default"]

    async def works(kept):
        await sync_to_async(write)()
        kept.append(await sync_to_async(current)())
        assert kept[0] is await sync_to_async(current)() and kept[0].connection is not None

    async def leaves():
        await sync_to_async(enter)()

    async def turns():
        executors.use_executors(asyncio.get_running_loop(), 1)
        for hand_over in (lambda call: sync_to_async(call)(), asyncio.to_thread):
            with pytest.raises(TransactionManagementError):
                await hand_over(enter)
            await hand_over(write)
        kept = []
        assert (await entry.await_handler(works(kept)))[0]
        is_closed = sync_to_async(lambda: kept[0].connection is None)  # CONN_MAX_AGE is 0
        assert (await entry.await_handler(is_closed())) == (True, True)
        ok, error = await entry.await_handler(leaves())
        assert not ok and isinstance(error, TransactionManagementError)
        assert (await entry.await_handler(works([])))[0]

    asyncio.run(turns())
    assert count() == 4


def test_an_outage_fails_one_turn_only(worker, monkeypatch):
    """What one thread has found out about the server, the others ask for themselves before their next turn."""

    def is_usable(wrapper):  # SQLite's always is
        try:
            return bool(wrapper.connection.execute("select 1"))
        except Exception:
            return False

    monkeypatch.setattr(type(connections["default"]), "is_usable", is_usable)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    with ThreadPoolExecutor(1) as another, ThreadPoolExecutor(1) as a_third:

        def run(thread, call):
            return thread.submit(entry_turn, call).result()

        for thread in (another, a_third):
            assert run(thread, count) == 0
            thread.submit(lambda: connection.connection.close()).result()  # as a server that goes away
        assert run(another, count) == "failed"
        assert run(another, count) == run(a_third, count) == 0
        for thread in (another, a_third):
            thread.submit(lambda: connection.close()).result()


def entry_turn(call):
    """What a turn comes to whose handler is that call."""
    housekeeping.begin()
    try:
        return housekeeping.settled(call)()
    except DatabaseError:
        return "failed"
    finally:
        housekeeping.end()
