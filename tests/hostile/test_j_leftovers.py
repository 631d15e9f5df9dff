"""J: state that a handler leaves on its thread does not affect other pages, even on a worker with one thread."""

import importlib.util
import sqlite3

import postgres
import pytest
import raw
from fleet import Fleet

from troupe import wire

WAYS = ["enter", "no_autocommit", "begin", "doomed", "nested", "closed", "behind_a_copy", "in_a_copy"]
PLACES = [
    "leave",
    "leave_context",
    "leave_template",
    "leave_and_await",
    "leave_sync_to_async",
    "leave_to_thread",
    "leave_on_the_loop",
]
LEAVES = "house.leftovers.Leaves"
LEFT = "it left a transaction open on the database connection 'default'"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def one_thread(request, tmp_path_factory, database):
    """A fleet with one worker, whose turns share a thread."""
    options = {"workers": 1, "web": False, "worker": ["--threads", "1", "--most-threads", "1"]}
    folder = tmp_path_factory.mktemp("fleet")
    if request.param == "sqlite":
        with Fleet(folder, database=database, **options) as fleet:
            yield fleet
        return
    if not postgres.programs() or not importlib.util.find_spec("psycopg"):
        pytest.skip("PostgreSQL or psycopg is not installed")
    with postgres.cluster() as server, Fleet(folder, env={"SCENARIO_POSTGRES": str(server.folder)}, **options) as fleet:
        fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
        yield fleet


@pytest.fixture
def peer(one_thread):
    with one_thread.watch_logs(), raw.Client(one_thread.front) as client:
        one_thread.watch.allow(r"ERROR django\.request Internal Server Error: house\.leftovers")
        yield client


def rows(fleet):
    """The texts in the database, as another process sees them."""
    if "SCENARIO_POSTGRES" in fleet.extra:
        import psycopg

        with psycopg.connect(
            host=fleet.extra["SCENARIO_POSTGRES"], user=postgres.USER, dbname="postgres"
        ) as connection:
            return [text for (text,) in connection.execute("select text from house_row order by id")]
    with sqlite3.connect(fleet.database) as connection:
        return [text for (text,) in connection.execute("select text from house_row order by id")]


@pytest.fixture
def other(one_thread, peer):
    """Another session of the same worker, which writes before and after."""
    session = peer.mount("house.views.Rows")
    assert session.event("write", {"text": "before"}).kind == wire.DONE
    before = rows(one_thread)
    yield session
    for event, flags in (("write", wire.HTML), ("write", wire.HTML)):
        answer = session.event(event, {"text": "after"}, flags=flags)
        assert answer.kind == wire.DONE, answer
    assert rows(one_thread) == [*before, "after", "after"]
    session.shutdown()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", WAYS)
def test_an_open_transaction_fails_its_own_event(peer, other, place, method):
    session = peer.mount(LEAVES)
    answer = session.event(place, {"how": method})
    assert answer.kind == wire.FAILED, answer
    if method != "nested":  # there Django itself may notice
        assert answer.body["type"] == "TransactionManagementError"
        assert LEFT in answer.body["message"] and LEAVES in answer.body["message"]
    assert answer.body["event"] == place and answer.body["view_path"] == LEAVES
    assert session.event("leave", {"how": "enter"}).kind == wire.FAILED
    session.shutdown()


@pytest.mark.parametrize("place", ["mount", "context", "template"])
@pytest.mark.parametrize("method", WAYS)
def test_an_open_transaction_fails_its_own_mount(peer, other, place, method):
    body = {"path": LEAVES, "params": {"how": method, "where": place}}
    answer = peer.ask(wire.MOUNT, body, raw.secrets.token_bytes(16))
    assert answer.kind == wire.FAILED, answer
    assert LEAVES in answer.body["message"]


@pytest.mark.parametrize("place", PLACES)
def test_what_was_raised_is_what_is_told(one_thread, peer, other, place):
    session = peer.mount(LEAVES)
    answer = session.event(place, {"how": "raise"})
    assert (answer.kind, answer.body["type"]) == (wire.FAILED, "LookupError"), answer
    session.shutdown()


@pytest.mark.parametrize("place", PLACES)
def test_async_writes_of_another_session_hold(one_thread, peer, place):
    """They share the thread of sync_to_async, and those of asyncio.to_thread."""
    leaving, writing = peer.mount(LEAVES), peer.mount(LEAVES)
    before = rows(one_thread).count("kept")
    leaves = [leaving.post(place, {"how": "enter"}) for _ in range(5)]
    writes = [writing.post("write_later", {"text": "kept"}) for _ in range(5)]
    assert {peer.answer_to(key).kind for key in leaves} == {wire.FAILED}
    answers = [peer.answer_to(key) for key in writes]
    assert {answer.kind for answer in answers} == {wire.DONE}, answers
    assert rows(one_thread).count("kept") == before + 10
    assert "left" not in rows(one_thread)


@pytest.mark.parametrize("change", ["change", "change_later"])
def test_what_belongs_to_a_turn_ends_with_it(peer, change):
    changes, shows = peer.mount("house.leftovers.Changes"), peer.mount("house.leftovers.Changes")

    def shown():
        return [shows.event(name).body["html"] for name in ("show", "show_later")]

    before = shown()
    assert b"True" in before[0] and b"True" in before[1]
    assert changes.event(change).kind == wire.DONE
    assert shown() == before
