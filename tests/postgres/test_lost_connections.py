"""Connections that end at the server: at most one event fails for each, and then there is a new one."""

import pytest
from shops import Shop

ALIASES = [f"age_{age}{checked}" for age in (0, 60, None) for checked in ("", "_checked")]
HANDLERS = ["backend", "abackend", "backend_in_a_thread"]
EVENTS = 12  # more than there are threads


def failures(shop, handler, alias):
    """How many of some events fail."""
    failed = [shop.try_to(handler, alias=alias) for _ in range(EVENTS)]
    assert {error for error in failed if error} <= {"OperationalError", "InterfaceError"}
    return sum(map(bool, failed))


def allowed(alias):
    """How many events may fail: one, however many threads have a connection, if nothing checks it."""
    return 1 if alias in ("age_60", "age_None") else 0


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("alias", ALIASES)
def test_a_terminated_connection(peer, terminate, alias, handler):
    shop = Shop(peer)
    failures(shop, handler, alias)  # what an earlier test has ended
    shop.ask(handler, alias=alias)
    assert terminate(alias) or alias.startswith("age_0")
    assert failures(shop, handler, alias) == allowed(alias)


@pytest.mark.parametrize("handler", ["lock", "alock"])
@pytest.mark.parametrize("alias", ["age_0", "age_None", "age_None_checked"])
def test_a_query_that_is_terminated(peer, sql, waiting, terminate, alias, handler):
    """In the middle of a transaction: that event fails, the next one does not."""
    shop, other = Shop(peer), Shop(peer)
    failures(shop, "backend", alias)
    failures(shop, "abackend", alias)
    sql.execute("select pg_advisory_lock(7)")
    key = shop.post(handler, alias=alias, key=7)
    waiting(1, 7)
    terminate(alias)
    assert peer.answer_to(key).body["type"] == "OperationalError"
    sql.execute("select pg_advisory_unlock(7)")
    for _ in range(EVENTS):
        assert other.ask(handler, alias=alias, key=7) == "locked"


@pytest.mark.parametrize("alias", ALIASES)
def test_a_handler_may_try_again(peer, alias):
    failures(Shop(peer), "abackend", alias)
    assert Shop(peer).ask("retries", alias=alias) == "OperationalError True"


def test_the_server_is_restarted(server, peer):
    shop = Shop(peer)
    for alias in ALIASES:
        for handler in HANDLERS:
            failures(shop, handler, alias)
    server.stop()
    for handler in HANDLERS:
        assert shop.try_to(handler, alias="age_None_checked") == "OperationalError"
    server.start()
    for alias in ALIASES:
        failed = [failures(shop, handler, alias) for handler in HANDLERS]
        assert sum(failed) <= allowed(alias), failed
