"""More than a fleet can do: every event is answered, nothing runs twice or out of order, and quiet pages go on."""

import secrets
import signal

import pytest
import raw
from browser import Visitor
from fleet import wait_until

from troupe import wire

CREDIT = 8
FLOOD, EACH = 12, 40  # sessions, and events that each of them sends at once


@pytest.fixture
def gate(tmp_path):
    """A gate (see house.views.Gated), closed; it is opened at the end at the latest."""
    path = tmp_path / "gate"
    yield path
    path.touch()


def small_fleet(make_fleet, *options, **more):
    """One worker, and a broker that is told so."""
    return make_fleet(workers=1, broker=["--heartbeat-ms", "100", *options], **more)


def is_busy(answer):
    return answer.kind == wire.NOT_EXECUTED and answer.reason == "busy"


def send_again(client, session, name, params):
    """An event under the number that it had, as often as its session's owner asks for it; the Answer."""

    def sent():
        answer = session.event(name, params, number=session.number)
        return None if is_busy(answer) else answer

    return wait_until(sent, "room for an event")


def test_over_its_credit_a_worker_is_busy(make_fleet, gate):
    threads = ["--threads", str(CREDIT + 2)]
    fleet = small_fleet(make_fleet, "--credits", str(CREDIT), web=False, worker=threads)
    with raw.Client(fleet.front) as client:
        sessions = [client.mount("house.views.Gated") for _ in range(CREDIT + 4)]
        keys = [session.post("hold", {"gate": str(gate)}) for session in sessions]
        for session, key in zip(sessions[CREDIT:], keys[CREDIT:], strict=True):
            answer = client.answer_to(key)
            assert is_busy(answer) and 48 <= answer.body["retry_ms"] <= 2000
            behind = session.event("say", {"word": "x"})
            assert (behind.kind, behind.reason) == (wire.NOT_EXECUTED, "gap")
            session.number -= 1
        late = client.mount("house.views.Counter")  # a new page gets in
        assert client.ask(wire.PING, session=sessions[0].id).kind == wire.PONG
        assert client.figures()["busy"] == 4
        gate.touch()
        for key in keys[:CREDIT]:
            assert client.answer_to(key).kind == wire.DONE
        for session in sessions[CREDIT:]:
            answer = send_again(client, session, "say", {"word": "y"})
            assert answer.kind == wire.DONE and "<output>0</output>" in answer.body["html"].decode()
        late.shutdown()
        assert client.figures()["in_flight_bytes"] == 0


def test_what_awaits_is_no_load(make_fleet, gate):
    fleet = small_fleet(make_fleet, "--credits", "4", web=False)
    with raw.Client(fleet.front) as client:
        sessions = [client.mount("house.views.Gated") for _ in range(12)]
        for session in sessions:  # four at once, and the next when the worker has said that they only wait
            session.number += 1

            def begun(session=session):
                key = session.post("hold_async", {"gate": str(gate)}, number=session.number)
                answer = client.receive(0.2)
                assert answer is None or is_busy(answer)
                return None if answer else key

            session.key = wait_until(begun, "room beside those that await")
        other = client.mount("house.views.Counter")
        wait_until(lambda: other.event("increment").kind == wire.DONE, "the quiet one")
        gate.touch()
        for session in sessions:
            assert client.answer_to(session.key).kind == wire.DONE


def test_a_quiet_page_beside_a_flood(make_fleet):
    """Twelve sessions send all that they like; a page next to them is never refused, and each event is answered."""
    fleet = small_fleet(make_fleet)
    quiet = Visitor(fleet.port).open("/counter/0/")
    with raw.Client(fleet.front) as client, quiet:
        flood = [client.mount("house.views.Counter") for _ in range(FLOOD)]
        for round_number in range(1, 6):
            keys = [(session, session.post("increment")) for _ in range(EACH) for session in flood]
            assert f">{round_number}<" in quiet.shows("increment")
            done = {session.id: [] for session in flood}
            for session, key in keys:
                answer = client.answer_to(key)
                if answer.kind == wire.DONE:
                    done[session.id].append(answer.sequence)
                else:
                    assert answer.kind == wire.NOT_EXECUTED and answer.reason in ("busy", "gap"), answer
            for session in flood:
                numbers, first = done[session.id], session.number - EACH + 1
                assert numbers == list(range(first, first + len(numbers))), "in order, and none twice"
                session.number = first + len(numbers) - 1
                assert numbers
        figures = client.figures()
        assert figures["busy"] > 0 and figures["in_flight_bytes"] == 0
        for session in flood:
            answer = session.event("increment")
            assert f">{session.number}<" in answer.body["html"].decode()
    assert not [frame for frame in quiet.unasked if frame.get("t") == "refused"]


def test_a_worker_that_stands_still_does_not_fill_the_broker(make_fleet):
    """However much is sent to it: what is not its own is answered at once, and the broker stays as it is."""
    fleet = make_fleet(workers=2, web=False, broker=["--budget-mb", "8", "--worker-dead-ms", "60000"])
    with raw.Client(fleet.front) as client:
        sessions = [client.mount("house.views.Counter") for _ in range(40)]
        before = fleet.broker.memory()
        fleet.workers["w1"].process.send_signal(signal.SIGSTOP)
        try:
            text = secrets.token_hex(100_000)
            keys = [session.post("say", {"text": text}) for _ in range(30) for session in sessions]
            answers = {}
            while answer := client.receive(1):
                answers[answer.session, answer.sequence] = answer
            waiting = [key for key in keys if key not in answers]
            assert 0 < len(waiting) * len(text) <= client.figures()["in_flight_bytes"] <= 5 << 20  # half of it
            assert fleet.broker.memory() - before < 40 << 20  # it was sent 240 MB
        finally:
            fleet.workers["w1"].process.send_signal(signal.SIGCONT)
        answers.update((key, client.answer_to(key)) for key in waiting)
        assert {answer.kind for answer in answers.values()} == {wire.DONE, wire.NOT_EXECUTED}
        assert all(answer.kind == wire.DONE or answer.reason in ("busy", "gap") for answer in answers.values())


def test_a_fleet_that_is_full_of_sessions(make_fleet):
    fleet = small_fleet(make_fleet, "--max-sessions", "3", env={"SCENARIO_MOUNT_TIMEOUT": "0.5"})
    with raw.Client(fleet.front) as client:
        sessions = [client.mount("house.views.Counter") for _ in range(3)]
        answer = client.ask(wire.MOUNT, {"path": "house.views.Counter", "params": {}}, secrets.token_bytes(16))
        assert is_busy(answer) and answer.body["retry_ms"] > 0
        fleet.expect_log("event=mount_failed", times=1, name="web")
        reply = Visitor(fleet.port).get("/counter/0/")
        assert reply.status == 503 and int(reply.headers["Retry-After"]) >= 1
        assert sessions[0].event("increment").kind == wire.DONE
        sessions[1].shutdown()
        with Visitor(fleet.port).open("/counter/0/") as page:
            assert ">1<" in page.shows("increment")
