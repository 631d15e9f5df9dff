"""When a page is said to have left: the next join of it must not meet a place that is taken (PROTOCOL.md 5.1)."""

import asyncio

import fake_worker
import pytest
from socket_page import Page, load_tokens

from troupe import wire
from troupe.web import join, page_socket

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def silent(broker, *kinds):
    """A broker that does not answer these."""
    broker.answer = lambda kind, *_: [] if kind in kinds else None


async def test_a_page_that_goes_while_it_joins(broker):
    (found,) = await load_tokens()
    silent(broker, wire.JOIN)
    async with Page() as page:
        await page.send(t="join", views=[{"token": found}])
        await asyncio.to_thread(broker.wait_for, wire.JOIN)
    session, _ = await asyncio.to_thread(broker.wait_for, wire.LEAVE)
    assert session == fake_worker.Session.made[-1].id


async def test_a_join_that_is_never_answered(broker, monkeypatch):
    monkeypatch.setattr(join, "REPLY_TIMEOUT", 0.01)
    (found,) = await load_tokens()
    silent(broker, wire.JOIN)
    async with Page() as page:
        await page.send(t="join", views=[{"token": found}])
        assert (await page.next())["reason"] == "timeout"
        assert await page.closed() == page_socket.TRY_LATER
    await asyncio.to_thread(broker.wait_for, wire.LEAVE)


async def test_a_page_that_is_back_by_another_socket_has_not_left(broker):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as late:
        renewal = (await late.join(found))["views"][0]["g"]
        async with Page() as page:
            assert (await page.join(found, g=renewal))["fresh"] is False
            await late.socket.disconnect()
            assert (await page.event("increment", by=1))["a"] == 1
            assert wire.LEAVE not in [kind for kind, _, _ in list(broker.seen.queue)]
    await asyncio.to_thread(broker.wait_for, wire.LEAVE)
