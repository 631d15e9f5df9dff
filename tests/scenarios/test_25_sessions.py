"""`troupe sessions` and `troupe evict`: what the broker knows of its sessions, and the end of one of them."""

import json
import subprocess

import pytest
import raw
from browser import Visitor
from fleet import wait_until
from supervised import TROUPE, Supervised

from troupe import wire


@pytest.fixture
def supervised(tmp_path, database):
    """A supervised fleet with one worker, and a web server in front of it."""
    with Supervised(tmp_path / "up", database, workers=1) as process:
        process.fleet.port = process.fleet.wait_web(process.fleet.start_web("web", wait=False))
        yield process


def listed(process, *options):
    """What `troupe sessions --json` says."""
    return json.loads(process.run("sessions", "--json", *options)[0])["sessions"]


def shown(html):
    """What a page of History shows."""
    return html.partition("<p>")[2].partition("</p>")[0]


def test_pages_and_what_is_said_of_them(supervised):
    assert listed(supervised) == []
    assert supervised.run("sessions")[0] == "0 sessions\n"
    with Visitor(supervised.fleet.port).open("/history/") as page, raw.Client(supervised.fleet.front) as client:
        page.event("append", {"number": 1})
        held = client.mount("house.views.Counter")
        found = {row["session"]: row for row in listed(supervised)}
        mine = found.pop(held.id.hex())
        ((name, other),) = found.items()
        assert mine["state"] == other["state"] == "active"
        assert (mine["attached"], other["attached"]) == (False, True)
        assert mine["worker"] == other["worker"] == "worker-1.1"
        assert mine["epoch"] == held.epoch and other["bytes"] > 0 and other["pending"] == 0
        table = supervised.run("sessions")[0].splitlines()
        assert table[0].split() == ["SESSION", "STATE", "WORKER", "PAGE", "PENDING", "KEPT"]
        assert table[-1] == "2 sessions" and len(table) == 4
        assert [row["session"] for row in listed(supervised, name[:9])] == [name]
        assert len(listed(supervised, "--worker", "worker-1")) == 2
        assert listed(supervised, "--worker", "worker-2") == []
        held.shutdown()


def test_more_than_a_page(supervised):
    with raw.Client(supervised.fleet.front) as client:
        for n in range(1, 301):
            client.mount("house.views.Counter", session=bytes([n % 256, n >> 8]) * 8)
        names = [row["session"] for row in listed(supervised)]
        assert len(names) == 300 and names == sorted(set(names))
        assert len(listed(supervised, "01")) == 2
        _, output = supervised.run("evict", "01", code=1)
        assert "several" in output and len(listed(supervised, "01")) == 2


def test_a_page_that_is_evicted_begins_afresh(supervised):
    with (
        Visitor(supervised.fleet.port).open("/history/") as page,
        Visitor(supervised.fleet.port).open("/history/") as other,
    ):
        for visited in (page, other):
            visited.event("append", {"number": 1})
        name = listed(supervised)[0]["session"]
        out, _ = supervised.run("evict", name[:12])
        assert out == f"evicted {name}: a page that shows it joins again and starts afresh\n"
        assert len(listed(supervised)) == 1
        evicted, stays = (page, other) if told(page) else (other, page)
        joined = evicted.join()
        assert joined["fresh"] is True and shown(evicted.root()) == ""
        evicted.event("append", {"number": 7})
        assert shown(evicted.root()) == "7"
        assert shown(stays.root()) == "1"
        wait_until(lambda: supervised.rows()[0].get("sessions") == 2, "the worker to have no more than these")


def told(page):
    """Whether this page was told that its session is lost; it takes it out of what came."""
    page.send(t="ping")
    frames = []
    while not frames or frames[-1]["t"] != "pong":
        frames.append(page.receive())
    lost = [frame for frame in frames if frame["t"] == "lost"]
    assert all(frame["reason"] == "evicted" for frame in lost)
    return bool(lost)


def test_what_is_in_the_middle_of_an_event(supervised, tmp_path):
    gate = tmp_path / "gate"
    with raw.Client(supervised.fleet.front) as client:
        held = client.mount("house.views.Gated")
        key = held.post("hold", {"gate": str(gate)})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        assert listed(supervised)[0]["pending"] == 1
        supervised.run("evict", held.id.hex())  # does not wait for the handler
        answer = client.answer_to(key)
        assert answer.kind == wire.UNKNOWN and not gate.exists()
        assert client.ask(wire.PING, session=held.id).reason == "unknown_session"
        gate.touch()
        wait_until(lambda: supervised.rows()[0].get("sessions") == 0, "the worker to let it go")


def test_what_only_the_store_has(supervised):
    page = Visitor(supervised.fleet.port).open("/history/")
    page.event("append", {"number": 1})
    page.connection.close()
    supervised.run("stop")
    supervised.up.wait_exit()
    supervised.start(*supervised.options)
    (row,) = listed(supervised)
    assert row["state"] == "stored" and "worker" not in row and row["bytes"] > 0
    supervised.run("evict", row["session"].upper())
    assert listed(supervised) == []
    joined = page.reconnect()
    assert joined["fresh"] is True and shown(page.root()) == ""
    page.connection.close()


def test_what_is_refused(supervised, tmp_path):
    for words, code, expected in (
        (["evict", "abc"], 1, "no session id starts with abc"),
        (["evict", "xyz"], 2, "not a session id"),
        (["evict", "0" * 33], 2, "not a session id"),
        (["sessions", "xyz"], 2, "not a session id"),
        (["sessions", "--front", "tcp://10.0.0.1:1"], 1, "on the broker's machine"),
        (["sessions", "--front", "nowhere"], 1, "is not an address"),
    ):
        assert expected in supervised.run(*words, code=code)[1]
    nobody = [TROUPE, "sessions", "--state", tmp_path]
    done = subprocess.run(nobody, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "no broker answers" in done.stderr


def test_by_manage_py(supervised):
    assert supervised.fleet.manage("troupe", "sessions").stdout == "0 sessions\n"
