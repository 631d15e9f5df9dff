"""K, the broker's half: sessions that came and went leave no memory behind, round after round."""

import os
import signal

import pytest
import raw
from fleet import wait_until

from troupe import wire

SESSIONS = 2000  # a round
ROUNDS = 5
AT_ONCE = 50
GROWTH = 1 << 20  # bytes from the second round to the last: 3 rounds of 2,000 sessions, so 175 bytes a session
RELEASED_EXPIRED = {"reason": "expired"}
FULL = b"\x01" + (7).to_bytes(4, "big") + (400).to_bytes(4, "big") + bytes(400)  # a snapshot of one root


def resident(child):
    """Bytes of a process's own memory: what it has mapped of its store's file is not counted."""
    with open(f"/proc/{child.process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def some(client, worker, snapshot):
    """Sessions that are joined, left, and gone from their worker."""
    for _ in range(AT_ONCE):
        client.post(wire.JOIN, {"generation": 0, "views": [], "request": {}}, os.urandom(16))
    joins = [worker.receive() for _ in range(AT_ONCE)]
    for sender, asked in joins:
        assert asked.kind == wire.JOIN
        head = raw.header(wire.JOINED, asked.session, asked.epoch, asked.sequence)
        worker.send(sender, head, raw.pack({"generation": 1, "last": 0, "fresh": True, "views": []}), *snapshot)
    for _ in joins:
        joined = client.receive()
        assert joined.kind == wire.JOINED
        client.post(wire.LEAVE, {}, joined.session, epoch=joined.epoch)
    for _ in joins:
        assert worker.receive()[1].kind == wire.LEAVE
    for _, asked in joins:
        worker.control(raw.RELEASED, RELEASED_EXPIRED, asked.session, asked.epoch)


@pytest.mark.parametrize("kept", [False, True])
def test_rounds_of_sessions(make_fleet, tmp_path, kept):
    """The memory after the last round is that after the second."""
    options = ["--keep", str(tmp_path / "sessions"), "--passive-s", "1"] if kept else []
    fleet = make_fleet(workers=1, web=False, broker=["--worker-dead-ms", "600000", *options])
    fleet.workers["w1"].signal(signal.SIGTERM)  # the broker's only worker is this test
    fleet.workers["w1"].wait_exit()
    memory = []
    with raw.Worker(fleet.back) as worker, raw.Client(fleet.front) as client:
        assert worker.register("a").kind == raw.WELCOME
        for _ in range(ROUNDS):
            for _ in range(SESSIONS // AT_ONCE):
                some(client, worker, [FULL] if kept else [])
            wait_until(lambda: client.figures()["sessions"] == 0, "the sessions to be gone")
            if kept:
                wait_until(lambda: not client.ask(wire.SESSIONS).body["sessions"], "the store to forget them")
            memory.append(resident(fleet.broker))
    print([f"{size / 1e6:.2f} MB" for size in memory])
    assert memory[-1] - memory[1] < GROWTH
