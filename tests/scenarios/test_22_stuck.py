"""Handlers that never return, or crash their process: what their user is told, and what other users notice."""

import contextlib
import re
import shutil
import signal
from pathlib import Path

import pytest
import raw
from browser import Page, Visitor
from fleet import PROJECT, wait_until
from supervised import Supervised, kill

from troupe import wire

SOFT = ("--soft-ms", "300", "--hard-ms", "60000")
HARD = ("--soft-ms", "300", "--hard-ms", "1000")
AWAIT = ("--await-s", "1")
QUARANTINED = r'level=ERROR .*event=quarantined session=\w+ view="{}" event="{}"'


@pytest.fixture
def soft_fleet(make_fleet):
    """One worker with a soft limit of 300 ms, which handlers meet, and a hard one, which they don't."""
    fleet = make_fleet(workers=1, worker=SOFT)
    fleet.expect_reports(what="HandlerTimeout")
    return fleet


@pytest.fixture
def supervised(tmp_path, database):
    """A function that starts a supervised fleet of this test's own, with a web server; all are stopped and checked."""
    started = []

    def make(*options, **more):
        process = Supervised(tmp_path / f"up{len(started)}", database, *options, **more)
        started.append(process)
        process.__enter__()
        process.fleet.port = process.fleet.wait_web(process.fleet.start_web("web", wait=False))
        return process

    yield make
    for running in reversed(started):
        running.__exit__(None, None, None)


def rejoin(page):
    """Join until there is a worker for it; the frame that answers."""
    joined = page.join()
    while joined["t"] == "error" and joined["reason"] == "no_worker":
        joined = page.reconnect()
    return joined


def last_words(process):
    """How the workers ended, as `troupe status` says it."""
    return " | ".join(row["last"] for row in process.rows())


# The soft limit.


@pytest.mark.parametrize("handler", ["loops", "computes_in_steps"])
def test_a_handler_that_takes_too_long(soft_fleet, handler):
    """It gets an exception that `except Exception` does not catch; the view lives on, and so do the others."""
    soft_fleet.expect_log(f"event=failed view=house.stuck.Stuck name={handler} .*HandlerTimeout", times=1, name="web")
    with Visitor(soft_fleet.port).open("/stuck/") as page, Visitor(soft_fleet.port).open("/stuck/") as other:
        number = page.post(handler)
        assert ">1<" in other.shows("increment")
        failed = page.answer_to(number)
        assert (failed["t"], failed["error"]["kind"]) == ("failed", "python")
        assert ">2<" in page.shows("increment")  # what the handler had changed is kept


def test_the_error_names_the_event(soft_fleet):
    with raw.Client(soft_fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        for handler, deepest in (("loops", "loops"), ("computes_in_steps", "__sleep0")):
            failed = session.event(handler)
            assert failed.kind == wire.FAILED
            assert failed.body["message"] == f"Error in house.stuck.Stuck.{handler}(): it took longer than 0.3 s"
            assert failed.body["type"] == "HandlerTimeout"
            functions = [frame[2] for frame in failed.body["frames"]]
            assert handler in functions and functions[-1] == deepest
        assert session.event("increment").kind == wire.DONE


def test_what_it_had_to_clean_up_is_cleaned_up(soft_fleet, tmp_path):
    with raw.Client(soft_fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        assert session.event("cleans_up", {"path": str(tmp_path / "cleaned")}).kind == wire.FAILED
        assert (tmp_path / "cleaned").exists()


def test_a_template_that_takes_too_long(soft_fleet):
    with raw.Client(soft_fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        failed = session.event("renders_for_ever")
        assert (failed.kind, failed.body["type"]) == (wire.FAILED, "HandlerTimeout")
        assert "<output>1</output></p>" in session.event("renders_again").body["html"].decode()
        assert "<output>2</output></p>" in session.event("increment").body["html"].decode()


def test_the_next_turn_is_spared(soft_fleet):
    """A handler that comes back late, out of C, gets it; one that came back before the limit never does."""
    with raw.Client(soft_fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        for _ in range(3):
            assert session.event("sleeps", {"seconds": 0.6}).body["type"] == "HandlerTimeout"
            assert session.event("sleeps", {"seconds": 0.2}).kind == wire.DONE
            assert session.event("increment").kind == wire.DONE


def test_all_stacks_on_demand(make_fleet):
    fleet = make_fleet(workers=1, worker=SOFT)
    worker = fleet.workers["w1"]
    worker.process.send_signal(signal.SIGUSR2)
    worker.wait_line(r"Thread 0x[0-9a-f]+ .most recent call first")
    with Visitor(fleet.port).open("/stuck/") as page:
        assert ">1<" in page.shows("increment")


# What awaits.


def test_a_handler_may_take_as_long_as_it_awaits(make_fleet, tmp_path):
    """Longer than the hard limit: its page and what waits behind it get their answers, and others do not wait."""
    fleet = make_fleet(workers=1, worker=HARD)
    gate = str(tmp_path / "gate")
    visitor = Visitor(fleet.port)
    with raw.Client(fleet.front) as client, visitor.open("/stuck/") as page, visitor.open("/stuck/") as other:
        number = page.post("awaits_gate", {"gate": gate})
        session = client.mount("house.stuck.Stuck")
        keys = [session.post("awaits_gate", {"gate": gate}), session.post("increment")]
        for count in (5, 20):  # at least 2.5 s in all
            client.wait_working(keys[0], count)
            assert "output" in other.shows("increment")
        assert client.working.count(keys[1]) >= 19
        assert not page.unasked
        Path(gate).touch()
        answers = [client.answer_to(key) for key in keys]
        assert [answer.kind for answer in answers] == [wire.DONE, wire.DONE]
        assert "<output>2</output>" in answers[1].body["html"].decode()
        assert page.answer_to(number).get("t") is None  # a patch
        assert ">2<" in page.shows("increment")


def test_what_awaits_for_too_long(make_fleet):
    fleet = make_fleet(workers=1, worker=(*HARD, *AWAIT))
    fleet.expect_reports(what="HandlerTimeout")
    with raw.Client(fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        failed = session.event("awaits")
        assert (failed.kind, failed.body["type"]) == (wire.FAILED, "HandlerTimeout")
        assert failed.body["message"] == "Error in house.stuck.Stuck.awaits(): it took longer than 1 s"
        assert session.event("increment").kind == wire.DONE


def test_only_who_blocks_the_loop_is_to_blame(supervised, tmp_path):
    """Twice within a minute, which holds the session; the one that awaited beside it is not held."""
    process = supervised(*HARD, workers=1)
    process.fleet.expect_log(
        'event=stuck .*event="blocks_the_loop" .*hint="the event loop is blocked', times=2, name="up"
    )
    process.fleet.expect_log(QUARANTINED.format("house.stuck.Stuck", "blocks_the_loop"), times=1, name="up")
    process.fleet.expect_log("event=join_failed")
    visitor = Visitor(process.fleet.port)
    with visitor.open("/stuck/") as page, visitor.open("/stuck/") as other:
        for death in range(2):
            client_number = other.post("awaits_gate", {"gate": str(tmp_path / "gate")})
            number = page.post("blocks_the_loop")
            assert page.wait_type("lost")["reason"] == ("worker_lost", "quarantined")[death]
            assert other.wait_type("lost")["reason"] == "worker_lost"
            assert rejoin(other)["restored"] is True
            other.send(t="event", n=client_number, v=other.views[0], e="awaits_gate", p={"gate": ""}, r=True)
            assert other.answer_to(client_number)["t"] == "unknown"
            other.number = client_number
            if death == 0:
                assert rejoin(page)["restored"] is True
                page.send(t="event", n=number, v=page.views[0], e="blocks_the_loop", p={}, r=True)
                assert page.answer_to(number)["t"] == "unknown"
                page.number = number
        assert ">1<" in other.shows("increment")


# The hard limit.

HINTS = {
    "will_not_be_cancelled": "it was cancelled, and goes on",
    "blocks_the_loop": "the event loop is blocked",
}


@pytest.mark.parametrize("handler", ["sleeps", "burns", "swallows", "will_not_be_cancelled", "blocks_the_loop"])
def test_a_handler_that_does_not_come_back(supervised, handler):
    """It costs its worker, which names it; whoever else was there goes on elsewhere with what they had."""
    process = supervised(*HARD, *AWAIT, workers=1)
    hint = HINTS.get(handler, "the stacks of all threads follow")
    line = rf'level=ERROR .*event=stuck .*view="house.stuck.Stuck" event="{handler}" .*hint="{hint}'
    process.fleet.expect_log(line, times=1, name="up")
    with Visitor(process.fleet.port).open("/stuck/") as page, Visitor(process.fleet.port).open("/history/") as other:
        other.event("append", {"number": 1})
        number = page.post(handler, {"seconds": 1000} if handler == "sleeps" else {})
        assert page.wait_type("lost")["reason"] == "worker_lost"
        assert other.wait_type("lost")["reason"] == "worker_lost"
        assert rejoin(other)["restored"] is True
        other.event("append", {"number": 2})
        assert "<p>1 2</p>" in other.root()
        assert rejoin(page)["restored"] is True
        page.send(t="event", n=number, v=page.views[0], e=handler, p={"seconds": 0}, r=True)
        answer = page.answer_to(number)
        assert (answer["t"], answer["reason"]) == ("unknown", "worker_lost")
        page.number = number
        assert ">1<" in page.shows("increment")
    assert f"exit code 5: stuck while house.stuck.Stuck.{handler} ran" in last_words(process)
    assert re.search(r"most recent call first", process.up.text())


def test_the_others_are_handed_over(supervised):
    """Where the interpreter is free, the pages beside a stuck handler do not even notice."""
    process = supervised(*HARD, workers=2)
    process.fleet.expect_log("event=stuck", times=1, name="up")
    with contextlib.ExitStack() as stack:
        page, *others = [stack.enter_context(Visitor(process.fleet.port).open("/stuck/")) for _ in range(5)]
        for other in others:
            assert ">1<" in other.shows("increment")
        page.post("sleeps", {"seconds": 1000})
        assert page.wait_type("lost")["reason"] == "worker_lost"
        for other in others:
            assert ">2<" in other.shows("increment")
            assert not other.unasked


def test_a_worker_by_hand_says_goodbye(make_fleet):
    fleet = make_fleet(workers=1, worker=HARD)
    fleet.expect_log("event=stuck", times=1, name="w1")
    with Visitor(fleet.port).open("/stuck/") as page:
        page.post("burns")
        assert page.wait_type("lost")["reason"] == "worker_left"
    assert fleet.workers["w1"].wait_exit() == 5
    fleet.workers["w1"].signalled = True  # 5 is what it has to exit with
    wait_until(lambda: re.search(r"event=worker_left .*reason=.?stuck", fleet.broker.text()), "the broker to be told")


# Deaths.


@pytest.mark.parametrize("handler", ["crashes", "exits", "aborts"])
def test_two_deaths_within_a_minute(supervised, handler):
    """The session is held, by name; the others live on, and so does a page that is opened anew."""
    process = supervised(workers=1)
    process.fleet.expect_log(QUARANTINED.format("house.stuck.Stuck", handler), times=1, name="up")
    process.fleet.expect_log("Fatal Python error|event=join_failed|event=was_running")
    visitor = Visitor(process.fleet.port)
    with visitor.open("/stuck/") as page, visitor.open("/history/") as other:
        other.event("append", {"number": 1})
        page.post(handler)
        assert page.wait_type("lost")["reason"] == "worker_lost"
        assert rejoin(page)["restored"] is True
        page.send(t="event", n=1, v=page.views[0], e=handler, p={}, r=True)
        assert page.answer_to(1)["t"] == "unknown"
        page.number = 1
        page.post(handler)
        assert page.wait_type("lost")["reason"] == "quarantined"
        joined = page.join()
        assert (joined["t"], joined["reason"]) == ("error", "quarantined")
        assert page.wait_type("failed")["error"]["kind"] == "quarantined"  # which a page shows
        assert page.receive() == {"t": "closed", "code": 1013}
        assert page.reconnect()["reason"] == "quarantined"  # however often it asks
        other.wait_type("lost")
        assert rejoin(other)["restored"] is True
        other.event("append", {"number": 2})
        assert "<p>1 2</p>" in other.root()
        with visitor.open("/stuck/") as anew:
            assert ">1<" in anew.shows("increment")
    assert f"while house.stuck.Stuck.{handler} ran" in last_words(process)
    assert restarts(process) == 2


@pytest.mark.parametrize(("handler", "blamed"), [("crashes", 1), ("exits", 2)])
def test_who_is_to_blame(supervised, tmp_path, handler, blamed):
    """A thread that crashes names its own turn; where nobody can tell, all that ran are named."""
    process = supervised(workers=1)
    process.fleet.expect_log("event=was_running", times=blamed, name="up")
    process.fleet.expect_log("Fatal Python error|event=join_failed|event=was_running")
    visitor = Visitor(process.fleet.port)
    with visitor.open("/stuck/") as page, visitor.open("/history/") as other:
        other.post("append_then_hold", {"number": 1, "gate": str(tmp_path / "gate")})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        page.post(handler)
        page.wait_type("lost")
        wait_until(lambda: restarts(process) == 1, "its end to be noticed")
        assert ("and 1 more" in last_words(process)) is (blamed == 2)
        assert rejoin(other)["restored"] is True


def test_a_worker_that_is_killed_from_outside(supervised, tmp_path):
    """What it ran is named, and not to blame."""
    process = supervised(workers=1)
    process.fleet.expect_log("event=join_failed")
    with Visitor(process.fleet.port).open("/history/") as page:
        for number in range(3):
            gate = tmp_path / f"gate{number}"
            page.post("append_then_hold", {"number": number, "gate": str(gate)})
            wait_until(gate.with_suffix(".reached").exists, "the handler to run")
            kill(process.pids()[0])
            assert page.wait_type("lost")["reason"] == "worker_lost"
            assert rejoin(page)["restored"] is True
            page.send(t="event", n=page.number + 1, v=page.views[0], e="append", p={"number": number}, r=True)
            assert page.answer_to(page.number + 1)["t"] == "unknown"
            page.number += 1
    assert "killed by SIGKILL while house.kept.History.append_then_hold ran" in last_words(process)


def test_what_it_runs_is_known_after_it_started_anew(supervised, tmp_path):
    """--reload: the same process, with the same memory to write that down in."""
    copy = shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    process = supervised("--reload", workers=1, project=copy)
    with raw.Client(process.fleet.front) as client:
        client.mount("house.stuck.Stuck").shutdown()  # only what is imported is watched
    views = copy / "house" / "stuck.py"
    views.write_text(views.read_text() + "\n# another\n")
    wait_until(lambda: process.up.text().count("event=registered") == 2, "the worker to start anew")
    with Visitor(process.fleet.port).open("/stuck/") as page:
        page.post("exits")
        page.wait_type("lost")
    wait_until(lambda: "exit code 3 while house.stuck.Stuck.exits ran" in last_words(process), "it to be named")


def test_one_that_runs_again_by_itself(supervised):
    """What is retry_safe is sent again after a death: it ends two workers without anybody's doing."""
    process = supervised(workers=1)
    process.fleet.expect_log(QUARANTINED.format("house.stuck.Stuck", "crashes_again"), times=1, name="up")
    process.fleet.expect_log("Fatal Python error|event=join_failed")
    with Visitor(process.fleet.port).open("/stuck/") as page:
        number = page.post("crashes_again")
        page.wait_type("lost")
        assert rejoin(page)["restored"] is True
        page.send(t="event", n=number, v=page.views[0], e="crashes_again", p={}, r=True)
        assert page.answer_to(number)["t"] == "unknown"  # of a session that is held, nothing waits
        assert page.wait_type("lost")["reason"] == "quarantined"


def test_ticks(supervised):
    """What a view does by itself has the same limits, and the same name in what is said of it."""
    process = supervised(*SOFT, workers=1)
    process.fleet.expect_log("event=tick_failed .*handle_tick.*it took longer than 0.3 s", name="up")
    process.fleet.expect_log(QUARANTINED.format("house.stuck.Ticks", "handle_tick"), times=1, name="up")
    process.fleet.expect_log("Fatal Python error|event=join_failed|event=failed")
    process.fleet.expect_log("ERROR django.request Internal Server Error: /ticks-stuck/", name="up")
    with Visitor(process.fleet.port).open("/ticks-stuck/") as page:
        page.event("set_mode", {"mode": "loops"})
        process.up.wait_line("event=tick_failed")
        page.event("set_mode", {"mode": "crashes"})
        assert page.wait_type("lost")["reason"] == "worker_lost"
        assert rejoin(page)["restored"] is True
        assert page.wait_type("lost")["reason"] == "quarantined"
        assert page.join()["reason"] == "quarantined"


def test_programs_are_told_what_it_was(supervised):
    process = supervised(workers=1)
    process.fleet.expect_log("Fatal Python error|event=quarantined")
    with raw.Client(process.fleet.front) as client:
        session = client.mount("house.stuck.Stuck")
        session.event("increment")
        lost = session.event("crashes")
        assert (lost.kind, lost.reason) == (wire.UNKNOWN, "worker_lost")
        assert lost.body["message"] == "'crashes' of house.stuck.Stuck ended its worker"
        session.epoch = 0
        lost = session.event("crashes")
        while lost.reason == "no_worker":
            lost = session.event("crashes", number=session.number)
        assert (lost.reason, lost.body["event"]) == ("worker_lost", "crashes")
        held = session.event("increment")
        assert (held.kind, held.reason) == (wire.NOT_EXECUTED, "quarantined")
        assert held.body["message"] == "'crashes' of house.stuck.Stuck ended two workers within a minute"
        assert 0 < held.body["retry_ms"] <= 600_000


def test_a_view_that_cannot_be_opened(supervised):
    """Each visit is another session: two of them, and then the view is refused and the fleet left alone."""
    process = supervised(workers=1)
    process.fleet.expect_log("Fatal Python error")
    for kind in ("worker_lost", "quarantined"):
        line = f"event=mount_failed view=house.stuck.CrashesInMount .*kind={kind}"
        process.fleet.expect_log(line, times=2, name="web")
    visitor = Visitor(process.fleet.port)
    replies = [visitor.get("/crashes-in-mount/") for _ in range(4)]
    assert [reply.status for reply in replies] == [503] * 4
    assert int(replies[-1].headers["Retry-After"]) > 30
    with visitor.open("/stuck/") as page:
        assert ">1<" in page.shows("increment")
    assert restarts(process) == 2


def test_a_page_that_cannot_join(supervised):
    process = supervised(workers=1)
    process.fleet.expect_log(QUARANTINED.format("house.stuck.CrashesInJoin", "JOIN"), name="up")
    process.fleet.expect_log("Fatal Python error|event=join_failed")
    reply = Visitor(process.fleet.port).get("/crashes-in-join/")
    page = Page(Visitor(process.fleet.port), reply.roots.tokens)
    reasons = [page.join()["reason"]]
    while len(reasons) < 4:
        frame = page.reconnect()
        reasons += [] if frame.get("reason") == "no_worker" else [frame.get("reason", frame["t"])]
    assert reasons == ["worker_lost", "joined", "worker_lost", "quarantined"]
    page.connection.close()
    assert restarts(process) == 2


def restarts(process):
    """How many workers have ended by themselves."""
    return sum(row["restarts"] for row in process.rows())
