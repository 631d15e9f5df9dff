"""Joins that are repeated, that take long, that end while they are under way; and what comes meanwhile."""

import asyncio

import pytest
from fake_worker import Session
from socket_page import Page, load_tokens

from troupe import wire
from troupe.web import consumer, frames, page_socket
from troupe.web.transport import client

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


class HeldJoins:
    """Answers no JOIN of a broker until `release` is called. `asked`: those that came, (session, sequence, body)."""

    def __init__(self, broker):
        self.broker = broker
        self.asked = []
        self.usual = broker.answer
        broker.answer = self._answer

    def _answer(self, kind, session, epoch, sequence, fields):
        if kind != wire.JOIN:
            return None
        self.asked.append((session, sequence, fields))
        return []

    async def came(self):
        """The next JOIN has come."""
        await asyncio.to_thread(self.broker.wait_for, wire.JOIN)

    def release(self, **more):
        """Answer the last one."""
        session, sequence, fields = self.asked[-1]
        views = [{"view": view["view"], "version": 1, "number": 0, "chunks": []} for view in fields["views"]]
        answer = {"generation": fields["generation"] + 1, "last": 0, "fresh": False, "views": views, **more}
        self.broker.push(wire.JOINED, session, answer, sequence=sequence)


async def joining(broker, page, token):
    """A join of the page that is under way, and held."""
    joins = HeldJoins(broker)
    await page.send(t="join", views=[{"token": token}])
    await joins.came()
    return joins


async def test_a_ping_is_answered_at_once_and_the_rest_after_the_join(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        joins = await joining(broker, page, found)
        await page.send(t="nothing")
        assert await page.ask(t="ping") == {"t": "pong"}
        joins.release()
        assert [(await page.next())["t"], (await page.next())["reason"]] == ["joined", "type"]


async def test_the_same_join_three_times_is_one(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        joins = await joining(broker, page, found)
        for _ in range(2):
            await page.send(t="join", views=[{"token": found}])
        assert await page.ask(t="ping") == {"t": "pong"}
        joins.release()
        assert (await page.next())["t"] == "joined"
        assert await page.ask(t="ping") == {"t": "pong"}
        assert len(joins.asked) == 1


async def test_a_join_with_spent_tokens_continues_the_session_of_its_socket(either):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as page:
        assert (await page.join(found))["fresh"] is False
        assert "6" in (await page.event("increment", by=1))["d"]["0"]["h"]
        view = page.view
        for _ in range(3):
            joined = await page.join(found)
            assert joined["fresh"] is False and joined["n"] == 1 and page.view == view
            assert ">6<" in joined["views"][0]["html"] and joined["views"][0]["g"]
        assert "7" in (await page.event("increment", by=1))["d"]["0"]["h"]
    assert len(Session.made) == 1


async def test_a_page_that_lost_the_answer_of_a_fresh_session_gets_it_again(either):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as first, Page() as page:
        await first.join(found)
        joined = await page.join(found)
        assert joined["fresh"] is True
        assert "7" in (await page.event("increment", by=2))["d"]["0"]["h"]
        again = await page.join(found)
        assert again["fresh"] is False and again["n"] == 1
        assert ">7<" in again["views"][0]["html"] and again["views"][0]["token"]
        assert again["views"][0]["v"] == joined["views"][0]["v"]
        assert "6" in (await first.event("increment", by=1))["d"]["0"]["h"]


@pytest.fixture(params=["native", "broker"])
def either(request):
    return request.getfixturevalue(request.param)


async def test_a_join_of_another_page_leaves_the_first(broker):
    (found,) = await load_tokens("/counter/5/")
    (other,) = await load_tokens("/counter/7/")
    async with Page() as page:
        await page.join(found)
        assert (await page.join(other))["fresh"] is False
        session, _ = await asyncio.to_thread(broker.wait_for, wire.LEAVE)
        assert session == Session.made[0].id
        assert "8" in (await page.event("increment", by=1))["d"]["0"]["h"]


async def test_too_much_while_it_joins_is_closed(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        joins = await joining(broker, page, found)
        for number in range(page_socket.MAX_HELD_FRAMES + 1):
            await page.send(t="event", n=number + 1, v="0" * 32, e="increment", p={})
        assert (await page.next())["reason"] == "too_many"
        assert await page.closed() == page_socket.TOO_MANY
        session, _ = await asyncio.to_thread(broker.wait_for, wire.LEAVE)
        assert session == joins.asked[0][0]


async def test_too_many_bytes_while_it_joins_are_closed(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await joining(broker, page, found)
        for _ in range(page_socket.MAX_HELD_BYTES // 60_000 + 1):
            await page.send(t="event", n=1, v="0" * 32, e="increment", p={"text": "x" * 60_000})
        assert (await page.next())["reason"] == "too_many"
        assert await page.closed() == page_socket.TOO_MANY


async def test_too_large_while_it_joins_is_closed_at_once(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await joining(broker, page, found)
        await page.text("x" * (frames.MAX_BROWSER_FRAME + 1))
        assert (await page.next())["reason"] == "too_large"
        assert await page.closed() == page_socket.TOO_LARGE
        await asyncio.to_thread(broker.wait_for, wire.LEAVE)


async def test_what_fails_while_it_joins_closes_the_socket(broker, monkeypatch, quiet):
    (found,) = await load_tokens()

    def no_database(*_):
        raise OSError("no database\ntoday")

    monkeypatch.setattr(consumer.join, "read", no_database)
    async with Page() as page:
        assert (await page.join(found))["reason"] == "internal"
        assert await page.closed() == page_socket.TRY_LATER
    quiet.expect('event=socket_failed reason="no database\\ntoday"')


async def test_a_stale_push_behind_an_early_end(broker):
    """Both came with JOINED, and are looked at once `joined` is written."""
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        consumer = client.get()._subscribers[Session.made[0].id].__self__
        consumer._push(wire.ENDED, broker.epoch + 1, wire.pack_body({"reason": "worker_lost"}))
        consumer._push(wire.PUSH, broker.epoch, wire.pack_body({"frame": b'{"stale":1}'}))
        assert (await page.next())["t"] == "lost"
        assert await page.ask(t="ping") == {"t": "pong"}


async def test_a_push_that_does_not_parse(broker, quiet):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        for body in ({}, {"frame": 5}, {"frame": b"\xff"}):
            broker.push(wire.PUSH, Session.made[0].id, body)
        broker.push(wire.ENDED, Session.made[0].id, {})
        assert await page.ask(t="ping") == {"t": "pong"}
        assert (await page.event("increment", by=1))["a"] == 1
    quiet.expect("event=malformed_push")
