"""SessionActor over both transports."""

import asyncio
import contextvars
import pickle
import sys
import threading
import uuid

import fake_worker
import pytest
from django.core.exceptions import ImproperlyConfigured
from samples import Counter

from troupe import ActorError, create_session_actor, wire
from troupe.web.fifo_lock import FifoLock
from troupe.web.session_actor import session_bytes
from troupe.web.transport import client, inproc

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["native", "broker"])
def either(request):
    return request.getfixturevalue(request.param)


async def test_mount_event_unmount_shutdown(either):
    actor = await create_session_actor("orders")
    page = await actor.mount("samples.Counter", {"start": 4})
    assert page["session_id"] == "orders" and page["version"] == 1 and len(page["view_id"]) == 32
    assert "<main dj-root>4</main>" in page["html"]
    result = await actor.event("increment", {"by": 3})
    assert result["version"] == 2 and "7" in result["html"] and result["patches"]["0"]["h"] == result["html"]
    result = await actor.event("later", {})
    assert "17" in result["html"]
    assert await actor.ping() is True
    await actor.unmount()
    with pytest.raises(ActorError) as error:
        await actor.event("increment", {})
    assert error.value.kind == "view_not_found"
    await actor.shutdown()
    with pytest.raises(ActorError) as error:
        await actor.ping()
    assert (error.value.kind, error.value.outcome) == ("unknown_session", "not_executed")


async def test_two_views_of_one_class_side_by_side(either):
    actor = await create_session_actor(uuid.uuid4())
    first = await actor.mount("samples.Counter", {"start": 1})
    second = await actor.mount("samples.Counter", {"start": 2})
    assert "101" in (await actor.event("increment", {"by": 100}, first["view_id"]))["html"]
    assert "102" in (await actor.event("increment", {"by": 100}))["html"]
    await actor.unmount(first["view_id"])
    assert "103" in (await actor.event("increment", {}, second["view_id"]))["html"]


async def test_errors_carry_what_happened(either):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    with pytest.raises(ActorError) as error:
        await actor.event("broken", {})
    found = error.value
    assert str(found) == "Error in samples.Counter.broken(): nothing to count"
    assert (found.kind, found.type, found.view_path, found.event) == (
        "python",
        "ValueError",
        "samples.Counter",
        "broken",
    )
    assert found.frames and found.outcome == "failed"
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found) and again.kind == "python" and again.frames == found.frames
    with pytest.raises(ActorError, match=r"Handler '_x' not found on samples\.Counter"):
        await actor.event("_x", {})
    assert "1" in (await actor.event("increment", {}))["html"]  # a failed event uses its number


async def test_a_mount_that_redirects_makes_no_view(either):
    actor = await create_session_actor("x")
    with pytest.raises(ActorError, match="HTTP status 302"):
        await actor.mount("samples.Moved", {})


async def test_an_instance_over_inproc_only(native, settings, tmp_path):
    actor = await create_session_actor("x")
    view = Counter()
    view.mount(None, start=1)
    page = await actor.mount("whatever.Label", {}, view)
    await actor.event("increment", {})
    assert view.count == 2 and page["html"]


async def test_an_instance_cannot_travel(broker):
    actor = await create_session_actor("x")
    with pytest.raises(ActorError) as error:
        await actor.mount("samples.Counter", {}, Counter())
    assert error.value.kind == "params" and "inproc" in str(error.value)


async def test_events_of_many_tasks_keep_their_numbers(either):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    results = await asyncio.gather(*(actor.event("increment", {}) for _ in range(20)))
    assert [result["version"] for result in results] == list(range(2, 22))


async def test_a_refused_event_uses_no_number(broker):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})

    def busy(kind, *_):
        broker.answer = lambda *_: None
        return [(wire.NOT_EXECUTED, {"reason": "busy", "message": "full", "retry_ms": 5})]

    broker.answer = busy
    with pytest.raises(ActorError) as error:
        await actor.event("increment", {})
    assert error.value.kind == "busy" and error.value.retry_ms == 5
    assert (await actor.event("increment", {}))["version"] == 2


@pytest.mark.parametrize("executed", ["never", "at once", "late"])
async def test_after_a_lost_reply_the_number_is_found_again(broker, monkeypatch, executed):
    monkeypatch.setattr("troupe.web.transport.client.HARD_MS", -9950)
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    fake = broker.sessions[actor.id]
    lost = {"view": next(iter(fake.views)), "name": "increment", "params": {"by": 1000}}

    def run_lost():
        header = wire.pack_header(wire.EVENT, 0, actor.id, 7, 1, 0)
        fake.run(header, wire.pack_body(lost))

    def silent(kind, session, epoch, sequence, fields):
        if executed == "at once":
            run_lost()
        return []

    broker.answer = silent
    with pytest.raises(ActorError) as error:
        await actor.event("increment", {"by": 1000})
    assert (error.value.kind, error.value.outcome) == ("timeout", "unknown")

    def late(kind, session, epoch, sequence, fields):
        if executed == "late" and sequence == 1 and not fake.replies:
            run_lost()
        return None

    monkeypatch.setattr("troupe.web.transport.client.HARD_MS", 15_000)
    broker.answer = late
    result = await actor.event("increment", {"by": 1})
    assert f">{1 if executed == 'never' else 1001}<" in result["html"]
    assert (await actor.event("increment", {"by": 1}))["version"] == result["version"] + 1


@pytest.mark.parametrize("executed", [False, True])
async def test_a_refusal_of_an_event_that_was_sent_twice_leaves_it_in_doubt(broker, executed):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    fake = broker.sessions[actor.id]

    def silent(kind, session, epoch, sequence, fields):
        broker.answer = lambda *_: [(wire.NOT_EXECUTED, {"reason": "busy", "message": "full"})]
        if executed:
            fake.run(wire.pack_header(kind, 0, session, epoch, sequence, 0), wire.pack_body(fields))
        return []

    broker.answer = silent
    asked = asyncio.create_task(actor.event("increment", {"by": 1000}))
    await asyncio.to_thread(broker.wait_for, wire.EVENT)
    client.get()._resend()
    with pytest.raises(ActorError) as error:
        await asked
    assert (error.value.kind, error.value.outcome) == ("busy", "unknown")
    broker.answer = lambda *_: None
    assert f">{1001 if executed else 1}<" in (await actor.event("increment", {"by": 1}))["html"]


async def test_ids():
    name = uuid.uuid4()
    assert session_bytes(name) == session_bytes(str(name)) == session_bytes(name.bytes) == name.bytes
    assert len(session_bytes("test-session")) == 16 and session_bytes("a") != session_bytes("b")
    for bad in (b"short", bytes(16)):
        with pytest.raises(ValueError):
            session_bytes(bad)


async def test_a_handle_may_change_its_loop(either):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})

    def elsewhere():
        return asyncio.run(actor.event("increment", {}))["version"]

    assert await asyncio.to_thread(elsewhere) == 2
    assert (await actor.event("increment", {}))["version"] == 3


async def test_the_lock_is_fair_across_loops_and_survives_cancelling():
    lock, order = FifoLock(), []
    await lock.__aenter__()

    async def take(name):
        async with lock:
            order.append(name)

    first = asyncio.ensure_future(take("first"))
    await asyncio.sleep(0)
    thread = threading.Thread(target=lambda: asyncio.run(take("second")))
    thread.start()
    while len(lock._waiters) < 2:
        await asyncio.sleep(0)
    third = asyncio.ensure_future(take("third"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await lock.__aexit__()
    await third
    thread.join()
    assert order == ["second", "third"] and not lock.held


async def test_the_lock_passes_over_closed_loops_and_late_cancels():
    lock = FifoLock()
    await lock.__aenter__()
    dead = asyncio.new_event_loop()
    lock._waiters.append(dead.create_future())
    dead.close()
    task = asyncio.ensure_future(lock.__aenter__())
    await asyncio.sleep(0)
    await lock.__aexit__()  # handed to the task, which is cancelled before it runs
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not lock.held


async def test_inproc_waits_its_turn_when_ended_in_the_middle(native):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    fake = fake_worker.Session.made[-1]
    running = asyncio.ensure_future(actor.event("later", {}))
    while not native._entries[actor.id].lock.held:
        await asyncio.sleep(0)
    queued = native.submit(wire.PING, actor.id, {})
    native.send(wire.SHUTDOWN, actor.id, {})
    assert not fake.closed and len(native) == 0
    assert "10" in (await running)["html"]
    assert (await queued).kind == wire.NOT_EXECUTED
    while not fake.closed:
        await asyncio.sleep(0)


async def test_inproc_a_cancelled_caller_leaves_the_turn_whole(native):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    task = asyncio.ensure_future(actor.event("later", {}))
    while not native._entries[actor.id].lock.held:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await actor.ping()
    assert fake_worker.Session.made[-1].last == 1


async def test_inproc_sweeps_what_nobody_adopts(native, clock, monkeypatch):
    monkeypatch.setattr(inproc, "MAX_UNADOPTED", 2)
    body = {"path": "samples.Counter", "params": {}}
    ids = [bytes([n]) * 16 for n in range(1, 6)]
    for session in ids[:3]:
        await native.submit(wire.MOUNT, session, body, flags=wire.UNADOPTED | wire.PAGE)
    assert len(native) == 2 and ids[0] not in native._entries
    join = {"generation": 0, "views": [], "request": {}}
    await native.submit(wire.JOIN, ids[1], join)
    clock.now += inproc.UNADOPTED_MS / 1000 + 1
    await native.submit(wire.MOUNT, ids[3], body, flags=wire.UNADOPTED | wire.PAGE)
    assert set(native._entries) == {ids[1], ids[3]}
    native.send(wire.LEAVE, ids[1], {})
    assert set(native._entries) == {ids[3]}
    with pytest.raises(ActorError):
        native.submit(wire.MOUNT, ids[4], {"path": object()})


async def test_inproc_control_requests(native):
    reply = await native.submit(wire.STATS, wire.NO_SESSION, {})
    assert wire.unpack_body(reply.body) == {"figures": {"sessions": 0}}
    assert (await native.submit(wire.PING, wire.NO_SESSION, {})).kind == wire.PONG
    await native.submit(wire.MOUNT, b"s" * 16, {"path": "samples.Counter", "params": {}})
    assert (await native.submit(wire.LEAVE, b"s" * 16, {})).kind == wire.PONG


async def test_inproc_awaits_in_the_context_of_the_turn(native):
    mark = contextvars.ContextVar("mark", default="outside")
    seen = []

    class Handler:
        context = contextvars.copy_context()

        def __init__(self):
            self.awaitable = self

        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            seen.append(mark.get())
            raise KeyError("from the handler")

    Handler.context.run(mark.set, "inside")
    value, error = await inproc._settle(Handler())
    assert value is None and isinstance(error, KeyError) and seen == ["inside"] and mark.get() == "outside"


async def test_inproc_has_one_transport(native):
    assert inproc.get() is native
    native.subscribe(b"s" * 16, print)
    native.unsubscribe(b"s" * 16, len)
    native.unsubscribe(b"s" * 16, print)
    native.send(wire.ACK, b"s" * 16, {"view": b"v" * 16, "version": 1})
    native.send(wire.LEAVE, b"s" * 16, {})
    native.send(wire.LOGOUT, wire.NO_SESSION, {"identity": b""})
    assert not native._subscribers


async def test_inproc_without_the_extension_says_how_to_build_it(monkeypatch):
    inproc.reset()
    monkeypatch.setitem(sys.modules, "troupe._native", None)
    monkeypatch.delattr("troupe._native", raising=False)
    with pytest.raises(ImproperlyConfigured, match="meson"):
        inproc.get()


async def test_a_reply_of_the_wrong_type(native, monkeypatch):
    actor = await create_session_actor("x")
    await actor.mount("samples.Counter", {})
    monkeypatch.setattr(fake_worker.Session, "_ping", lambda *_: (wire.ENDED, {"reason": "x"}))
    with pytest.raises(ActorError) as error:
        await actor.ping()
    assert error.value.kind == "internal"
