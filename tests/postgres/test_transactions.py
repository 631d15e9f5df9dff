"""Transactions of sync and async handlers, with and without ATOMIC_REQUESTS."""

import pytest
import raw
from fleet import wait_until
from shops import PostgresFleet, Shop, shown

from troupe import wire


@pytest.fixture
def names(sql, server):
    """A function: the names in the default database and the texts in the second one."""

    def look():
        with server.connect("second") as second:
            notes = second.execute("select text from shop_note order by text").fetchall()
        return [
            [name for (name,) in sql.execute("select name from shop_item order by name")],
            [text for (text,) in notes],
        ]

    return look


@pytest.fixture(scope="module")
def atomic(tmp_path_factory, server):
    """A client of a fleet with ATOMIC_REQUESTS for both databases."""
    with PostgresFleet(tmp_path_factory.mktemp("atomic"), server, env={"PG_ATOMIC": "1"}) as fleet:
        with raw.Client(fleet.front) as client:
            yield client


def test_two_databases(peer, names):
    shop = Shop(peer)
    shop.ask("write", name="a")
    shop.ask("awrite", name="b")
    assert names() == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("handler", ["write", "awrite"])
def test_without_a_transaction_what_was_written_stays(peer, names, handler):
    shop = Shop(peer)
    assert shop.try_to(handler, name="a", fail=True) == "LookupError"
    assert shop.try_to(handler, name="a") == "IntegrityError"
    shop.ask(handler, name="b")
    assert names() == [["a", "b"], ["a", "b"]]


def test_atomic_requests(atomic, names):
    """In both databases; what a handler that fails has written is rolled back."""
    shop = Shop(atomic)
    assert shop.try_to("write", name="a", fail=True) == "LookupError"
    assert names() == [[], []]
    shop.ask("write", name="a")
    assert shop.try_to("write", name="a") == "IntegrityError"
    assert names() == [["a"], ["a"]]


def test_atomic_requests_and_async_handlers(atomic, names):
    """Refused, as Django refuses an async view."""
    answer = Shop(atomic).session.event("awrite", {"name": "a"})
    assert answer.kind == wire.FAILED
    assert "You cannot use ATOMIC_REQUESTS with async event handlers" in answer.body["message"]
    assert names() == [[], []]


def test_on_commit_with_atomic_requests(atomic, names):
    """After the commit, and before the page is shown; not after a rollback."""
    shop = Shop(atomic)
    assert shop.ask("write", name="a", later=True) == "committed True True"
    shop = Shop(atomic)
    assert shop.try_to("write", name="b", later=True, fail=True) == "LookupError"
    assert shop.ask("write", name="c") == ""
    assert names() == [["a", "c"], ["a", "c"]]


def test_on_commit_in_an_async_handler(peer, names):
    shop = Shop(peer)
    assert shop.ask("awrite_in_a_transaction", name="a", later=True) == "committed True True"
    assert shop.try_to("awrite_in_a_transaction", name="b", later=True, fail=True) == "LookupError"
    assert shop.ask("acount", alias="default") == "1"
    assert names()[0] == ["a"]


def test_a_transaction_across_calls(peer, names):
    """Other pages' writes are not part of it, however many they are."""
    posted = []
    for number in range(12):
        posted.append(Shop(peer).post("awrite_across_calls", name=f"fails{number}", fail=True))
        posted.append(Shop(peer).post("awrite_across_calls", name=f"across{number:02}"))
        posted.append(Shop(peer).post("awrite", name=f"single{number:02}"))
    assert {peer.answer_to(key).kind for key in posted} == {wire.DONE}
    kept = [f"{kind}{number:02}" for kind in ("across", "single") for number in range(12)]
    assert names()[0] == kept


@pytest.mark.parametrize("handler", ["increment", "aincrement"])
def test_select_for_update(peer, sql, handler):
    """Eight sessions that read and write one row."""
    sql.execute("insert into shop_item (name, count) values ('one', 0)")
    shops = [Shop(peer) for _ in range(8)]
    for _ in range(5):
        keys = [shop.post(handler, alias="default", name="one") for shop in shops]
        assert {peer.answer_to(key).kind for key in keys} == {wire.DONE}
    assert sql.execute("select count from shop_item").fetchone()[0] == 40


def test_a_row_that_another_session_has_locked(peer, sql, waiting):
    sql.execute("insert into shop_item (name, count) values ('one', 0)")
    first, second = Shop(peer), Shop(peer)
    sql.execute("select pg_advisory_lock(3)")
    key = first.post("take", name="one", key=3)
    waiting(1, 3)
    assert second.try_to("take_at_once", name="one") == "OperationalError"
    sql.execute("select pg_advisory_unlock(3)")
    assert peer.answer_to(key).kind == wire.DONE
    assert second.ask("take_at_once", name="one") == "1"


def test_a_task_that_outlives_its_event(peer, names, backends):
    shop = Shop(peer)
    shop.ask("leave_a_task", name="later")
    wait_until(lambda: names()[0] == ["later0", "later1", "later2"], "the task to write")
    wait_until(lambda: not backends("default"), "its connections to be closed")
    assert shown(shop.session.event("acount", {"alias": "default"})) == "3"
