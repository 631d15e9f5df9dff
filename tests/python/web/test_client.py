"""client.py against a real ROUTER socket."""

import asyncio
import os

import fake_worker
import pytest
import zmq

from troupe import wire
from troupe.errors import ActorError, from_reply
from troupe.web.transport import client, connection

pytestmark = pytest.mark.asyncio
SESSION = bytes(range(16))


@pytest.fixture
def make():
    made = []

    def build(address, **options):
        made.append(client.Client(address, asyncio.get_running_loop(), **options))
        return made[-1]

    yield build
    for connected in made:
        connected.close()


async def mounted(connected):
    body = {"path": "samples.Counter", "params": {}, "view": b"v" * 16}
    return await connected.submit(wire.MOUNT, SESSION, body, flags=wire.HTML)


def event(number, view=b"v" * 16):
    return {"view": view, "name": "increment", "params": {"by": number}}


async def test_a_request_and_its_reply(broker, make):
    connected = make(broker.address)
    reply = await mounted(connected)
    assert reply.kind == wire.MOUNTED and reply.epoch == 7
    assert wire.unpack_body(reply.body)["view"] == b"v" * 16


async def test_replies_find_their_requests_out_of_order(broker, make):
    late = []

    def answer(kind, session, epoch, sequence, fields):
        late.append((sequence, fields["n"]))
        return []

    broker.answer = answer
    connected = make(broker.address)
    futures = [connected.submit(wire.PING, SESSION, {"n": n}) for n in range(5)]
    for _ in range(5):
        await asyncio.to_thread(broker.wait_for, wire.PING)
    for sequence, n in reversed(late):
        broker.push(wire.PONG, SESSION, {"n": n}, sequence=sequence)
    replies = [wire.unpack_body(reply.body)["n"] for reply in await asyncio.gather(*futures)]
    assert replies == [0, 1, 2, 3, 4]


async def test_more_replies_than_one_batch(broker, make):
    connected = make(broker.address)
    await connected.submit(wire.PING, wire.NO_SESSION, {})
    futures = [connected.submit(wire.PING, wire.NO_SESSION, {}) for _ in range(connection.BATCH * 3)]
    assert {reply.kind for reply in await asyncio.gather(*futures)} == {wire.PONG}
    assert not connected._pending


async def test_the_same_number_twice_is_answered_by_one_reply(broker, make):
    connected = make(broker.address)
    await mounted(connected)
    first = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    second = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    assert (await first).body == (await second).body
    assert broker.sessions[SESSION].views[b"v" * 16][0].count == 1


async def test_a_reply_of_an_older_epoch_is_dropped(broker, make, caplog):
    broker.answer = lambda *_: [(wire.DONE, {"version": 1})]
    clock = Clock()
    connected = make(broker.address, clock=clock)
    future = connected.submit(wire.EVENT, SESSION, event(1), epoch=8, sequence=1)
    ping = connected.submit(wire.PING, SESSION, {})  # its reply comes after
    assert (await ping).kind == wire.DONE
    assert not future.done() and "event=stale_reply" in caplog.text
    clock.now += 26
    with pytest.raises(ActorError) as error:
        await future
    assert error.value.kind == "timeout" and error.value.outcome == "unknown"


async def test_what_is_being_worked_on_has_its_time_anew(broker, make):
    """Only while it is: the time then is what it was."""
    broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
    clock = Clock()
    connected = make(broker.address, clock=clock)
    await mounted(connected)
    future = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    other = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=2)
    for sequence in (9, 0, 1):  # of no request, and of none in particular
        clock.now += 8
        broker.push(wire.WORKING, SESSION, {}, sequence=sequence)
        await connected.submit(wire.PING, wire.NO_SESSION, {})  # its reply comes after
    clock.now += 24
    connected._sweep()
    assert other.exception().kind == "timeout" and not future.done()
    clock.now += 1
    connected._sweep()
    assert future.exception().kind == "timeout"


class Clock:
    now = 500.0

    def __call__(self):
        return self.now


async def test_no_broker_is_said_with_its_address(tmp_path, make):
    clock = Clock()
    connected = make(f"ipc://{tmp_path}/nobody", clock=clock)
    future = connected.submit(wire.PING, SESSION, {})
    lost = []
    connected.send(wire.LEAVE, SESSION, {}, lost=lost.append)
    connected.send(wire.LEAVE, SESSION, {})
    clock.now += client.CONNECT_WAIT
    with pytest.raises(ActorError) as error:
        await future
    assert error.value.kind == "unreachable" and error.value.outcome == "not_executed"
    assert f"{tmp_path}/nobody" in str(error.value)
    assert [error.kind for error in lost] == ["unreachable"]
    assert not connected._waiting and not connected._pending


async def test_a_broker_that_starts_later_gets_what_waits(tmp_path, make):
    address = f"ipc://{tmp_path}/late"
    connected = make(address, clock=Clock())
    future = connected.submit(wire.PING, wire.NO_SESSION, {})
    abandoned = connected.submit(wire.PING, wire.NO_SESSION, {})
    abandoned.cancel()
    await asyncio.sleep(0)
    assert not future.done()
    broker = fake_worker.Broker(address)
    try:
        assert (await future).kind == wire.PONG
        assert broker.seen.qsize() == 1  # what nobody waits for any more was not sent
    finally:
        broker.close()


async def test_what_waits_is_bounded(tmp_path, make, monkeypatch):
    monkeypatch.setattr(client, "MAX_WAITING", 2)
    connected = make(f"ipc://{tmp_path}/nobody", clock=Clock())
    futures = [connected.submit(wire.PING, SESSION, {}) for _ in range(3)]
    assert [future.done() for future in futures] == [False, False, True]
    assert futures[2].exception().kind == "unreachable"


async def test_a_broker_that_takes_no_more_is_busy(broker, make, monkeypatch):
    connected = make(broker.address)
    await connected.submit(wire.PING, SESSION, {})
    monkeypatch.setattr(connected._connection, "try_send", lambda header, data: False)
    monkeypatch.setattr(client, "MAX_WAITING", 0)
    error = connected.submit(wire.PING, SESSION, {}).exception()
    assert (error.kind, error.outcome, error.retry_ms) == ("busy", "not_executed", 500)


async def test_an_address_that_is_none(make):
    with pytest.raises(ActorError) as error:
        make("carrier-pigeon://loft")
    assert error.value.kind == "unreachable" and "carrier-pigeon" in str(error.value)


async def test_a_body_that_cannot_travel(broker, make):
    connected = make(broker.address)
    for body in ({"x": object()}, {"x": "y" * (1 << 20)}):
        with pytest.raises(ActorError) as error:
            connected.submit(wire.PING, SESSION, body)
        assert error.value.kind == "params"
    with pytest.raises(ActorError) as error:
        connected.submit(wire.MOUNT, SESSION, {}, view=object())
    assert error.value.kind == "params" and "inproc" in str(error.value)


async def test_malformed_replies_are_logged_and_harm_nobody(broker, make, caplog):
    connected = make(broker.address)
    await connected.submit(wire.PING, SESSION, {})
    good = wire.pack_header(wire.PONG, 0, SESSION, 0, 99, 0)
    broker.order(b"short", b"\x80")
    broker.order(b"\x02" + good[1:], b"\x80")
    broker.order(good)
    broker.order(good, b"\x80", b"third", b"fourth")
    assert (await connected.submit(wire.PING, wire.NO_SESSION, {})).kind == wire.PONG
    assert caplog.text.count("event=malformed_reply") == 4


async def test_what_is_unasked_reaches_the_newest_subscriber(broker, make, caplog):
    connected = make(broker.address)
    await mounted(connected)
    first, second = [], []
    connected.subscribe(SESSION, lambda *args: first.append(args))

    def listen(*args):
        second.append(args)
        if len(second) == 1:
            raise ValueError("a subscriber's own mistake")

    connected.subscribe(SESSION, listen)
    connected.unsubscribe(SESSION, None)
    broker.push(wire.PUSH, SESSION, {"frame": b"{}"})
    broker.push(wire.ENDED, SESSION, {"reason": "evicted"})
    broker.push(wire.ENDED, b"o" * 16, {"reason": "evicted"})
    await connected.submit(wire.PING, SESSION, {})
    assert [args[0] for args in second] == [wire.PUSH, wire.ENDED] and not first
    assert "event=subscriber_failed" in caplog.text
    connected.unsubscribe(SESSION, listen)
    assert not connected._subscribers


async def test_a_join_subscribes(broker, make):
    """From its JOINED on, and only who still waits for it."""
    connected = make(broker.address)
    await mounted(connected)
    got = []
    broker.answer = lambda kind, *_: [(wire.JOINED, {}), (wire.PUSH, {"frame": b"1"}, 0)] if kind == wire.JOIN else None
    body = {"generation": 0, "views": [], "request": {}}
    abandoned = connected.submit(wire.JOIN, SESSION, body, subscriber=lambda *args: got.append("gone"))
    abandoned.cancel()
    await connected.submit(wire.PING, SESSION, {})
    assert not got
    await connected.submit(wire.JOIN, SESSION, body, subscriber=lambda *args: got.append(args))
    await connected.submit(wire.PING, SESSION, {})
    assert got == [(wire.PUSH, 7, wire.pack_body({"frame": b"1"}))]


async def test_a_push_stays_behind_the_reply_before_it(broker, make):
    """Also where both are read at once. And nothing comes after unsubscribe()."""
    connected = make(broker.address)
    await mounted(connected)
    got = []

    def listen(kind, *_):
        got.append(kind)

    connected.subscribe(SESSION, listen)
    future = connected.submit(wire.EVENT, SESSION, event(1), sequence=1)
    future.add_done_callback(lambda done: got.append(done.result().kind))
    empty = wire.pack_body({})
    connected._received(wire.pack_header(wire.DONE, 0, SESSION, 7, 1, 0), empty)
    connected._received(wire.pack_header(wire.PUSH, 0, SESSION, 7, 0, 0), empty)
    await asyncio.sleep(0)
    assert got == [wire.DONE, wire.PUSH]
    connected._received(wire.pack_header(wire.PUSH, 0, SESSION, 7, 0, 0), empty)
    connected.unsubscribe(SESSION, listen)
    await asyncio.sleep(0)
    assert got == [wire.DONE, wire.PUSH]


async def test_keepalive_while_something_is_joined(broker, make, monkeypatch):
    monkeypatch.setattr(client, "KEEPALIVE_EVERY", 0.001)
    connected = make(broker.address)
    await connected.submit(wire.PING, SESSION, {})

    def listen(*_):
        pass

    connected.subscribe(SESSION, listen)
    session, _ = await asyncio.to_thread(broker.wait_for, wire.PING)
    session, _ = await asyncio.to_thread(broker.wait_for, wire.PING)
    assert session == wire.NO_SESSION
    connected.unsubscribe(SESSION, listen)
    connected._keep_alive()
    assert connected._keepalive is None


@pytest.mark.parametrize("same", [True, False])
async def test_after_a_reconnection_sessions_that_are_gone_are_told(tmp_path, make, monkeypatch, same):
    monkeypatch.setattr(client, "KEEPALIVE_EVERY", 0.001)
    first = fake_worker.Broker(f"ipc://{tmp_path}/front")
    connected = make(first.address)
    await mounted(connected)
    pushed = asyncio.Queue()
    connected.subscribe(SESSION, lambda kind, epoch, body: pushed.put_nowait((kind, wire.unpack_body(body))))
    first.close()
    second = fake_worker.Broker(first.address)
    try:
        if same:
            second.sessions = first.sessions
        session = None
        while session != SESSION:
            session, _ = await asyncio.to_thread(second.wait_for, wire.PING)
        if not same:
            assert await asyncio.wait_for(pushed.get(), 120) == (wire.ENDED, {"reason": "worker_lost"})
        await connected.submit(wire.PING, SESSION, {})
        assert pushed.empty()
    finally:
        second.close()


async def test_a_refusal_of_what_was_sent_twice_says_so(tmp_path, make):
    """The first broker may have passed it on: that the second one refuses it says nothing about that."""
    first = fake_worker.Broker(f"ipc://{tmp_path}/front")
    connected = make(first.address)
    await mounted(connected)
    first.answer = lambda kind, *_: [] if kind == wire.EVENT else None
    future = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    abandoned = connected.submit(wire.EVENT, SESSION, event(2), epoch=7, sequence=2)
    for _ in range(2):
        await asyncio.to_thread(first.wait_for, wire.EVENT)
    abandoned.cancel()
    first.close()
    second = fake_worker.Broker(first.address)
    try:
        reply = await future
        assert (reply.kind, reply.flags & wire.AGAIN) == (wire.NOT_EXECUTED, wire.AGAIN)
        fresh = await connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
        assert (fresh.kind, fresh.flags & wire.AGAIN) == (wire.NOT_EXECUTED, 0)
        assert second.seen.qsize() == 2  # what nobody waits for was not sent again
    finally:
        second.close()


async def test_what_was_sent_before_is_never_said_to_be_not_executed(broker, make, monkeypatch):
    clock = Clock()
    broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
    connected = make(broker.address, clock=clock)
    await mounted(connected)
    first = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    monkeypatch.setattr(connected._connection, "try_send", lambda header, data: False)
    connected._resend()
    behind = connected.submit(wire.EVENT, SESSION, event(2), epoch=7, sequence=2)
    clock.now += client.CONNECT_WAIT
    connected._sweep()
    assert behind.exception().outcome == "not_executed" and not first.done()
    clock.now += 30
    connected._sweep()
    assert (first.exception().kind, first.exception().outcome) == ("timeout", "unknown")
    assert not connected._waiting and not connected._pending


async def test_one_that_cannot_be_sent_says_nothing_of_one_that_was(broker, make, monkeypatch):
    clock = Clock()
    connected = make(broker.address, clock=clock)
    await mounted(connected)
    sends = connected._connection.try_send
    first = connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1)
    monkeypatch.setattr(connected._connection, "try_send", lambda header, data: False)
    later = [connected.submit(wire.EVENT, SESSION, event(1), epoch=7, sequence=1) for _ in range(2)]
    later[0].cancel()
    clock.now += client.CONNECT_WAIT
    connected._sweep()
    assert later[1].exception().outcome == "not_executed" and not connected._waiting
    monkeypatch.setattr(connected._connection, "try_send", sends)
    assert (await first).kind == wire.DONE and not connected._pending


async def test_asking_for_a_session_gets_no_answer(make, tmp_path):
    clock = Clock()
    connected = make(f"ipc://{tmp_path}/nobody", clock=clock)
    connected.subscribe(SESSION, lambda *_: pytest.fail("nothing is known of it"))
    connected._ping_session(b"o" * 16)
    assert not connected._pending
    connected._ping_session(SESSION)
    clock.now += 6
    connected._sweep()
    assert not connected._pending
    connected._ping_session(SESSION)
    next(iter(connected._pending.values())).future.cancel()
    await asyncio.sleep(0)


async def test_closing_ends_what_is_pending(broker, make):
    broker.answer = lambda *_: []
    connected = make(broker.address)
    future = connected.submit(wire.PING, SESSION, {})
    connected.subscribe(SESSION, print)
    connected.close()
    with pytest.raises(ActorError) as error:
        await future
    assert error.value.kind == "timeout"
    with pytest.raises(ActorError):
        connected.submit(wire.PING, SESSION, {})
    connected.send(wire.LEAVE, SESSION, {})
    connected._connection.drain()
    connected._ping_session(SESSION)


async def test_one_client_a_loop_and_a_new_one_for_a_new_address(broker, settings, tmp_path):
    first = client.get()
    assert client.get() is first
    settings.TROUPE = {"BROKER": f"ipc://{tmp_path}/other"}
    second = client.get()
    assert second is not first and second.address.endswith("other") and first.closed
    second.close()


async def test_clients_of_closed_loops_are_closed(broker):
    made = []

    async def use():
        made.append(client.get())

    def elsewhere():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(use())
        loop.close()

    await asyncio.to_thread(elsewhere)
    client.get().close()
    client.get()
    assert made[0].closed


async def test_a_fork_begins_anew(broker):
    reply = await client.get().submit(wire.PING, SESSION, {})
    assert reply.kind in (wire.PONG, wire.NOT_EXECUTED)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:

        async def ask():
            connected = client.get()
            return (await connected.submit(wire.PING, wire.NO_SESSION, {})).kind

        try:
            asyncio.events._set_running_loop(None)
            kind = asyncio.new_event_loop().run_until_complete(ask())
            os.write(write, bytes([kind]))
        finally:
            os._exit(0)
    os.close(write)
    assert await asyncio.to_thread(os.read, read, 1) == bytes([wire.PONG])
    os.close(read)
    os.waitpid(child, 0)
    assert (await client.get().submit(wire.PING, wire.NO_SESSION, {})).kind == wire.PONG


async def test_identity_is_fresh_and_short(make, tmp_path):
    names = {make(f"ipc://{tmp_path}/x")._connection._socket.getsockopt(zmq.IDENTITY) for _ in range(3)}
    assert len(names) == 3 and all(0 < len(name) <= 32 for name in names)


async def test_refusals_become_errors():
    body = wire.pack_body({"reason": "busy", "message": "later", "retry_ms": 100})
    error = from_reply(wire.NOT_EXECUTED, body)
    assert (error.kind, str(error), error.retry_ms, error.outcome) == ("busy", "later", 100, "not_executed")
