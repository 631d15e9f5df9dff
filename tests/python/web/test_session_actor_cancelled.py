"""Callers of a SessionActor who do not wait for the answer: what comes next is neither lost nor answered by what theirs
came to.
"""

import asyncio

import fake_worker
import pytest

from troupe import ActorError, create_session_actor, wire
from troupe.web.transport import client, inproc


class Held:
    """A broker that keeps back what EVENTs (or other requests) come to, until `release`."""

    def __init__(self, broker, kind=wire.EVENT):
        self.broker = broker
        self.kind = kind
        self.kept = []
        broker.answer = self._answer

    def _answer(self, kind, session, epoch, sequence, fields):
        if kind != self.kind:
            return None
        fake = self.broker.sessions.setdefault(session, None) or fake_worker.Session(session)
        self.broker.sessions[session] = fake
        head, body = fake.run(wire.pack_header(kind, 0, session, epoch, sequence, 0), wire.pack_body(fields))
        self.kept.append((head, body))
        return []

    def release(self):
        """Send what was kept, and answer at once from here on."""
        self.broker.answer = lambda *_: None
        for frames in self.kept:
            self.broker.order(*frames)

    async def came(self):
        """The next one has come."""
        await asyncio.to_thread(self.broker.wait_for, self.kind)


async def actor_of(broker):
    """A handle with a counter."""
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    return actor


async def cancelled(awaitable, held):
    """Cancel a call once its request is under way."""
    task = asyncio.create_task(awaitable)
    await held.came()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
async def test_the_next_event_runs_and_gets_its_own_reply(broker):
    actor = await actor_of(broker)
    held = Held(broker)
    await cancelled(actor.event("increment", {"by": 1000}), held)
    task = asyncio.create_task(actor.event("increment", {"by": 1}))
    await asyncio.sleep(0)
    held.release()
    assert ">1001<" in (await task)["html"]
    assert ">1002<" in (await actor.event("increment", {"by": 1}))["html"]


@pytest.mark.asyncio
async def test_whoever_is_cancelled_while_waiting_for_that_costs_nothing(broker):
    actor = await actor_of(broker)
    held = Held(broker)
    await cancelled(actor.event("increment", {"by": 1000}), held)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(actor.event("increment", {"by": 100}), 0.01)
    held.release()
    assert ">1001<" in (await actor.event("increment", {"by": 1}))["html"]


@pytest.mark.asyncio
async def test_from_another_loop(broker):
    actor = await actor_of(broker)
    held = Held(broker)
    await cancelled(actor.event("increment", {"by": 1000}), held)

    def elsewhere():
        return asyncio.run(actor.event("increment", {"by": 1}))["html"]

    thread = asyncio.create_task(asyncio.to_thread(elsewhere))
    await asyncio.sleep(0)
    held.release()
    assert ">1001<" in await thread


def test_after_the_loop_of_the_cancelled_one_is_closed(broker):
    async def first():
        actor = await actor_of(broker)
        await cancelled(actor.event("increment", {"by": 1000}), held := Held(broker))
        held.broker.answer = lambda *_: None
        return actor

    actor = asyncio.run(first())

    async def second():
        return (await actor.event("increment", {"by": 1}))["html"]

    assert ">1001<" in asyncio.run(second())


@pytest.mark.asyncio
async def test_two_replies_that_never_come(broker, monkeypatch):
    """Both were executed: the second's reply, repeated, is not that of the third."""
    actor = await actor_of(broker)
    monkeypatch.setattr(client, "HARD_MS", -9950)
    held = Held(broker)
    for _ in range(2):
        with pytest.raises(ActorError):
            await actor.event("increment", {"by": 1000})
    assert len(held.kept) == 2
    monkeypatch.setattr(client, "HARD_MS", 15_000)
    broker.answer = lambda *_: None
    assert ">2001<" in (await actor.event("increment", {"by": 1}))["html"]


@pytest.mark.asyncio
async def test_a_mount_that_nobody_waits_for_leaves_no_view(broker):
    actor = await create_session_actor("x")
    held = Held(broker, wire.MOUNT)
    await cancelled(actor.mount("samples.Counter", {}), held)
    held.release()
    await actor.mount("samples.Counter", {})
    assert ">1<" in (await actor.event("increment", {"by": 1}))["html"]
    await asyncio.to_thread(broker.wait_for, wire.UNMOUNT)
    assert len(broker.sessions[actor.id].views) == 1


@pytest.mark.asyncio
async def test_an_unmount_that_nobody_waits_for(broker):
    actor = await actor_of(broker)
    held = Held(broker, wire.UNMOUNT)
    await cancelled(actor.unmount(), held)
    held.release()
    with pytest.raises(ActorError) as error:
        await actor.event("increment", {})
    assert error.value.kind == "view_not_found"


@pytest.mark.asyncio
async def test_a_socket_that_goes_in_the_middle_of_its_join_hears_nothing(native):
    """Over inproc://, where the turn runs on."""
    flags, session = wire.PAGE | wire.UNADOPTED, bytes(15) + b"\1"
    transport = inproc.get()
    mounted = await transport.submit(wire.MOUNT, session, {"path": "samples.Counter", "params": {}}, flags=flags)
    view = wire.unpack_body(mounted.body)["view"]
    views = [{"view": view, "version": 1, "path": "samples.Counter", "params": {}}]
    body = {"generation": 0, "views": views, "request": {}}
    task = asyncio.ensure_future(transport.submit(wire.JOIN, session, body, subscriber=print))
    await asyncio.sleep(0)
    task.cancel()
    transport.send(wire.LEAVE, session, {})
    while transport._turns:
        await asyncio.wait(list(transport._turns))
    assert not transport._subscribers and not len(transport)
