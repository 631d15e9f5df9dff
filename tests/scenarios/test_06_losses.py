"""Processes come and go: sessions spread and stay, and what is lost is said to be lost."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import raw
from browser import Visitor
from fleet import BUILD, PROJECT, ROOT, wait_until

from troupe import wire

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]


def pid_of(html):
    """The worker that a page of house.views.Where names."""
    return int(re.search(r"<b>(\d+)</b>", html)[1])


def spread(visitor, count=8):
    """{pid: [pages]} of so many open pages."""
    pages = {}
    for _ in range(count):
        page = visitor.open("/where/")
        pages.setdefault(pid_of(page.html), []).append(page)
    return pages


def close(*groups):
    """Close the sockets of pages."""
    for pages in groups:
        for page in pages:
            page.connection.close()


def test_sessions_spread_over_workers_and_stay(fleet, client):
    sessions = [client.mount("house.views.Where") for _ in range(20)]
    pids = [pid_of(session.html) for session in sessions]
    assert set(pids) == {worker.pid for worker in fleet.workers.values()}
    assert 5 <= pids.count(pids[0]) <= 15
    for _ in range(5):
        for session, pid in zip(sessions, pids, strict=True):
            assert pid_of(session.event("increment").body["html"].decode()) == pid
    for session in sessions:
        session.shutdown()


def test_killed_worker(make_fleet, tmp_path):
    """Pending: UNKNOWN. Sockets: `lost`, at once. Pages: joined anew with their tokens. Others: untouched."""
    fleet = make_fleet(broker=QUICK)
    visitor = Visitor(fleet.port)
    pages = spread(visitor)
    (pid, lost), (_, kept) = pages.items()
    with raw.Client(fleet.front) as client:
        held = next(s for s in iter(lambda: client.mount("house.views.Gated"), None) if owner(client, s, fleet) == pid)
        key = held.post("hold", {"gate": str(tmp_path / "never")})
        wait_until((tmp_path / "never.reached").exists, "the handler to run")
        fleet.expect_log(r"level=WARN .*event=worker_lost", times=1, name="broker")
        fleet.by_pid(pid).signal(signal.SIGKILL)
        answer = client.answer_to(key)
        assert (answer.kind, answer.reason) == (wire.UNKNOWN, "worker_lost")
        refused = client.ask(wire.PING, session=held.id)
        assert (refused.kind, refused.reason) == (wire.NOT_EXECUTED, "unknown_session")
    for page in lost:
        assert page.wait_type("lost")["reason"] == "worker_lost"
    for page in lost:
        joined = page.join()  # on the same socket
        assert joined["t"] == "joined" and joined["fresh"] is True and joined["n"] == 0
        assert "<output>0</output>" in joined["views"][0]["html"]
        assert pid_of(page.shows("increment")) != pid
    for page in kept:
        assert "<output>1</output>" in page.shows("increment")
        assert not page.unasked
    fleet.start_worker("w3")
    new = spread(visitor, 6)
    assert fleet.workers["w3"].pid in new
    close(lost, kept, *new.values())


def owner(client, session, fleet):
    """The pid of the worker that has a session of house.views.Gated, by what the broker counts."""
    where = client.mount("house.views.Where", session=session.id)
    return pid_of(where.html)


def test_killed_worker_comes_back_under_its_name(make_fleet):
    fleet = make_fleet(workers=1, broker=QUICK)
    with Visitor(fleet.port).open("/where/") as page:
        page.shows("increment")
        fleet.workers["w1"].signal(signal.SIGKILL)
        fleet.workers["w1"].wait_exit()
        assert page.wait_type("lost")["reason"] == "worker_lost"
        fleet.start_worker("w1")
        joined = page.join()
        assert joined["fresh"] is True
        assert pid_of(page.shows("increment")) == fleet.workers["w1"].pid
    fleet.expect_log("event=worker_lost", times=1, name="broker")


def test_stopped_worker_finishes_what_it_began(make_fleet, tmp_path):
    fleet = make_fleet(broker=QUICK)
    visitor = Visitor(fleet.port)
    pages = spread(visitor)
    (pid, lost), (_, kept) = pages.items()
    gate = tmp_path / "gate"
    with raw.Client(fleet.front) as client:
        held = next(s for s in iter(lambda: client.mount("house.views.Gated"), None) if owner(client, s, fleet) == pid)
        key = held.post("hold", {"gate": str(gate)})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        leaving = fleet.by_pid(pid)
        leaving.signal(signal.SIGTERM)
        leaving.wait_line("event=leaving")
        gate.touch()
        answer = client.answer_to(key)
        assert answer.kind == wire.DONE and "<output>1</output>" in answer.body["html"].decode()
        assert leaving.wait_exit() == 0
    for page in lost:  # they were handed over
        assert pid_of(page.shows("increment")) != pid
    for page in kept:
        assert "<output>1</output>" in page.shows("increment")
    close(lost, kept)


def test_no_worker_at_all(make_fleet):
    fleet = make_fleet(workers=1, broker=QUICK, env={"SCENARIO_MOUNT_TIMEOUT": "1.5"})
    visitor = Visitor(fleet.port)
    with visitor.open("/where/") as page:
        worker = fleet.workers["w1"]
        worker.signal(signal.SIGTERM)
        assert worker.wait_exit() == 0
        assert page.wait_type("lost")["reason"] == "worker_left"
        fleet.expect_log("event=mount_failed .*kind=no_worker", times=1, name="web")
        reply = visitor.get("/where/")
        assert reply.status == 503 and int(reply.headers["Retry-After"]) >= 1
        assert "temporarily unavailable" in reply.text and "worker" not in reply.text
        fleet.expect_log("event=join_failed kind=no_worker", times=1, name="web")
        refused = page.join()
        assert (refused["t"], refused["reason"]) == ("error", "no_worker")
        assert page.receive() == {"t": "closed", "code": 1013}
        fleet.start_worker("w1")
        assert page.reconnect()["fresh"] is True
        assert visitor.get("/where/").status == 200


def restart_broker(fleet, *dead):
    """Kill the broker, start another, and wait until it has heard of all workers but the dead."""
    starts = {name: len(worker.text()) for name, worker in fleet.workers.items()}
    fleet.broker.signal(signal.SIGKILL)
    fleet.broker.wait_exit()
    for name in dead:
        fleet.workers[name].signal(signal.SIGKILL)
        fleet.workers[name].wait_exit()
    fleet.start_broker()
    for name, worker in fleet.workers.items():
        if name not in dead:
            worker.wait_line("event=registered", starts[name])


def test_restarted_broker(make_fleet):
    """Workers tell the new one what is theirs; pages notice nothing."""
    fleet = make_fleet(broker=QUICK)
    visitor = Visitor(fleet.port)
    pages = [visitor.open("/where/") for _ in range(4)]
    for page in pages:
        page.shows("increment")
    fleet.expect_log("event=broker_restarted .*sessions=", times=2)
    restart_broker(fleet)
    for page in pages:
        assert "<output>2</output>" in page.shows("increment")
        assert not page.unasked
    with raw.Client(fleet.front) as client:
        assert sum(worker["sessions"] for worker in client.figures()["workers"]) == len(pages)
    pages[0].connection.close()  # and hears what becomes of them
    assert pages[0].reconnect()["fresh"] is False
    assert "<output>3</output>" in pages[0].shows("increment")
    close(pages)


def test_what_was_asked_of_a_broker_that_dies(make_fleet, tmp_path):
    """It is asked again, of the next one; the worker has done it once, and says so."""
    fleet = make_fleet(broker=QUICK, workers=1)
    gate = tmp_path / "gate"
    fleet.expect_log("event=broker_restarted", times=1)
    with Visitor(fleet.port).open("/history/") as page:
        begun = page.post("append_then_hold", {"number": 1, "gate": str(gate)})
        behind = page.post("append", {"number": 2})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        restart_broker(fleet)
        gate.touch()
        assert "t" not in page.answer_to(begun)
        assert "t" not in page.answer_to(behind)
        assert re.search("<p>(.*?)</p>", page.root())[1] == "1 2"


def test_idle_page_hears_that_its_worker_died_with_the_broker(make_fleet):
    fleet = make_fleet(workers=2, broker=QUICK)
    with Visitor(fleet.port).open("/where/") as page:
        owner = next(name for name, worker in fleet.workers.items() if worker.pid == pid_of(page.root()))
        fleet.expect_log("event=broker_restarted", times=1)
        restart_broker(fleet, owner)
        assert page.wait_type("lost")["reason"] == "worker_lost"
        assert page.join()["fresh"] is True


def test_broker_restarted_within_a_second(make_fleet):
    """Its epochs must not be those of the one before, or workers would answer for sessions of the old one."""
    fleet = make_fleet(workers=1, broker=QUICK)
    visitor = Visitor(fleet.port)
    pages = [visitor.open("/where/") for _ in range(3)]
    wait_until(lambda: time.time() % 1 < 0.1, "the beginning of a second")
    fleet.expect_log("event=broker_restarted", times=1)
    restart_broker(fleet)
    boots = re.findall(r"event=ready boot=(\d+)", fleet.broker.text())
    assert len(boots) == len(set(boots)) == 2
    for page in reversed(pages):
        assert "<output>1</output>" in page.shows("increment")
    with raw.Client(fleet.front) as client:
        client.mount("house.views.Counter")
    close(pages)


def test_django_before_the_broker(make_fleet):
    fleet = make_fleet(workers=0)
    visitor = Visitor(fleet.port)
    fleet.expect_log("event=mount_failed .*kind=unreachable", name="web")
    reply = visitor.get("/counter/1/")
    assert reply.status == 503 and "Retry-After" in reply.headers
    assert "temporarily unavailable" in reply.text and str(fleet.front) not in reply.text
    assert visitor.get("/plain/").text == "plain"
    worker = fleet.start_worker("w1", wait=False)
    worker.wait_line("event=waiting_for_broker")
    fleet.start_broker()
    worker.wait_line("event=registered")
    wait_until(lambda: visitor.get("/counter/1/").status == 200, "a page, now that there is a broker")
    with visitor.open("/counter/1/") as page:
        assert ">2<" in page.shows("increment")


def test_wrong_broker_address(make_fleet, tmp_path):
    fleet = make_fleet(workers=0, web=False)
    wrong = f"ipc://{tmp_path}/nobody"
    port = fleet.start_web("web", TROUPE_FRONT=wrong)
    fleet.expect_log("event=mount_failed .*kind=unreachable", times=1, name="web")
    assert Visitor(port).get("/counter/1/").status == 503
    checked = fleet.manage("check", TROUPE_FRONT=wrong)
    assert "troupe.W008" in checked.stderr and wrong in checked.stderr
    bad = fleet.manage("check", check=False, TROUPE_FRONT="http://127.0.0.1")
    assert bad.returncode == 1 and "troupe.E004" in bad.stderr


@pytest.mark.parametrize(
    ("side", "address", "words"),
    [
        ("front", "tcp://0.0.0.0:7600", "loopback"),
        ("back", "tcp://192.168.0.1:7600", "loopback"),
        ("front", "http://127.0.0.1", "ipc://"),
        ("front", "", ""),
    ],
)
def test_broker_refuses_bad_addresses(make_fleet, tmp_path, side, address, words):
    other = "back" if side == "front" else "front"
    command = [BUILD / "broker" / "troupe-broker", f"--{side}", address, f"--{other}", f"ipc://{tmp_path}/o"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert words in done.stderr


def test_socket_folder_is_made_private(make_fleet, tmp_path):
    fleet = make_fleet(workers=0, web=False)
    fleet.front, fleet.back = f"ipc://{fleet.sockets}/new/folder/f", f"ipc://{fleet.sockets}/new/folder/b"
    fleet.start_broker()
    for path in ("new", "new/folder"):
        assert os.stat(fleet.sockets / path).st_mode & 0o777 == 0o700
    for path in ("f", "b"):
        assert os.stat(fleet.sockets / "new/folder" / path).st_mode & 0o077 == 0


@pytest.mark.parametrize("trouble", ["file in the way", "open folder", "taken"])
def test_broker_says_why_it_cannot_bind(make_fleet, tmp_path, trouble):
    fleet = make_fleet(workers=0, web=False)
    folder = fleet.sockets / "place"
    front, words = f"ipc://{folder}/f", "Not a directory"
    if trouble == "file in the way":
        folder.write_text("")
    elif trouble == "open folder":
        folder.mkdir()
        folder.chmod(0o755)
        words = "chmod 700"
    else:
        fleet.start_broker()
        front, words = fleet.front, "address="
    command = [BUILD / "broker" / "troupe-broker", "--front", front, "--back", f"ipc://{fleet.sockets}/b"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "event=bind_failed" in done.stderr and words in done.stderr
    assert not os.path.exists(fleet.sockets / "b")
    if trouble == "taken":
        with raw.Client(fleet.front) as client:
            assert client.ask(wire.PING).kind == wire.PONG


def test_worker_without_settings_says_so(make_fleet):
    fleet = make_fleet(workers=0, web=False)
    command = [BUILD / "worker" / "troupe-worker", "--back", fleet.back, "--settings", "scenario.nowhere"]
    command += ["--path", PROJECT, "--path", ROOT / "python", "--python", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=fleet.environment())
    assert done.returncode == 3
    assert "scenario.nowhere" in done.stderr and "event=project_failed" in done.stderr
