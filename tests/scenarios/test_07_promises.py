"""What a client may rely on: order, numbers, repeats, times to live, bounded mailboxes (PROTOCOL.md 5, 7)."""

import pytest
from fleet import wait_until

from troupe import wire


@pytest.fixture
def gate(tmp_path):
    """A gate (see house.views.Gated), closed; it is opened at the end at the latest."""
    path = tmp_path / "gate"
    yield path
    path.touch()


@pytest.fixture
def counter(client):
    """A counter's session."""
    session = client.mount("house.views.Counter")
    yield session
    session.shutdown()


def hold(session, gate):
    """Post an event that is held at a gate; its key, once it is there."""
    key = session.post("hold", {"gate": str(gate)})
    wait_until(gate.with_name("gate.reached").exists, "the handler to run")
    return key


def output(answer):
    """What the counter of a DONE shows."""
    assert answer.kind == wire.DONE, answer
    return int(answer.body["html"].decode().split("<output>")[1].split("<")[0])


def test_numbers_follow_each_other(counter):
    assert output(counter.event("increment")) == 1
    assert output(counter.event("increment")) == 2
    assert counter.number == 2


@pytest.mark.parametrize("ahead", [2, 3, 1000, 2**53 - 1])
def test_gap_is_not_executed(counter, ahead):
    counter.event("increment")
    answer = counter.event("increment", number=counter.number + ahead)
    assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "gap")
    assert output(counter.event("increment")) == 2


def test_repeat_gets_the_same_reply(counter):
    first = counter.event("increment")
    again = counter.event("increment", number=1)
    assert again.flags & wire.REPEAT
    assert (again.kind, again.body) == (first.kind, first.body)
    assert output(counter.event("increment")) == 2


def test_repeat_of_a_failure_gets_the_same_failure(fleet, client):
    fleet.expect_reports(1, "ValueError")  # and not of the repeat
    session = client.mount("house.bad.Handlers")
    first = session.event("boom")
    again = session.event("boom", number=1)
    assert first.kind == wire.FAILED and again.flags & wire.REPEAT
    assert again.body == first.body
    assert output(session.event("increment")) == 2  # boom counted once before it raised
    session.shutdown()


def test_repeat_that_comes_during_the_first_is_not_executed_again(client, gate):
    session = client.mount("house.views.Gated")
    key = hold(session, gate)
    session.post("hold", {"gate": str(gate)}, number=1)
    gate.touch()
    first = client.answer_to(key)
    second = client.answer_to(key)
    assert output(first) == 1 and not first.flags & wire.REPEAT
    assert second.flags & wire.REPEAT and second.body == first.body
    session.shutdown()


def test_old_repeat_is_forgotten(counter):
    for _ in range(12):
        counter.event("increment")
    old = counter.event("increment", number=2)
    assert (old.kind, old.reason) == (wire.UNKNOWN, "forgotten")
    kept = counter.event("increment", number=5)
    assert kept.flags & wire.REPEAT and output(kept) == 5
    assert output(counter.event("increment")) == 13


def test_repeat_of_a_large_reply_brings_the_whole_root(counter):
    first = counter.event("fill", {"size": 100_000}, flags=wire.BROWSER)
    again = counter.event("fill", {"size": 100_000}, number=1, flags=wire.BROWSER)
    assert first.kind == again.kind == wire.DONE
    assert b"x" * 100_000 in again.body["frame"]
    assert output(counter.event("increment")) == 1


def test_number_zero_and_numbers_beyond_the_range(counter):
    counter.post("increment", number=0)
    answer = counter.client.receive()
    assert (answer.kind, answer.sequence) in ((wire.NOT_EXECUTED, 0), (wire.UNKNOWN, 0))
    for number in (2**53, 2**63, 2**64 - 1):
        answer = counter.event("increment", number=number)
        assert answer.kind in (wire.NOT_EXECUTED, wire.UNKNOWN), (number, answer)
        assert answer.reason in ("malformed", "gap", "forgotten"), (number, answer)
    assert output(counter.event("increment")) == 1


def test_expired_event_is_not_executed(client, gate):
    session = client.mount("house.views.Gated")
    key = hold(session, gate)
    late = session.post("say", {"word": "late"}, ttl=1)
    behind = session.post("say", {"word": "behind"})
    wait_until(_elapsed(0.02), "the time to live to be over")
    gate.touch()
    assert output(client.answer_to(key)) == 1
    expired, gap = client.answer_to(late), client.answer_to(behind)
    assert (expired.kind, expired.reason) == (wire.NOT_EXECUTED, "expired")
    assert (gap.kind, gap.reason) == (wire.NOT_EXECUTED, "gap")
    answer = session.event("say", {"word": "well"}, number=2)
    assert "late" not in answer.body["html"].decode() and "behind" not in answer.body["html"].decode()
    session.shutdown()


def _elapsed(seconds):
    import time

    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


# What a mailbox holds, and what one session is let wait at a worker that the broker has found slow: an eighth of
# LEAST_CREDIT, which a machine that stalls may reach at any time.
MAILBOX, SLOW_SHARE = 16, 7


def count_done(answers):
    """How many were executed: the first ones, as many as the limits let wait. What follows was refused."""
    done = sum(answer.kind == wire.DONE for answer in answers)
    assert SLOW_SHARE <= done <= MAILBOX
    assert all(answer.kind == wire.DONE for answer in answers[:done])
    assert all(answer.kind == wire.NOT_EXECUTED for answer in answers[done:])
    assert {answer.reason for answer in answers[done:]} <= {"busy", "gap"}
    return done


def test_full_mailbox_is_busy(client, gate):
    session = client.mount("house.views.Gated")
    key = hold(session, gate)
    waiting = [session.post("say", {"word": "a"}) for _ in range(MAILBOX)]
    for _ in range(3):
        answer = session.event("say", {"word": "b"}, number=MAILBOX + 2)
        assert answer.kind == wire.NOT_EXECUTED and answer.reason in ("busy", "gap"), answer
        assert answer.reason == "gap" or answer.body["retry_ms"] > 0
    gate.touch()
    assert output(client.answer_to(key)) == 1
    answers = [client.answer_to(key) for key in waiting]
    done = count_done(answers)
    assert "a" * done in answers[done - 1].body["html"].decode()
    again = session.event("say", {"word": "c"}, number=done + 2)
    assert again.kind == wire.DONE and f"{'a' * done}c" in again.body["html"].decode()
    session.shutdown()


def test_requests_in_flight_are_bounded_in_the_broker_too(client, gate):
    """However much one session is sent: each is answered, and others are served meanwhile."""
    session = client.mount("house.views.Gated")
    other = client.mount("house.views.Counter")
    key = hold(session, gate)
    keys = [session.post("say", {"word": "a"}) for _ in range(300)]
    assert output(other.event("increment")) == 1
    gate.touch()
    client.answer_to(key)
    count_done([client.answer_to(key) for key in keys])
    session.shutdown()
    other.shutdown()


def test_unknown_session(client, fleet):
    view = bytes(16)
    for kind, body in [
        (wire.EVENT, {"view": view, "name": "increment", "params": {}}),
        (wire.UNMOUNT, {"view": view}),
        (wire.REFRESH, {"view": view}),
        (wire.PING, {}),
        (wire.STATS, {}),
        (wire.SHUTDOWN, {}),
    ]:
        answer = client.ask(kind, body, b"nobody's session"[:16], sequence=1 if kind == wire.EVENT else None)
        assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "unknown_session"), kind


def test_stale_epoch(client, counter):
    for epoch in (counter.epoch - 1, counter.epoch + 1, 1, 2**64 - 1):
        answer = counter.event("increment", number=1, epoch=epoch)
        assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "stale")
    assert output(counter.event("increment", number=1, epoch=0)) == 1
    counter.number = 1


def test_shutdown_and_what_waits_behind_it(client, gate):
    session = client.mount("house.views.Gated")
    key = hold(session, gate)
    behind = session.post("say", {"word": "a"})
    ending = client.post(wire.SHUTDOWN, session=session.id)
    after = session.post("say", {"word": "b"})
    gate.touch()
    assert output(client.answer_to(key)) == 1
    assert client.answer_to(behind).kind == wire.DONE
    assert client.answer_to(ending).kind == wire.ENDED
    answer = client.answer_to(after)
    assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "unknown_session")


def test_session_that_was_ended_is_gone_at_once(client):
    """Whoever has read ENDED finds no session, and may begin one of that id anew."""
    session = client.mount("house.views.Counter")
    for _ in range(300):
        assert client.ask(wire.SHUTDOWN, session=session.id).kind == wire.ENDED
        answer = client.ask(wire.PING, session=session.id)
        assert (answer.kind, answer.reason) == (wire.NOT_EXECUTED, "unknown_session")
        session = client.mount("house.views.Counter", session=session.id)
        assert client.ask(wire.SHUTDOWN, session=session.id).kind == wire.ENDED
        session = client.mount("house.views.Counter", session=session.id)
    session.shutdown()


def test_session_stats(client, counter):
    counter.event("increment")
    figures = client.ask(wire.STATS, session=counter.id).body["figures"]
    assert figures["views"] == 1 and figures["last"] == 1


def test_client_that_falls_silent_leaves_its_sessions(make_fleet, database):
    """A joined client that sends nothing is taken for gone; its session may be joined by another one."""
    import raw

    fleet = make_fleet(workers=1, web=False, broker=["--client-dead-ms", "500", "--heartbeat-ms", "50"])
    session, view = b"silent client's.", b"v" * 16
    views = [{"view": view, "version": 0, "path": "house.views.Counter", "params": {}}]
    with raw.Client(fleet.front) as first, raw.Client(fleet.front) as second:
        joined = first.ask(wire.JOIN, {"generation": 0, "views": views, "request": {}}, session)
        assert joined.kind == wire.JOINED and joined.body["generation"] == 1
        body = {"generation": 0, "views": views, "request": {}}
        spent = second.ask(wire.JOIN, body, session)
        assert (spent.kind, spent.reason) == (wire.NOT_EXECUTED, "spent")
        answer = wait_until(
            lambda: next((a for a in [second.ask(wire.JOIN, body, session)] if a.kind == wire.JOINED), None),
            "the silent client to be given up",
        )
        assert answer.body["generation"] == 2 and answer.body["fresh"] is False
    fleet.expect_log("event=client_gone", name="broker")
