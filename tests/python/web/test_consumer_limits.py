"""A page that sends more than it may (PROTOCOL.md 9.2), and a fleet that has no room for it."""

import contextlib

import fake_worker
import pytest
from asgi_socket import WebSocket
from socket_page import ORIGIN, Page, load_tokens, made
from urls import application

from troupe import wire
from troupe.web import consumer, page_socket, rate_limit

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def stopped(clock, monkeypatch):
    """The consumers' clock stands still."""
    monkeypatch.setattr(consumer.LiveViewConsumer, "clock", clock)
    rate_limit.reset()
    yield clock
    rate_limit.reset()


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
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        frames = await burst(page, range(1, 7))
        answered = answers(frames)
        assert answered == {1: "done", 2: "done", 3: "done", 4: "busy", 5: "gap", 6: "gap"}
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
    events = [request for request in session.requests if request[0] == wire.EVENT]
    return [(kind, flags, number) for number, (kind, flags, _) in enumerate(events, 1)]


async def test_what_the_worker_refuses_is_not_overtaken(broker):
    """Three were on their way when the first was refused; what comes after that does not reach the worker."""
    (found,) = await load_tokens()
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
    (found,) = await load_tokens()
    async with Page() as page:
        renewal = (await page.join(found))["views"][0]["g"]
        assert answers(await burst(page, [1, 2])) == {1: "done", 2: "busy"}
        assert (await page.join(found, g=renewal))["t"] == "joined"
        assert (await page.event("increment"))["reason"] == "busy"  # it is the same socket


async def test_a_flood_is_closed(native, quiet):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        for _ in range(rate_limit.FRAMES_BURST - 1):
            await page.send(t="ping")
            assert await page.next() == {"t": "pong"}
        await page.send(t="ping")
        assert (await page.next())["reason"] == "too_many"
        assert await page.closed() == page_socket.TOO_OFTEN
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

    assert [await opens(behind) for _ in range(5)] == [True] * 4 + [page_socket.TOO_OFTEN]
    assert await opens(ORIGIN) is True
    assert await opens([*ORIGIN, (b"x-forwarded-for", b"198.51.100.7, 203.0.113.5")]) is True
    clock.now += 1
    assert await opens(behind) is True
    quiet.expect("event=too_many_sockets address=198.51.100.7")


async def test_a_join_waits_for_room(broker):
    (found,) = await load_tokens()
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
    (found,) = await load_tokens()
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
        assert await page.closed() == page_socket.TRY_LATER
    assert len(asked) == 3
    quiet.expect("event=join_failed kind=busy")


async def test_joins_over_the_rate_of_a_socket(native, clock, settings, quiet):
    """It is told when to join, keeps what it has, and does as it is told."""
    settings.TROUPE = {**settings.TROUPE, "JOIN_BURST": 2}
    (found,) = await load_tokens()
    async with Page() as page:
        tokens = [(await page.join(found))["views"][0]["v"] for _ in range(2)]
        refused = await page.join(found)
        assert refused["t"] == "error" and refused["reason"] == "busy" and refused["retry_ms"] == 1000
        assert "s" in await page.event("increment")
        clock.now += 1
        assert (await page.join(found))["views"][0]["v"] == tokens[0]
    quiet.expect('event=rate_limited source="this page"')


async def family(count, tokens):
    """So many sockets at once, each of which joins with one of these tokens in turn, and adds the one that it gets to
    them. What they are told.
    """
    answered = []
    async with contextlib.AsyncExitStack() as stack:
        for number in range(count):
            page = await stack.enter_async_context(Page())
            joined = await page.join(tokens[number % len(tokens)])
            answered.append(joined)
            tokens.extend(view["token"] for view in joined.get("views", ()) if "token" in view)
    return answered


async def test_one_page_load_begins_few_sessions(native, clock, settings, quiet):
    """Also where each session that it began tries to begin more."""
    settings.TROUPE = {**settings.TROUPE, "TOKEN_SESSIONS": 3}
    (found,) = await load_tokens()
    tokens = [found]
    answered = await family(12, tokens)
    sessions = {session.id for session in fake_worker.Session.made}
    assert len(tokens) == 1 + 3 and len(sessions) == 1 + 3
    refused = [answer for answer in answered if answer["t"] == "error"]
    assert {answer["reason"] for answer in refused} == {"busy"}
    assert {answer["retry_ms"] for answer in refused} == {15000}
    clock.now += 15
    answered = await family(12, tokens)
    assert len({session.id for session in fake_worker.Session.made}) == 1 + 3 + 1
    (other,) = await load_tokens()
    assert [answer["t"] for answer in await family(3, [other])] == ["joined"] * 3  # another page load counts for itself
    quiet.expect('event=rate_limited source="this page load"')


async def test_a_socket_without_a_session_does_not_stay(native, monkeypatch, quiet):
    (found,) = await load_tokens()
    monkeypatch.setattr(consumer.LiveViewConsumer, "join_timeout", 0.01)
    async with Page() as page:
        assert await page.join("forged") == {"t": "reload", "reason": "forged"}
        assert await page.closed() == page_socket.JOIN_TIMEOUT
    async with Page() as page:
        await page.join(found)
        await made_is_over(native)
        assert (await page.next())["t"] == "lost"
        assert await page.closed() == page_socket.JOIN_TIMEOUT
    quiet.expect("event=bad_token reason=forged")


async def made_is_over(native):
    """The newest session's owner ends it."""
    native._subscribers[made().id](wire.ENDED, 0, wire.pack_body({"reason": "worker_lost"}))


async def test_a_refused_join_has_time_to_come_back(native, clock, settings, monkeypatch):
    settings.TROUPE = {**settings.TROUPE, "JOIN_BURST": 1, "JOIN_RATE": 0.001}
    monkeypatch.setattr(consumer.LiveViewConsumer, "join_timeout", 0.01)
    (found,) = await load_tokens()
    async with Page() as page:
        assert (await page.join("forged"))["t"] == "reload"
        assert (await page.join(found))["retry_ms"] == 1_000_000
        assert await page.socket.receive_nothing(0.1)


async def test_an_address_that_has_too_many_sockets_open(native, settings, quiet):
    settings.TROUPE = {**settings.TROUPE, "TRUSTED_PROXIES": ["unix"], "ADDRESS_OPEN_SOCKETS": 2}
    behind = [*ORIGIN, (b"x-forwarded-for", b"198.51.100.77")]
    for _ in range(2):  # what was open counts no more
        sockets = [WebSocket(application, "/ws/troupe/", headers=behind) for _ in range(3)]
        assert [await socket.connect() for socket in sockets] == [(True, None)] * 2 + [(False, page_socket.TOO_OFTEN)]
        for accepted in sockets[:2]:
            await accepted.disconnect()
    quiet.expect("event=too_many_sockets address=198.51.100.77")
