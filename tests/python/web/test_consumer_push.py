"""What a page's socket hears that it did not ask for: pushes, from its join on (PROTOCOL.md 5.9)."""

import pytest
from socket_page import Page, load_tokens, made

from troupe import wire
from troupe.web.transport import client

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_what_follows_a_join_at_once(broker):
    """A push in the same breath as JOINED is passed on, and not before `joined`."""
    (found,) = await load_tokens()

    def answer(kind, session, epoch, sequence, fields):
        if kind == wire.JOIN:
            views = [{"view": fields["views"][0]["view"], "version": 1, "number": 0}]
            joined = {"generation": 1, "last": 0, "fresh": False, "views": views}
            push = {"frame": b'{"v":0,"s":2,"a":0}'}
            return [(wire.PUSH, push, 0), (wire.JOINED, joined), (wire.PUSH, {"frame": b'{"v":0,"s":3,"a":0}'}, 0)]

    broker.answer = answer
    async with Page() as page:
        assert (await page.join(found))["t"] == "joined"
        assert (await page.next())["s"] == 3  # what came before it was for whoever was joined then


async def test_a_join_that_fails_leaves_no_ear_behind(broker):
    (found,) = await load_tokens()
    refused = {"reason": "busy", "message": "busy"}
    broker.answer = lambda kind, *_: [(wire.NOT_EXECUTED, refused)] if kind == wire.JOIN else None
    async with Page() as page:
        assert (await page.join(found))["reason"] == "busy"
        assert not client.get()._subscribers


@pytest.mark.parametrize("debug", [True, False])
async def test_what_a_view_raised_by_itself(broker, settings, debug):
    settings.DEBUG = debug
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        error = {"kind": "python", "message": "Error in x.handle_tick(): no", "type": "ValueError", "frames": []}
        broker.push(wire.PUSH, made().id, {"frame": b"", "view": bytes.fromhex(page.view), "error": error})
        broker.push(wire.PUSH, made().id, {"frame": b'{"v":0,"s":2,"a":0}'})
        if debug:
            assert await page.next() == {"t": "failed", "n": 0, "v": page.view, "error": error}
        assert (await page.next())["s"] == 2


async def test_a_view_that_moved_without_its_request(broker):
    """Its worker asks for a join."""
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        error = {"kind": "unknown_session", "message": "the session is not here: mount or join"}
        broker.push(wire.PUSH, made().id, {"frame": b"", "view": bytes.fromhex(page.view), "error": error})
        assert await page.next() == {"t": "lost", "reason": "unknown_session"}
        assert (await page.join(found))["t"] == "joined"
