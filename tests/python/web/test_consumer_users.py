"""The user of a page whose socket is open (PROTOCOL.md 9.2)."""

import asyncio
import threading

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from fake_worker import Session
from socket_page import ORIGIN, Page, load_tokens

from troupe import wire
from troupe.web import consumer, user_check
from troupe.web.transport import client

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def stopped(clock, monkeypatch):
    """The consumers' clock stands still."""
    monkeypatch.setattr(consumer.LiveViewConsumer, "clock", clock)


@pytest.fixture
def looks(monkeypatch):
    """Says who the user of a session is, and counts."""

    class Looks:
        count = 0
        answer = staticmethod(lambda usual: usual)

        def look(self, key, middleware=None):
            self.count += 1
            return self.answer(self.usual(key, middleware))

    looks = Looks()
    looks.usual = user_check._user_of
    monkeypatch.setattr(user_check, "_user_of", looks.look)
    return looks


async def joined_page():
    """(the headers of ann's browser, the token of a page of hers)."""
    user = await database_sync_to_async(get_user_model().objects.create_user)("ann")
    browser = AsyncClient()
    await database_sync_to_async(browser.force_login)(user)
    (found,) = await load_tokens("/counter/5/", browser)
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    return [*ORIGIN, (b"cookie", cookie)], found


async def test_a_look_a_second_and_none_for_nobody(broker, clock, looks):
    headers, found = await joined_page()
    async with Page(headers) as page:
        await page.join(found)
        for _ in range(3):
            assert (await page.event("increment", by=1))["a"]
        assert looks.count == 0
        for count in (1, 2):
            clock.now += 1
            for _ in range(3):
                assert (await page.event("increment", by=1))["a"]
            assert looks.count == count
    (plain,) = await load_tokens("/counter/5/")
    async with Page() as page:
        await page.join(plain)
        clock.now += 100
        assert (await page.event("increment", by=1))["a"] and await page.ask(t="ping") == {"t": "pong"}
    assert looks.count == 2


async def test_the_socket_is_read_during_a_look_and_order_holds(broker, clock, looks):
    headers, found = await joined_page()
    gate = threading.Event()
    looks.answer = lambda usual: gate.wait(5) and usual
    async with Page(headers) as page:
        await page.join(found)
        clock.now += 1
        for number in (1, 2, 3):
            await page.send(t="event", n=number, v=page.view, e="increment", p={"by": 1})
        assert await page.ask(t="ping") == {"t": "pong"}
        gate.set()
        assert [(await page.next())["a"] for _ in range(3)] == [1, 2, 3]
        assert looks.count == 1


async def test_a_page_that_says_nothing_and_gets_pushes(broker, clock, looks):
    headers, found = await joined_page()
    async with Page(headers) as page:
        await page.join(found)
        session = Session.made[0].id
        push_owner = client.get()._subscribers[session].__self__
        looks.answer = lambda usual: None
        broker.push(wire.PUSH, session, {"frame": b'{"first":1}'})
        assert await page.next() == {"first": 1} and looks.count == 0
        clock.now += consumer.PUSH_CHECK_SECONDS
        broker.push(wire.PUSH, session, {"frame": b'{"second":2}'})
        assert await page.next() == {"second": 2}
        assert await page.next() == {"t": "reload", "reason": "user_changed"}
        broker.push(wire.PUSH, session, {"frame": b'{"third":3}'})
        assert await page.ask(t="ping") == {"t": "pong"}
        assert push_owner._session is None
    _, body = await asyncio.to_thread(broker.wait_for, wire.LOGOUT)
    key = headers[-1][1].decode().partition("=")[2]
    assert body["identity"] == wire.identity_of(key)


async def test_a_handler_that_awaits_does_not_keep_a_page_whose_user_is_gone(broker, clock, looks, monkeypatch):
    monkeypatch.setattr(consumer, "LOGIN_SECONDS", 0.01)
    headers, found = await joined_page()
    async with Page(headers) as page:
        await page.join(found)
        usual, broker.answer = broker.answer, lambda kind, *_: [] if kind == wire.EVENT else None
        await page.send(t="event", n=1, v=page.view, e="increment", p={"by": 1})
        await asyncio.to_thread(broker.wait_for, wire.EVENT)
        broker.answer = usual
        looks.answer = lambda _: None
        clock.now += 1
        await page.send(t="event", n=2, v=page.view, e="increment", p={"by": 1})
        assert await page.next() == {"t": "reload", "reason": "user_changed"}
