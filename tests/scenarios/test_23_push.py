"""A view changes without an event, and its page hears of it: ticks, and what other threads say."""

import itertools
import os
import re
import signal

import pytest
import raw
from browser import Page, Visitor
from fleet import wait_until

from troupe import wire

UNACKED = 8  # pushes that a page may have without a word
QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]


def is_push(frame):
    """Whether a frame is a patch that answers no event."""
    return frame.get("a") == 0 and "s" in frame


def next_push(page):
    """The next push; what came before it was none."""
    frame = page.wait_for(lambda frame: is_push(frame) or frame.get("t") == "failed")
    assert is_push(frame), frame
    return frame


def ack(page, frame):
    """Say that the page shows it."""
    page.send(t="ack", v=page.views[page.numbers.index(frame["v"])], s=frame["s"])


def text_of(frame):
    """What changed, as one text."""
    return " ".join(str(value) for value in frame["d"].values())


def said(folder, word):
    """Somebody says something, whole words only."""
    (folder / "new").write_text(word)
    os.replace(folder / "new", folder / "word")


def told(folder):
    """What request_update() answered last, once the thread is through."""
    path = folder / "word.told"
    return path.read_text() if path.exists() else None


def listening(tmp_path):
    """The address of a Listening view, and the folder that it listens to."""
    (tmp_path / "said").mkdir()
    return f"/listening/?folder={tmp_path / 'said'}", tmp_path / "said"


def restored(fleet, page):
    """Kill the only worker and start another; the page's `joined` on it."""
    fleet.expect_log(r"level=WARN .*event=worker_lost", times=1, name="broker")
    fleet.workers["w1"].signal(signal.SIGKILL)
    fleet.workers["w1"].wait_exit()
    fleet.start_worker("w2")
    page.wait_type("lost")
    joined = page.join()
    while joined["t"] == "error" and joined["reason"] == "no_worker":
        joined = page.reconnect()
    assert joined["restored"] is True
    return joined


@pytest.mark.parametrize("path", ["/ticking/", "/ticking-later/"])
def test_ticks(visitor, path):
    with visitor.open(path) as page:
        shown = 0
        for version in range(2, 2 * UNACKED + 1):
            frame = next_push(page)
            ack(page, frame)
            assert frame["s"] == version
            assert ticks_of(frame) > shown  # not one more each: a page that is slow gets some at once
            shown = ticks_of(frame)


def test_a_page_that_does_not_keep_up(visitor):
    with visitor.open("/ticking/") as page, visitor.open("/ticking/") as other:
        frames = [next_push(page) for _ in range(UNACKED)]
        assert [frame["s"] for frame in frames] == list(range(2, 2 + UNACKED))
        shown = UNACKED
        for event in itertools.count():  # it ticks on; what is asked for is sent, and nothing else
            they_go_on(other, -1, 3)  # and for this page nothing comes, in all that time
            frame = page.event("say", {"word": f"word {event}"})
            shown = max(shown, *(int(value) for value in frame["d"].values() if value.isdigit()), 0)
            if shown >= UNACKED + 5:
                break
        assert not any(map(is_push, page.unasked))
        ack(page, frame)
        late = next_push(page)
        assert late["s"] == frame["s"] + 1
        assert int(text_of(late)) > shown


def test_ticks_take_no_place_from_events(visitor, tmp_path):
    """As many events as a mailbox holds wait behind one that holds, and so does a tick: all are executed, in order."""
    gate = tmp_path / "gate"
    with visitor.open("/ticking/") as page:
        held = page.post("hold", {"gate": str(gate)})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        waiting = [page.post("say", {"word": f"w{number}"}) for number in range(16)]
        gate.touch()
        assert [page.answer_to(number)["a"] for number in [held, *waiting]] == [held, *waiting]
        ack(page, next_push(page))


def test_ticks_go_on_after_a_new_socket(visitor):
    with visitor.open("/ticking/") as page:
        first = next_push(page)
        joined = page.reconnect()
        frame = next_push(page)
        assert frame["s"] == joined["views"][0]["s"] + 1 > first["s"]
        assert int(text_of(frame)) >= 2


def test_an_interval_of_its_own(visitor):
    with visitor.open("/ticking/") as page, visitor.open("/ticking/") as other:
        next_push(page)
        page.event("pace", {"ms": None})
        page.unasked.clear()
        they_go_on(other, -1, 6)
        page.event("say", {"word": "still"})
        assert not any(map(is_push, page.unasked))
        page.event("pace", {"ms": 30})
        next_push(page)


def test_after_a_death_ticks_are_armed_again(make_fleet, tmp_path):
    fleet = make_fleet(workers=1, broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    with Visitor(fleet.port).open("/ticking/") as page:
        for _ in range(5):
            ack(page, next_push(page))
        joined = restored(fleet, page)
        stored = int(re.search(r"<b>(\d+)", joined["views"][0]["html"])[1])
        assert stored >= 5
        they_go_on(page, stored, 3)


def ticks_of(frame):
    """The ticks that a patch shows, be it of the whole root."""
    root = frame["d"].get("0")
    return int(re.search(r"<b>(\d+)", root["h"])[1] if root else text_of(frame))


def they_go_on(page, shown, times):
    """So many pushes show ever more ticks; not one more each, since a page that is slow gets some at once."""
    for _ in range(times):
        frame = next_push(page)
        ack(page, frame)
        assert ticks_of(frame) > shown
        shown = ticks_of(frame)


def go_on(page):
    """Ask for the root, as a page does that finds a gap, and see that ticks follow."""
    page.send(t="refresh", v=page.views[0])
    frame = page.wait_for(lambda frame: "0" in frame.get("d", {}))
    ack(page, frame)
    they_go_on(page, ticks_of(frame), 2 * UNACKED)


def test_a_worker_that_leaves_hands_its_ticks_over(make_fleet):
    """The page notices nothing but that they go on."""
    fleet = make_fleet(workers=1, broker=QUICK)
    with Visitor(fleet.port).open("/ticking/") as page:
        frame = next_push(page)
        fleet.start_worker("w2")
        fleet.workers["w1"].signal(signal.SIGTERM)
        while fleet.workers["w1"].alive:
            frame = next_push(page)
            ack(page, frame)
        they_go_on(page, ticks_of(frame), 2 * UNACKED)
        assert not page.unasked
        page.event("say", {"word": "hello"})
        fleet.broker.signal(signal.SIGKILL)  # the next one hears from the new owner whose page it is
        fleet.broker.wait_exit()
        fleet.start_broker()
        go_on(page)


def test_the_broker_dies(make_fleet):
    """Ticks come to the same socket as before, also if its server connects to the new broker after the worker did."""
    fleet = make_fleet(workers=1, broker=QUICK)
    with Visitor(fleet.port).open("/ticking/") as page:
        ack(page, next_push(page))
        fleet.web.process.send_signal(signal.SIGSTOP)
        fleet.broker.signal(signal.SIGKILL)
        fleet.broker.wait_exit()
        fleet.start_broker()
        fleet.broker.wait_line(r"event=reply_undeliverable .*type=PUSH")
        fleet.web.process.send_signal(signal.SIGCONT)
        go_on(page)
        assert not [frame for frame in page.unasked if frame.get("t")]


def test_a_tick_that_raises(make_fleet):
    """With DEBUG the page is told; the next ticks come all the same, later."""
    fleet = make_fleet(workers=1, env={"SCENARIO_DEBUG": "1"})
    pattern = r"level=ERROR .*event=tick_failed .*view=\"house.pushes.Stumbling\" kind=python failures=1 .*tick 1"
    fleet.expect_log(pattern, name="w1")
    fleet.expect_reports(what="/stumbling/")
    fleet.expect_log(r"event=tick_failed .*frames=\".*pushes.py:\d+ in handle_tick: raise ValueError", name="w1")
    with Visitor(fleet.port).open("/stumbling/") as page:
        failed = page.wait_type("failed")
        assert failed["n"] == 0 and failed["v"] == page.views[0]
        assert failed["error"]["message"] == "Error in house.pushes.Stumbling.handle_tick(): tick 1"
        assert failed["error"]["frames"][-1][2] == "handle_tick"
        assert text_of(next_push(page)) == "1"
        assert "tick 3" in page.wait_type("failed")["error"]["message"]
        assert text_of(next_push(page)) == "2"


def test_a_tick_that_takes_too_long(make_fleet):
    """It meets the soft limit as a handler does, and the next ones come."""
    fleet = make_fleet(workers=1, worker=["--soft-ms", "300"])
    fleet.expect_log(r"event=tick_failed .*handle_tick\(\): it took longer than 0.3 s", times=1, name="w1")
    fleet.expect_reports(1, "HandlerTimeout")
    with Visitor(fleet.port).open("/dawdling/") as page:
        assert text_of(next_push(page)) == "1"
        page.event("say", {"word": "hello"})


def test_a_tick_that_does_not_come_back(make_fleet):
    """It costs its worker, which says whose tick that was."""
    fleet = make_fleet(workers=1, worker=["--soft-ms", "0", "--hard-ms", "300"])
    fleet.expect_log(r"event=stuck .*view=.?house.pushes.Dawdling.? event=.?handle_tick", times=1, name="w1")
    with Visitor(fleet.port).open("/dawdling/") as page:
        page.wait_type("lost")
        fleet.workers["w1"].signalled = True  # its exit code is not that of an orderly end
        assert fleet.workers["w1"].wait_exit() != 0


def test_without_debug_the_person_is_not_bothered(fleet, visitor):
    fleet.expect_log(r"event=tick_failed")
    fleet.expect_reports(what="/stumbling/")
    with visitor.open("/stumbling/") as page:
        assert text_of(next_push(page)) == "1"
        assert not page.unasked


def test_another_thread_says_so(visitor, tmp_path):
    address, folder = listening(tmp_path)
    with visitor.open(address) as page:
        wait_until((folder / "word.reached").exists, "the thread to listen")
        said(folder, "hello")
        frame = next_push(page)
        assert text_of(frame) == "hello" and frame["s"] == 2
        wait_until(lambda: told(folder) == "True", "the thread to be told")
        page.event("from_a_task")
        wait_until(lambda: "a task" in page.root(), "the task's word to be shown")
        assert sum(map(is_push, page.unasked)) <= 1  # a hundred calls, and one of the task


def test_what_was_said_before_the_page_joined(visitor, tmp_path):
    address, folder = listening(tmp_path)
    reply = visitor.get(address)
    wait_until((folder / "word.reached").exists, "the thread to listen")
    said(folder, "early")
    wait_until(lambda: told(folder), "the thread to be told")
    with Page(visitor, reply.roots.tokens) as page:
        assert page.join()["t"] == "joined" and not page.unasked
        assert text_of(next_push(page)) == "early"


def test_a_subscription_is_made_again(make_fleet, tmp_path):
    """restore() is where the threads of a view begin anew, on another worker."""
    fleet = make_fleet(workers=1, broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    address, folder = listening(tmp_path)
    with Visitor(fleet.port).open(address) as page:
        wait_until((folder / "word.reached").exists, "the thread to listen")
        (folder / "word.reached").unlink()
        restored(fleet, page)
        wait_until((folder / "word.reached").exists, "the new thread to listen")
        said(folder, "again")
        assert text_of(next_push(page)) == "again"


def test_a_view_that_is_gone_is_told_nothing(client, tmp_path):
    _, folder = listening(tmp_path)
    request = {"method": "GET", "path": "/listening/", "query": f"folder={folder}"}
    session = client.mount("house.pushes.Listening", request=request)
    wait_until((folder / "word.reached").exists, "the thread to listen")
    session.shutdown()
    wait_until(lambda: client.ask(wire.PING, session=session.id).reason == "unknown_session", "the session to be gone")
    said(folder, "too late")
    wait_until(lambda: told(folder) == "False", "the thread to be told")
    assert not client.unasked


def test_acks_of_nobody_do_no_harm(visitor, fleet):
    with visitor.open("/ticking/") as page, raw.Client(fleet.front) as other:
        page.send(t="ack", v="0" * 32, s=5)
        page.send(t="ack", v=page.views[0], s=2**53 - 1)
        other.post(wire.ACK, {"view": b"x"}, b"s" * 16)
        for _ in range(UNACKED):
            next_push(page)
        page.event("say", {"word": "hello"})
