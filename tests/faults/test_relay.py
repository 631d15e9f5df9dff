"""The relay moves messages as they are, and makes the trouble that it is told to."""

import asyncio

import pytest
import pytest_asyncio
import relay
import zmq
import zmq.asyncio

pytestmark = pytest.mark.asyncio
PATIENCE = 5000  # ms


@pytest_asyncio.fixture
async def line(tmp_path):
    """(ROUTER behind the relay, DEALER in front of it, Trouble)."""
    trouble = relay.Trouble(1)
    server = await relay.serve(str(tmp_path / "front"), str(tmp_path / "back"), trouble)
    context = zmq.asyncio.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    for socket in (router, dealer):
        socket.rcvtimeo, socket.linger = PATIENCE, 0
    dealer.setsockopt(zmq.IDENTITY, b"somebody")
    dealer.immediate, dealer.reconnect_ivl = 1, 10
    router.bind(f"ipc://{tmp_path}/back")
    dealer.connect(f"ipc://{tmp_path}/front")
    yield router, dealer, trouble
    context.destroy()
    server.close()


async def test_messages_and_who_sent_them(line):
    router, dealer, _ = line
    for frames in ([b"one"], [b"", b"two", b"x" * 100_000]):
        await dealer.send_multipart(frames)
        assert await router.recv_multipart() == [b"somebody", *frames]
        await router.send_multipart([b"somebody", *frames])
        assert await dealer.recv_multipart() == frames


@pytest.mark.parametrize("kind, came", [("drop", [b"last"]), ("double", [b"some", b"some", b"last"])])
async def test_dropped_and_doubled(line, kind, came):
    router, dealer, trouble = line
    trouble.kind, trouble.chance = kind, 1.0
    await dealer.send_multipart([b"some", b"thing"])
    while not trouble.met:
        await asyncio.sleep(0.01)
    trouble.kind = None
    await dealer.send_multipart([b"last"])
    assert [(await router.recv_multipart())[1] for _ in came] == came


async def test_late_and_in_order(line, monkeypatch):
    router, dealer, trouble = line
    monkeypatch.setattr(relay, "HOLD", (0.05, 0.05))
    trouble.kind, trouble.chance = "hold", 1.0
    for number in range(3):
        await dealer.send(b"%d" % number)
    assert [(await router.recv_multipart())[1] for _ in range(3)] == [b"0", b"1", b"2"]
    assert trouble.met == 3


async def test_cut_in_the_middle(line):
    """Nobody gets half a message, and the peers find each other again."""
    router, dealer, trouble = line
    trouble.kind, trouble.chance = "cut", 1.0
    await dealer.send_multipart([b"lost", b"y" * 100_000])
    while not trouble.met:
        await asyncio.sleep(0.01)
    trouble.kind = None
    while not await router.poll(50):
        await dealer.send(b"after")  # the first may go the way of the connection
    assert await router.recv_multipart() == [b"somebody", b"after"]


async def test_an_order_is_over_after_its_time(line):
    router, dealer, trouble = line
    order = asyncio.ensure_future(trouble.order("double", 1.0, 0.3))
    await asyncio.sleep(0)
    await dealer.send(b"two")
    assert await order == 1 and trouble.kind is None


async def test_nobody_behind(tmp_path):
    server = await relay.serve(str(tmp_path / "front"), str(tmp_path / "nobody"), relay.Trouble(1))
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "front"))
    assert await reader.read() == b""
    writer.close()
    server.close()
