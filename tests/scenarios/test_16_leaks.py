"""What comes and goes leaves nothing behind: sessions, memory, threads, files."""

import os
import secrets

import raw
from fleet import wait_until

from troupe import wire

CYCLES = 2_000
GROWTH = 24 << 20  # bytes; generous: an allocator keeps what it once had


def cycles(client, count, window=32):
    """Mount, event, shut down, so many times, a few sessions at once."""
    for _ in range(count // window):
        sessions = [secrets.token_bytes(16) for _ in range(window)]
        body = {"path": "house.views.Counter", "params": {}}
        mounts = [client.post(wire.MOUNT, body, session) for session in sessions]
        opened = [
            raw.Session(client, session, answered(client, key))
            for session, key in zip(sessions, mounts, strict=True)
        ]
        events = [session.post("increment") for session in opened] + [session.post("later") for session in opened]
        endings = [client.post(wire.SHUTDOWN, session=session.id) for session in opened]
        assert all(client.answer_to(key).kind == wire.DONE for key in events)
        assert all(client.answer_to(key).kind == wire.ENDED for key in endings)


def answered(client, key):
    """The MOUNTED to a MOUNT, with something for raw.Session to read."""
    answer = client.answer_to(key)
    answer.body.setdefault("html", b"")
    return answer


def test_mounts_and_shutdowns(make_fleet):
    fleet = make_fleet(workers=2, web=False)
    with raw.Client(fleet.front) as client:
        cycles(client, 512)
        processes = [fleet.broker, *fleet.workers.values()]
        before = [(child.memory(), files(child)) for child in processes]
        cycles(client, CYCLES)
        wait_until(lambda: not any(left(client.figures())), lambda: f"all sessions to be gone, from {client.figures()}")
        for child, (memory, count) in zip(processes, before, strict=True):
            assert child.memory() - memory < GROWTH, f"{child.name} grew by {child.memory() - memory} bytes"
            assert files(child) <= count + 2
            assert child.threads() < 60


def left(figures):
    """The broker's sessions; and what the workers said in their last heartbeats, which is a second old at most."""
    yield figures["sessions"]
    for worker in figures["workers"]:
        yield from (worker["sessions"], worker["views"], worker["queued"], worker["running"])


def files(child):
    """How many files a process has open."""
    return len(os.listdir(f"/proc/{child.pid}/fd"))


def test_pages_that_fail_leave_nothing(make_fleet):
    fleet = make_fleet(workers=1, web=False)
    fleet.expect_reports()
    with raw.Client(fleet.front) as client:
        worker = fleet.workers["w1"]
        for round_number in range(4):
            for path in (
                "house.bad.MountRaises",
                "house.bad.NoTemplate",
                "house.bad.BadInit",
                "house.views.Missing",
                "no.View",
            ):
                for _ in range(50):
                    client.ask(wire.MOUNT, {"path": path, "params": {}, "request": {}}, secrets.token_bytes(16))
            if round_number == 0:
                before = worker.memory()
        wait_until(lambda: client.figures()["sessions"] == 0, "all sessions to be gone")
        assert worker.memory() - before < GROWTH


def test_clients_that_come_and_go(make_fleet):
    fleet = make_fleet(workers=1, web=False, broker=["--client-dead-ms", "1000", "--heartbeat-ms", "100"])
    for _ in range(200):
        with raw.Client(fleet.front) as client:
            assert client.ask(wire.PING).kind == wire.PONG
    with raw.Client(fleet.front) as client:
        wait_until(lambda: client.figures()["clients"] == 1, "clients that are gone to be forgotten")


def test_joined_clients_that_vanish_leave_their_sessions(make_fleet):
    """Their sessions wait for the page's return, and somebody else can end them."""
    fleet = make_fleet(workers=1, web=False, broker=["--client-dead-ms", "500", "--heartbeat-ms", "50"])
    views = [{"view": b"v" * 16, "version": 0, "path": "house.views.Counter", "params": {}}]
    sessions = [secrets.token_bytes(16) for _ in range(20)]
    for session in sessions:
        with raw.Client(fleet.front) as client:
            assert client.ask(wire.JOIN, {"generation": 0, "views": views, "request": {}}, session).kind == wire.JOINED
    with raw.Client(fleet.front) as client:
        wait_until(lambda: client.figures()["clients"] == 1, "clients that are gone to be forgotten")
        assert client.figures()["sessions"] == len(sessions)
        for session in sessions:
            assert client.ask(wire.SHUTDOWN, session=session).kind == wire.ENDED
        wait_until(lambda: client.figures()["sessions"] == 0, "all sessions to be gone")
    fleet.expect_log("event=client_gone", name="broker")


def test_page_that_was_never_joined_is_forgotten(client, waiting_session):
    """After 15 s, which by now have mostly passed."""
    wait_until(
        lambda: client.ask(wire.PING, session=waiting_session).reason == "unknown_session",
        "an unadopted session to expire",
        25,
    )
