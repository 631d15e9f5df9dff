"""A worker that leaves hands its sessions to others, between two turns: no page has to join again."""

import re
import signal
import threading

import pytest
from browser import Page, Visitor
from fleet import wait_until
from supervised import Supervised
from test_18_survival import history

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "2000"]


def leave(fleet, name):
    """Ask a worker to end, as systemd or an operator does, and wait until it has."""
    fleet.workers[name].signal(signal.SIGTERM)
    assert fleet.workers[name].wait_exit() == 0


@pytest.mark.parametrize("kept", [False, True], ids=["no store", "store"])
def test_pages_notice_nothing(make_fleet, tmp_path, kept):
    fleet = make_fleet(broker=[*QUICK, *(["--keep", str(tmp_path / "sessions")] if kept else [])], workers=1)
    pages = [Visitor(fleet.port).open("/history/") for _ in range(20)]
    for page in pages:
        page.event("append", {"number": 1})
    fleet.start_worker("w2")
    leave(fleet, "w1")
    for number in (2, 3):
        for page in pages:
            assert page.event("append", {"number": number}).get("t") is None, "an event that failed"
    for page in pages:
        assert history(page) == ["1", "2", "3"]
        page.reconnect()  # and it can still come back by itself
        assert page.event("append", {"number": 4}).get("t") is None
        page.connection.close()


def test_what_came_first_is_done_first(make_fleet, tmp_path):
    """An event that runs while its worker leaves is finished there; what waits behind it goes along, in order."""
    fleet = make_fleet(broker=QUICK, workers=1)
    gate = tmp_path / "gate"
    with Visitor(fleet.port).open("/history/") as page:
        page.post("append_then_hold", {"number": 1, "gate": str(gate)})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        page.post("append", {"number": 2})
        fleet.start_worker("w2")
        fleet.workers["w1"].signal(signal.SIGTERM)
        fleet.broker.wait_line("event=worker_draining")
        page.post("append", {"number": 3})
        gate.touch()
        for _ in range(3):
            frame = page.receive()
            assert "t" not in frame, frame
        assert fleet.workers["w1"].wait_exit() == 0
        assert history(page) == ["1", "2", "3"]


@pytest.mark.parametrize("said", ["broken", "closed"])
def test_a_page_whose_permission_cannot_be_asked(make_fleet, tmp_path, said):
    """It is told, and joins by itself: no event runs before it was admitted again, and its state is still there."""
    fleet = make_fleet(broker=QUICK, workers=1)
    guard = tmp_path / "guard"
    guard.write_text("open")
    page = Visitor(fleet.port).open(f"/guarded/?guard={guard}")
    assert ">1<" in page.shows("increment")
    fleet.start_worker("w2")
    guard.write_text(said)
    leave(fleet, "w1")
    assert page.receive() == {"t": "lost", "reason": "unknown_session"}
    assert page.event("increment")["reason"] == "unknown_session"
    if said == "closed":
        assert page.join() == {"t": "reload", "reason": "forbidden"}
        return
    fleet.expect_reports(2, "nobody can say")
    assert page.join()["views"][0]["error"]["kind"] == "python"
    assert page.event("increment")["error"]["kind"] == "view_not_found"
    assert page.receive() == {"t": "lost", "reason": "view_not_found"}
    guard.write_text("open")
    joined = page.join()
    assert joined["fresh"] is False and "error" not in joined["views"][0]
    assert ">2<" in page.shows("increment")


def test_pages_that_nobody_joined_yet_and_those_that_are_away(make_fleet):
    fleet = make_fleet(broker=QUICK, workers=1)
    away = Visitor(fleet.port).open("/history/")
    away.event("append", {"number": 1})
    away.connection.close()
    visitor = Visitor(fleet.port)
    reply = visitor.get("/history/")
    fleet.start_worker("w2")
    leave(fleet, "w1")
    joined = away.reconnect()
    assert (joined["fresh"], joined.get("restored")) == (False, None)
    assert history(away) == ["1"]
    page = Page(visitor, reply.roots.tokens)
    joined = page.join()
    assert joined["fresh"] is False
    page.event("append", {"number": 1})
    assert history(page) == ["1"]


def test_what_cannot_be_kept_begins_anew(make_fleet):
    """And says so, to the page and in the log."""
    fleet = make_fleet(broker=QUICK, workers=1)
    with Visitor(fleet.port).open("/locked/") as page:
        fleet.start_worker("w2")
        fleet.expect_log(r"level=WARN .*event=snapshot_failed", times=1)
        leave(fleet, "w1")
        assert page.wait_for(lambda frame: frame.get("t") == "lost")["reason"] == "worker_left"
        assert page.join()["fresh"] is True


def test_reload_under_load(tmp_path, database):
    """Events are asked for, page after page, while all workers are replaced: each is done, and once."""
    with Supervised(tmp_path / "up", database) as process:
        port = process.fleet.start_web("web")
        pages = [Visitor(port).open("/history/") for _ in range(10)]
        ends = threading.Event()
        asked, failed = [0] * len(pages), []

        def ask(index):
            while not ends.wait(0.02):  # less than a page may
                asked[index] += 1
                frame = pages[index].event("append", {"number": asked[index]})
                if "t" in frame:
                    failed.append(frame)

        threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(pages))]
        for thread in threads:
            thread.start()
        try:
            process.run("reload")
        finally:
            ends.set()
            for thread in threads:
                thread.join()
        assert failed == []
        for index, page in enumerate(pages):
            assert history(page) == [str(number + 1) for number in range(asked[index])]
            assert not re.search("lost", str(page.unasked))
            page.connection.close()


def test_drain(tmp_path, database):
    """`troupe drain` replaces one worker, and its pages notice nothing."""
    with Supervised(tmp_path / "up", database) as process:
        port = process.fleet.start_web("web")
        pages = [Visitor(port).open("/history/") for _ in range(6)]
        before = {row["name"]: row["pid"] for row in process.rows()}
        out, _ = process.run("drain", "worker-1")
        assert out.endswith("worker-1 handed over its sessions and was replaced\n")
        after = {row["name"]: row["pid"] for row in process.rows()}
        assert after["worker-1"] != before["worker-1"] and after["worker-2"] == before["worker-2"]
        for page in pages:
            assert "t" not in page.event("append", {"number": 1})
            assert history(page) == ["1"] and not page.unasked
            page.connection.close()
        _, output = process.run("drain", "7", code=1)
        assert "this worker is not ready" in output
