"""Handlers that take too long, and views that end workers, as Django's side and the worker's Python see them."""

import asyncio

import pytest
from django.test import Client
from socket_page import Page, load_tokens

from troupe import HandlerTimeout, errors, wire
from troupe.errors import ActorError
from troupe.runtime import entry, housekeeping
from troupe.web import circuit_breaker


@pytest.fixture
def limit():
    """A soft limit of 10 ms, a hard one of 30 ms, and one of 24 ms for what is awaited."""
    errors.set_limits(0.01, 0.03, 0.024)
    yield
    errors.set_limits(0, 0, 0)


@pytest.fixture
def passing(monkeypatch):
    """The circuit breaker's clock, which stands still: `passing.now += 1`."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "time", clock)
    yield clock
    circuit_breaker.clear()


async def waits():
    await asyncio.sleep(1000)


async def goes_on():
    try:
        await waits()
    except asyncio.CancelledError:
        return "well"


async def times_out_by_itself():
    raise TimeoutError("the handler's own")


def test_an_awaited_handler_is_cancelled(limit):
    ok, error = asyncio.run(entry.await_handler(waits()))
    assert not ok and type(error) is HandlerTimeout and str(error) == "it took longer than 0.024 s"
    kind, message, name, frames, _ = entry.describe(error, "shop.Cart.add()")
    assert (kind, name) == ("python", "HandlerTimeout")
    assert message == "Error in shop.Cart.add(): it took longer than 0.024 s"
    assert [frame[2] for frame in frames] == ["waits", "sleep"]


async def computes():
    while True:
        sum(range(10000))
        await asyncio.sleep(0)


async def computes_in_a_task():
    await asyncio.create_task(asyncio.to_thread(sum, range(10000)))
    await computes()


@pytest.mark.parametrize("handler", [computes, computes_in_a_task])
def test_what_it_computes_counts(monkeypatch, handler):
    monkeypatch.setattr(HandlerTimeout, "limit", 0.02)
    ok, error = asyncio.run(entry.await_handler(handler()))
    assert not ok and type(error) is HandlerTimeout and str(error) == "it took longer than 0.02 s"


def test_what_others_compute_does_not_count(monkeypatch):
    """Nor does what it awaits: neither has a limit here."""
    monkeypatch.setattr(HandlerTimeout, "limit", 0.02)

    async def both():
        over = asyncio.Event()

        async def other():
            with pytest.raises(HandlerTimeout):
                raise (await entry.await_handler(computes()))[1]
            over.set()

        return await asyncio.gather(entry.await_handler(over.wait()), other())

    assert asyncio.run(both())[0] == (True, True)


def test_what_it_makes_of_that_counts(limit):
    assert asyncio.run(entry.await_handler(goes_on())) == (True, "well")
    ok, error = asyncio.run(entry.await_handler(times_out_by_itself()))
    assert not ok and type(error) is TimeoutError


def test_without_a_limit():
    assert HandlerTimeout.limit is None and str(HandlerTimeout()) == "it took too long"
    assert asyncio.run(entry.await_handler(goes_on_at_once())) == (True, 1)


async def goes_on_at_once():
    await asyncio.sleep(0)
    return 1


def test_the_database_is_asked_anew_after_that(monkeypatch):
    class Connections(dict):
        def all(self):
            return list(self.values())

    class Connection:
        closed = 0

        connection = None
        vendor = "none"

        def __init__(self, alias):
            self.alias = alias

        def close(self):
            Connection.closed += 1

    found = Connections(default=Connection("default"), other=Connection("other"))
    monkeypatch.setattr(housekeeping, "connections", found)
    monkeypatch.setattr(housekeeping, "_enabled", True)
    monkeypatch.setattr(housekeeping, "_thread", housekeeping._ThreadState())
    entry.describe(ValueError("x"), "shop.Cart.add()")
    entry.end()
    assert len(found) == 2
    entry.describe(HandlerTimeout(), "shop.Cart.add()")
    entry.end()
    assert not found and Connection.closed == 2


def test_no_exception_that_code_catches_in_passing():
    assert not issubclass(HandlerTimeout, Exception)


def lost(request="MOUNT", path="shop.Cart", kind="worker_lost"):
    """What a request ended in whose worker was lost."""
    return ActorError(kind, "x", "unknown", view_path=path, event=request)


def test_two_within_a_minute(passing):
    circuit_breaker.record(lost())
    passing.now += 61
    circuit_breaker.record(lost())
    circuit_breaker.check("MOUNT", "shop.Cart")
    passing.now += 60
    circuit_breaker.record(lost())
    with pytest.raises(ActorError, match="MOUNT of shop.Cart crashed two workers within a minute") as raised:
        circuit_breaker.check("MOUNT", "shop.Cart")
    error = raised.value
    assert (error.kind, error.outcome, error.retry_ms) == ("quarantined", "not_executed", 60001)
    circuit_breaker.check("JOIN", "shop.Cart")
    circuit_breaker.check("MOUNT", "shop.List")
    passing.now += 60
    circuit_breaker.check("MOUNT", "shop.Cart")


def test_what_is_nobodys_fault(passing):
    for error in (lost(kind="timeout"), lost(request="add"), lost(path=None), lost(request=None)):
        circuit_breaker.record(error)
        circuit_breaker.record(error)
    assert not circuit_breaker._crashes


def test_it_is_bounded(passing):
    for number in range(2 * circuit_breaker.MAX_TRACKED):
        circuit_breaker.record(lost(path=f"shop.View{number}"))
    assert len(circuit_breaker._crashes) == circuit_breaker.MAX_TRACKED


@pytest.mark.django_db
def test_a_page_whose_mount_ends_workers(broker, passing):
    asked = []

    def answer(kind, session, epoch, sequence, fields):
        if kind != wire.MOUNT:  # an earlier test's log-out may arrive late
            return None
        asked.append(kind)
        message = {"reason": "worker_lost", "message": "x", "view_path": fields["path"], "event": "MOUNT"}
        return [(wire.UNKNOWN, message)]

    broker.answer = answer
    replies = [Client().get("/counter/") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [503] * 4 and asked == [wire.MOUNT] * 2
    assert replies[3]["Retry-After"] == "61"


@pytest.mark.asyncio
@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
async def test_a_join_of_a_session_that_is_held(broker, settings, debug):
    settings.DEBUG = debug
    (found,) = await load_tokens()
    held = {"reason": "quarantined", "message": "'add' of shop.Cart ended two workers", "retry_ms": 600000}
    broker.answer = lambda kind, *_: [(wire.NOT_EXECUTED, held)] if kind == wire.JOIN else None
    async with Page() as page:
        failed = await page.join(found)  # without a number: a page shows it
        assert (failed["t"], failed["error"]["kind"], "n" in failed) == ("failed", "quarantined", False)
        assert (held["message"] == failed["error"]["message"]) is debug
        error = await page.next()
        assert (error["t"], error["reason"]) == ("error", "quarantined")
        assert await page.closed() == 1013


@pytest.mark.asyncio
@pytest.mark.django_db
async def test_joins_that_end_workers(broker, passing):
    tokens = [(await load_tokens())[0] for _ in range(3)]
    asked = []

    def answer(kind, session, epoch, sequence, fields):
        if kind != wire.JOIN:
            return None
        asked.append(session)
        path = fields["views"][0]["path"]
        return [(wire.UNKNOWN, {"reason": "worker_lost", "message": "x", "view_path": path, "event": "JOIN"})]

    broker.answer = answer
    for found, wanted in zip(tokens, ("error", "error", "failed"), strict=True):
        async with Page() as page:
            assert (await page.join(found))["t"] == wanted
    assert len(asked) == 2


@pytest.mark.asyncio
@pytest.mark.django_db
async def test_an_event_of_a_session_that_is_held(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        held = (wire.NOT_EXECUTED, {"reason": "quarantined", "message": "x"})
        broker.answer = lambda kind, *_: [held] if kind == wire.EVENT else None
        assert (await page.event("increment"))["t"] == "refused"
        assert await page.next() == {"t": "lost", "reason": "quarantined"}
