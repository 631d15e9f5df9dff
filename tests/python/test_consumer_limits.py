"""A page that sends more than it may (PROTOCOL.md 9.2), and a fleet that has no room for it."""

import pytest
from asgi_socket import WebSocket
from test_consumer import ORIGIN, Page, made, page_token
from urls import application

from troupe import consumer, limits, wire

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def stopped(clock, monkeypatch):
    """The consumers' clock stands still."""
    monkeypatch.setattr(consumer.LiveViewConsumer, "clock", clock)
    limits.forget_addresses()
    yield clock
    limits.forget_addresses()


async def burst(page, numbers):
    """Send these events without waiting; the frames that answer them."""
    for number in numbers:
        await page.send(t="event", n=number, v=page.view, e="increment", p={})
    return [await page.next() for _ in numbers]


def answers(frames):
    """{number: "done", or why not}."""
    return {frame.get("n", frame.get("a")): frame.get("reason", "done") for frame in frames}


async def test_over_the_rate_is_busy_and_order_holds(native, clock, settings):
    settings.TROUPE = {**settings.TROUPE, "EVENT_BURST": 3}
    (found,) = await page_token()
    async with Page() as page:
        await page.join(found)
        frames = await burst(page, range(1, 7))
        told = answers(frames)
        assert told == {1: "done", 2: "done", 3: "done", 4: "busy", 5: "gap", 6: "gap"}
        (busy,) = [frame for frame in frames if frame.get("reason") == "busy"]
        assert busy["t"] == "refused" and busy["retry_ms"] == 10
        clock.now += 0.025
        assert answers(await burst(page, [5])) == {5: "gap"}  # though there is room for one
        assert answers(await burst(page, [4, 5, 6])) == {4: "done", 5: "done", 6: "busy"}
        clock.now += 1
        assert answers(await burst(page, [6, 7, 8])) == {6: "done", 7: "done", 8: "done"}
    assert [number for kind, _, number in seen(made())] == list(range(1, 9))


def seen(session):
    """(type, flags, number) of its events, as the worker counts them."""
    events = [one for one in session.requests if one[0] == wire.EVENT]
    return [(kind, flags, number) for number, (kind, flags, _) in enumerate(events, 1)]


async def test_what_the_worker_refuses_is_not_overtaken(broker):
    """Three were on their way when the first was refused; what comes after that does not reach the worker."""
    (found,) = await page_token()
    sent = []

    def refuse(kind, session, epoch, sequence, fields):
        if kind != wire.EVENT:
            return None
        sent.append(sequence)
        if len(sent) > 3:
            return [(wire.DONE, {"version": sequence + 1})]
        return [(wire.NOT_EXECUTED, {"reason": "busy" if sequence == 1 else "gap", "message": "", "retry_ms": 5})]

    async with Page() as page:
        await page.join(found)
        broker.answer = refuse
        assert answers(await burst(page, [1, 2, 3])) == {1: "busy", 2: "gap", 3: "gap"}
        assert answers(await burst(page, [4])) == {4: "gap"}
        assert answers(await burst(page, [1, 2, 3, 4])) == dict.fromkeys((1, 2, 3, 4), "done")
        assert sent == [1, 2, 3, 1, 2, 3, 4]


async def test_a_join_is_no_way_around_it(native, settings):
    settings.TROUPE = {**settings.TROUPE, "EVENT_BURST": 1}
    (found,) = await page_token()
    async with Page() as page:
        renewal = (await page.join(found))["views"][0]["g"]
        assert answers(await burst(page, [1, 2])) == {1: "done", 2: "busy"}
        assert (await page.join(found, g=renewal))["t"] == "joined"
        assert (await page.event("increment"))["reason"] == "busy"  # it is the same socket


async def test_a_flood_is_closed(native, quiet):
    (found,) = await page_token()
    async with Page() as page:
        await page.join(found)
        for _ in range(limits.FRAMES_BURST - 1):
            await page.send(t="ping")
            assert await page.next() == {"t": "pong"}
        await page.send(t="ping")
        assert (await page.next())["reason"] == "too_many"
        assert await page.closed() == consumer.TOO_OFTEN
    quiet.expect("event=too_many_frames address=-")


async def test_an_address_that_opens_too_many_sockets(native, settings, quiet, clock):
    settings.TROUPE = {**settings.TROUPE, "TRUSTED_PROXIES": ["unix"], "ADDRESS_SOCKETS": 1}
    behind = [*ORIGIN, (b"x-forwarded-for", b"198.51.100.7")]

    async def opens(headers):
        socket = WebSocket(application, "/ws/troupe/", headers=headers)
        connected, code = await socket.connect()
        if connected:
            await socket.disconnect()
        return connected or code

    assert [await opens(behind) for _ in range(5)] == [True] * 4 + [consumer.TOO_OFTEN]
    assert await opens(ORIGIN) is True
    assert await opens([*ORIGIN, (b"x-forwarded-for", b"198.51.100.7, 203.0.113.5")]) is True
    clock.now += 1
    assert await opens(behind) is True
    quiet.expect("event=too_many_sockets address=198.51.100.7")


async def test_a_join_waits_for_room(broker):
    (found,) = await page_token()
    asked = []

    def busy_twice(kind, session, epoch, sequence, fields):
        if kind == wire.JOIN:
            asked.append(sequence)
            if len(asked) < 3:
                return [(wire.NOT_EXECUTED, {"reason": "busy", "message": "full", "retry_ms": 1})]
        return None

    async with Page() as page:
        broker.answer = busy_twice
        assert (await page.join(found))["t"] == "joined"
        assert len(set(asked)) == 3


async def test_a_join_does_not_wait_for_ever(broker, settings, quiet, clock):
    settings.TROUPE = {**settings.TROUPE, "MOUNT_TIMEOUT": 30}
    (found,) = await page_token()
    asked = []

    def full(kind, *_):
        if kind == wire.JOIN:
            asked.append(kind)
            clock.now += 10
            return [(wire.NOT_EXECUTED, {"reason": "busy", "message": "full", "retry_ms": 1})]
        return None

    async with Page() as page:
        broker.answer = full
        assert (await page.join(found))["reason"] == "busy"
        assert await page.closed() == consumer.TRY_LATER
    assert len(asked) == 3
    quiet.expect("event=join_failed kind=busy")
