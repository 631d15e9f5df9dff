"""What a user has seen outlives a worker, the broker, and both: state, numbers, and the answers to repeats."""

import re
import signal

import pytest
import raw
from browser import Visitor
from fleet import wait_until

from troupe import wire

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]
LOST = r"level=WARN .*event=worker_lost"


@pytest.fixture
def kept_fleet(make_fleet, tmp_path):
    """A fleet whose broker has a store."""
    return lambda **options: make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")], **options)


def numbers(html):
    """What a page of History shows."""
    return re.search(r"<p>(.*?)</p>", html)[1].split()


def history(page):
    """What the page would show after a refresh."""
    return numbers(page.root())


def rejoin(page, again=False):
    """Join as a browser does: anew, while the fleet is not ready. `again`: on a new socket."""
    joined = page.reconnect() if again else page.join()
    while joined["t"] == "error" and joined["reason"] == "no_worker":
        joined = page.reconnect()
    assert joined["t"] == "joined", joined
    return joined


def kill(fleet, *names):
    """End workers as a machine would that runs out of memory, and wait until the broker knows."""
    for name in names:
        fleet.workers[name].signal(signal.SIGKILL)
        fleet.workers[name].wait_exit()


def test_a_killed_worker_loses_nothing_that_was_seen(kept_fleet):
    fleet = kept_fleet()
    pages = [Visitor(fleet.port).open("/history/") for _ in range(6)]
    for number in range(3):
        for page in pages:
            page.event("append", {"number": number})
    fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
    kill(fleet, "w1")
    wait_until(lambda: "event=worker_lost" in fleet.broker.text(), "the broker to notice")
    restored = 0
    for page in pages:
        joined = rejoin(page, again=True)
        restored += joined.get("restored", False)
        assert joined["fresh"] is False
        page.event("append", {"number": 3})
        assert history(page) == ["0", "1", "2", "3"]
        page.connection.close()
    assert 0 < restored < 6  # some were on the worker that lives


def test_killed_in_the_middle(kept_fleet, tmp_path):
    """What was begun is UNKNOWN and is not run again; retry_safe is; what the page had not sent comes after it."""
    fleet = kept_fleet(workers=1)
    gate = str(tmp_path / "gate")
    with Visitor(fleet.port).open("/history/") as page:
        page.event("append", {"number": 1})
        begun = page.post("append_then_hold", {"number": 2, "gate": gate})
        behind = page.post("append", {"number": 3})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        fleet.start_worker("w2")
        assert page.wait_type("lost")["reason"] == "worker_lost"
        joined = rejoin(page)
        assert joined["restored"] is True and joined["n"] == 1 and joined["fresh"] is False
        assert numbers(joined["views"][0]["html"]) == ["1"]
        for number, name, params in (
            (begun, "append_then_hold", {"number": 2, "gate": gate}),
            (behind, "append", {"number": 3}),
        ):
            page.send(t="event", n=number, v=page.views[0], e=name, p=params, r=True)
            answer = page.answer_to(number)
            assert (answer["t"], answer["reason"]) == ("unknown", "worker_lost")
        page.number = behind
        page.event("append", {"number": 4})
        assert history(page) == ["1", "4"]


def test_a_handler_that_may_run_twice_does(kept_fleet, tmp_path):
    fleet = kept_fleet(workers=1)
    gate = tmp_path / "gate"
    with Visitor(fleet.port).open("/history/") as page:
        asked = {"number": 1, "gate": str(gate)}
        number = page.post("append_safely", asked)
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        gate.touch()
        fleet.start_worker("w2")
        page.wait_type("lost")
        assert rejoin(page)["restored"] is True
        page.send(t="event", n=number, v=page.views[0], e="append_safely", p=asked, r=True)
        assert "d" in page.answer_to(number)
        assert history(page) == ["1"]


def test_repeats_are_answered_after_a_death(kept_fleet):
    """An answer that a page did not hear belongs to the snapshot, that of a handler which raised too."""
    fleet = kept_fleet(workers=1)
    fleet.expect_log("after 2", name="web")
    with Visitor(fleet.port).open("/history/") as page:
        first = page.event("append", {"number": 1})
        second = page.event("append_and_raise", {"number": 2})
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        fleet.start_worker("w2")
        page.wait_type("lost")
        assert rejoin(page)["n"] == 2
        page.send(t="event", n=1, v=page.views[0], e="append", p={"number": 1})
        assert page.answer_to(1) == first
        page.send(t="event", n=2, v=page.views[0], e="append_and_raise", p={"number": 2})
        assert page.answer_to(2)["error"]["message"] == second["error"]["message"]
        assert history(page) == ["1", "2"]


@pytest.mark.parametrize("workers_too", [False, True], ids=["broker", "broker and workers"])
def test_the_broker_dies(kept_fleet, workers_too):
    fleet = kept_fleet()
    pages = [Visitor(fleet.port).open("/history/") for _ in range(4)]
    for number in range(3):
        for page in pages:
            page.event("append", {"number": number})
    if not workers_too:
        fleet.expect_log("event=broker_restarted", times=2)
    fleet.expect_log(LOST, name="broker")
    fleet.broker.signal(signal.SIGKILL)
    fleet.broker.wait_exit()
    if workers_too:
        kill(fleet, "w1", "w2")
    fleet.start_broker()
    if workers_too:
        fleet.start_worker("w3")
    else:
        boot = re.findall(r"event=ready boot=(\d+)", fleet.broker.text())[-1]
        for worker in fleet.workers.values():
            worker.wait_line(rf"event=registered .*boot={boot}\b")
    for page in pages:
        joined = rejoin(page, again=True)
        assert joined.get("restored", False) is workers_too and joined["n"] == 3 and joined["fresh"] is False
        page.event("append", {"number": 3})
        assert history(page) == ["0", "1", "2", "3"]
    kill(fleet, *(["w3"] if workers_too else ["w1", "w2"]))  # what was done since is in the store, too
    fleet.start_worker("w4")
    for page in pages:
        assert rejoin(page, again=True)["restored"] is True
        page.event("append", {"number": 4})
        assert history(page) == ["0", "1", "2", "3", "4"]
        page.connection.close()


def test_every_kind_of_value_comes_back(kept_fleet):
    fleet = kept_fleet(workers=1)
    visitor = Visitor(fleet.port)
    visitor.get("/login/ann/")
    with visitor.open("/everything/") as page:
        assert "all the same for ann" in page.shows("look")
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        fleet.start_worker("w2")
        page.wait_type("lost")
        assert rejoin(page)["restored"] is True
        assert "all the same for ann" in page.shows("look")


def test_what_cannot_be_kept_is_named(kept_fleet):
    fleet = kept_fleet(workers=1)
    visitor = Visitor(fleet.port)
    fleet.expect_log(r"level=WARN .*event=snapshot_failed .*lock: a lock cannot be serialized", name="w1")
    with visitor.open("/locked/") as locked, visitor.open("/rebuilt/") as rebuilt:
        for page in (locked, rebuilt):
            page.event("increment")
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        fleet.start_worker("w2")
        for page in (locked, rebuilt):
            page.wait_type("lost")
        assert rejoin(locked)["fresh"] is True
        assert rejoin(rebuilt)["restored"] is True
        assert ">1</div>" in locked.shows("increment")
        assert ">102</div>" in rebuilt.shows("increment")


def test_a_program_goes_on(kept_fleet):
    """A session without a page: its next request brings it back; what was under way is UNKNOWN, and its number used."""
    fleet = kept_fleet(workers=1)
    with raw.Client(fleet.front) as client:
        session = client.mount("house.kept.History")
        for number in range(3):
            session.event("append", {"number": number})
        fleet.expect_log(LOST + ' worker="w1"', times=1, name="broker")
        kill(fleet, "w1")
        fleet.start_worker("w2")
        wait_until(lambda: "event=worker_lost" in fleet.broker.text(), "the broker to notice")
        session.epoch = 0
        answer = session.event("append", {"number": 3})
        while answer.reason == "no_worker":
            answer = session.event("append", {"number": 3}, number=4)
        assert numbers(answer.body["html"].decode()) == ["0", "1", "2", "3"]


def test_sessions_that_end_leave_nothing(kept_fleet):
    fleet = kept_fleet(workers=1)
    with raw.Client(fleet.front) as client:
        session = client.mount("house.kept.History")
        session.event("append", {"number": 1})
        session.shutdown()
        refused = client.ask(wire.EVENT, {"view": bytes(16), "name": "x", "params": {}}, session=session.id, sequence=2)
        assert refused.reason == "unknown_session"
