"""An event that Django sent twice, since its connection broke, is said to be in doubt (PROTOCOL.md 9.3)."""

import asyncio

import pytest
from socket_page import Page, load_tokens

from troupe import wire
from troupe.web.transport import client

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_a_refusal_of_an_event_that_was_sent_twice_says_so(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
        await page.send(t="event", n=1, v=page.view, e="increment", p={})
        await asyncio.to_thread(broker.wait_for, wire.EVENT)
        broker.answer = lambda kind, *_: (
            [(wire.NOT_EXECUTED, {"reason": "busy", "message": "later"})] if kind == wire.EVENT else None
        )
        client.get()._resend()  # as after a connection that broke
        assert await page.next() == {"t": "refused", "n": 1, "reason": "busy", "message": "later", "r": True}
        assert "r" not in await page.ask(t="event", n=1, v=page.view, e="increment", p={})


@pytest.mark.parametrize("ending", ["join", "close"])
async def test_what_was_sent_before_a_join_is_not_sent_again(broker, ending):
    """The page gives the number anew, perhaps to another event: only what it sends itself may run."""
    (found,) = await load_tokens()
    async with Page() as page:
        joined = await page.join(found)
        broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
        await page.send(t="event", n=1, v=page.view, e="increment", p={})
        await asyncio.to_thread(broker.wait_for, wire.EVENT)
        if ending == "join":
            await page.join(found, g=joined["views"][0]["g"])
        transport = client.get()
    assert all(pending.future.cancelled() for pending in transport._pending.values() if pending.kind == wire.EVENT)
    sent = []
    transport._connection.try_send = lambda header, data: sent.append(wire.unpack_header(header)[1]) or True
    transport._resend()
    assert wire.EVENT not in sent
