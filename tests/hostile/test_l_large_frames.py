"""L: frames of 9 and 65 MB: answered where ZeroMQ lets them through, else a log line; memory stays bounded."""

import os
import re
import socket
import struct

import pytest
import raw
from fleet import wait_until

from troupe import wire

MIB = 1 << 20
FRONT, BACK = 16 * MIB, 96 * MIB
ENDED = rf"event=disconnected side={{}} peer=pid:{os.getpid()} largest_frame={{}}"


@pytest.fixture
def alone(make_fleet):
    """A broker with a worker that nobody disturbs."""
    return make_fleet(workers=1, web=False)


def resident(child):
    """Bytes of a process's memory."""
    with open(f"/proc/{child.process.pid}/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def serves(fleet):
    """A new client is answered."""
    with raw.Client(fleet.front) as client:
        return client.ask(wire.PING).kind == wire.PONG


def test_a_request_of_9_mb(alone):
    """It is over its own limit, and below the socket's."""
    with raw.Client(alone.front) as client:
        head = raw.header(wire.EVENT, session=b"S" * 16, sequence=7)
        client.send(head, bytes(9 * MIB))
        refused = client.receive()
        assert (refused.kind, refused.reason, refused.sequence) == (wire.NOT_EXECUTED, "too_large", 7)
        assert client.ask(wire.PING).kind == wire.PONG


def test_a_reply_of_65_mb(alone):
    """The client hears that it failed; and what a stranger says is refused."""
    with raw.Worker(alone.back) as worker, raw.Client(alone.front) as client:
        worker.send(b"", raw.header(raw.REGISTER, sequence=0), bytes(65 * MIB))
        assert worker.receive()[1].reason == "too_large"
        assert worker.register("a").kind == raw.WELCOME  # before "w1" in the alphabet
        client.post(wire.MOUNT, {"path": "a.B", "params": {}}, b"S" * 16, sequence=wire.REQUEST_BIT | 1)
        sender, asked = worker.receive()
        worker.send(sender, raw.header(wire.MOUNTED, asked.session, asked.epoch, asked.sequence), bytes(65 * MIB))
        failed = client.receive()
        assert (failed.kind, failed.body["kind"]) == (wire.FAILED, "internal")
    assert "event=reply_too_large" in alone.broker.text()


@pytest.mark.parametrize(("side", "largest"), [("front", FRONT), ("back", BACK)])
def test_over_the_sockets_limit(alone, side, largest):
    """ZeroMQ closes the connection; the log names its other end, and the others are served."""
    with raw.Peer(getattr(alone, side)) as peer:
        peer.send(raw.header(wire.PING), bytes(largest + 1))
        alone.broker.wait_line(ENDED.format(side, largest))
        assert serves(alone)


def connect(address):
    """A ZMTP 3.0 connection whose handshake is done."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(address.removeprefix("ipc://"))
    peer.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
    ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"
    peer.sendall(b"\x04" + bytes([len(ready)]) + ready)
    got = b""
    while b"READY" not in got:  # of the broker; it comes behind its greeting of 64 bytes
        got += peer.recv(4096)
    return peer


def test_what_is_only_announced_takes_no_memory(alone):
    """Thirty frames of the largest size are announced, and none comes; of one byte more the connection is closed."""
    assert serves(alone)
    before = resident(alone.broker)
    peers = [connect(alone.front) for _ in range(30)]
    for peer in peers:
        peer.sendall(b"\x02" + struct.pack("!Q", FRONT) + b"x")
    over = connect(alone.front)
    over.sendall(b"\x02" + struct.pack("!Q", FRONT + 1))
    over.settimeout(raw.PATIENCE)
    while over.recv(4096):
        pass
    assert serves(alone)
    assert resident(alone.broker) - before < FRONT
    for peer in [*peers, over]:
        peer.close()
    wait_until(
        lambda: len(re.findall("event=disconnected", alone.broker.text())) >= 10,
        "the lines of the connections that ended",
    )


def test_our_client_sends_none(alone):
    """It says so before anything is sent."""
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.pack_body({"params": {"text": "x" * (MIB + 1)}})
    assert serves(alone)
