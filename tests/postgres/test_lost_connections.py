"""Connections that end at the server: at most one event fails for each, and then there is a new one."""

import pytest
import raw
from shops import PostgresFleet, Shop

ALIASES = [f"age_{age}{checked}" for age in (0, 60, None) for checked in ("", "_checked")]
HANDLERS = ["backend", "abackend", "backend_in_a_thread"]
EVENTS = 12  # more than there are threads


@pytest.fixture(scope="module")
def one_thread(tmp_path_factory, server):
    """A client of a fleet with a thread for turns, one for their sync code, and so a connection of each."""
    options = {"worker": ["--threads", "1", "--most-threads", "1"]}
    with PostgresFleet(tmp_path_factory.mktemp("single"), server, **options) as fleet:
        with raw.Client(fleet.front) as client:
            yield client


def failures(shop, handler, alias):
    """How many of some events fail."""
    failed = [shop.try_to(handler, alias=alias) for _ in range(EVENTS)]
    assert {error for error in failed if error} <= {"OperationalError", "InterfaceError"}
    return sum(map(bool, failed))


def kept_unchecked(alias):
    """Whether a thread may find its connection dead."""
    return alias in ("age_60", "age_None")


# asyncio.to_thread has several threads, each with a connection of its own that may fail once.
CASES = [
    (alias, handler)
    for alias in ALIASES
    for handler in HANDLERS
    if handler != "backend_in_a_thread" or not kept_unchecked(alias)
]


@pytest.mark.parametrize(("alias", "handler"), CASES)
def test_a_terminated_connection(one_thread, terminate, alias, handler):
    shop = Shop(one_thread)
    failures(shop, handler, alias)  # what an earlier test has ended
    shop.ask(handler, alias=alias)
    assert terminate(alias) or alias.startswith("age_0")
    assert failures(shop, handler, alias) == (1 if kept_unchecked(alias) else 0)
    assert not failures(shop, handler, alias)


@pytest.mark.parametrize("handler", ["lock", "alock"])
@pytest.mark.parametrize("alias", ["age_0", "age_None", "age_None_checked"])
def test_a_query_that_is_terminated(one_thread, sql, waiting, terminate, alias, handler):
    """In the middle of a transaction: that event fails, the next one does not."""
    shop, other = Shop(one_thread), Shop(one_thread)
    failures(shop, "backend", alias)
    failures(shop, "abackend", alias)
    sql.execute("select pg_advisory_lock(7)")
    key = shop.post(handler, alias=alias, key=7)
    waiting(1, 7)
    terminate(alias)
    assert one_thread.answer_to(key).body["type"] == "OperationalError"
    sql.execute("select pg_advisory_unlock(7)")
    for _ in range(EVENTS):
        assert other.ask(handler, alias=alias, key=7) == "locked"


@pytest.mark.parametrize("alias", ALIASES)
def test_a_handler_may_try_again(one_thread, alias):
    failures(Shop(one_thread), "abackend", alias)
    assert Shop(one_thread).ask("retries", alias=alias) == "OperationalError True"


def test_the_server_is_restarted(server, one_thread):
    shop = Shop(one_thread)
    for alias, handler in CASES:
        shop.try_to(handler, alias=alias)
    server.stop()
    for handler in HANDLERS:
        assert shop.try_to(handler, alias="age_None_checked") == "OperationalError"
    server.start()
    for alias, handler in CASES:
        assert failures(shop, handler, alias) <= (1 if kept_unchecked(alias) else 0)
        assert not failures(shop, handler, alias)
