"""Which connections there are, and for how long."""

import django
import pytest
from fleet import wait_until
from shops import Shop, shown

from troupe import wire

AGES = ["age_0", "age_60", "age_None"]


@pytest.mark.parametrize("alias", AGES)
def test_an_event_has_one_connection(peer, alias):
    shop = Shop(peer)
    for _ in range(5):
        assert shop.ask("backends", alias=alias).isdigit()


@pytest.mark.parametrize("handler", ["backend", "abackend", "backend_in_a_thread", "backends", "hold", "aiterate"])
def test_none_is_left_with_a_maximum_age_of_0(peer, backends, handler):
    shop = Shop(peer)
    for _ in range(5):
        shop.ask(handler, alias="age_0")
    wait_until(lambda: not backends("age_0"), "its connections to be closed")


@pytest.mark.parametrize("handler", ["backend", "abackend", "hold"])
@pytest.mark.parametrize("alias", ["age_60", "age_None"])
def test_one_is_used_again_until_it_is_too_old(peer, alias, handler, backends):
    """No more than there are threads, however many sessions and events there are."""
    shops = [Shop(peer) for _ in range(50)]
    for _ in range(4):
        keys = [shop.post(handler, alias=alias) for shop in shops]
        assert {peer.answer_to(key).kind for key in keys} == {wire.DONE}
    assert 1 <= len(backends(alias)) <= 8  # four threads for turns, and four for their sync code


def test_a_query_that_waits_delays_no_other_page(peer, sql, waiting):
    """Two pages in queries that wait for a lock, and another one's query ends first."""
    sql.execute("select pg_advisory_lock(1)")
    slow = [Shop(peer).post("alock", alias=alias, key=1) for alias in ("age_0", "age_None")]
    waiting(2, 1)
    for _ in range(5):
        assert Shop(peer).ask("acount", alias="default") == "0"
    sql.execute("select pg_advisory_unlock(1)")
    assert [shown(peer.answer_to(key)) for key in slow] == ["locked", "locked"]


def test_handlers_that_await_hold_up_no_query(peer):
    """More of them than threads, each with a connection of its own meanwhile."""
    keys = [Shop(peer).post("hold", alias="age_0") for _ in range(40)]
    assert {shown(peer.answer_to(key)) for key in keys} == {"0"}


@pytest.mark.parametrize("alias", ["age_0", "age_None"])
@pytest.mark.parametrize("handler", ["iterate", "aiterate"])
def test_server_side_cursors(peer, sql, alias, handler):
    """A dozen sessions at once, on four threads."""
    sql.execute("insert into shop_item (name, count) select 'item ' || n, n from generate_series(1, 20) n")
    keys = [Shop(peer).post(handler, alias=alias) for _ in range(12)]
    assert {shown(peer.answer_to(key)) for key in keys} == {"210"}


@pytest.mark.skipif(django.VERSION < (5, 1), reason="psycopg's pool came with Django 5.1")
@pytest.mark.parametrize("handler", ["backend", "abackend", "backends", "hold"])
def test_a_pool_gets_its_connections_back(peer, backends, terminate, handler):
    """Two connections for 30 sessions at once."""
    pytest.importorskip("psycopg_pool")
    keys = [Shop(peer).post(handler, alias="pooled") for _ in range(30)]
    assert {peer.answer_to(key).kind for key in keys} == {wire.DONE}
    assert 1 <= len(backends("pooled")) <= 2
    terminate("pooled")
    failed = [Shop(peer).try_to(handler, alias="pooled") for _ in range(10)]
    assert sum(map(bool, failed)) <= 2 and not any(failed[-5:])


def test_a_worker_with_one_thread(make_fleet, sql):
    """The least that there can be: everything still comes to its end, in whatever order."""
    peer = make_fleet(worker=["--threads", "1", "--most-threads", "1"])
    keys = []
    for number in range(10):
        keys.append(Shop(peer).post("hold", alias="age_60"))
        keys.append(Shop(peer).post("awrite_across_calls", name=f"n{number}"))
        keys.append(Shop(peer).post("backends", alias="default"))
    assert {peer.answer_to(key).kind for key in keys} == {wire.DONE}
    assert sql.execute("select count(*) from shop_item").fetchone()[0] == 10
