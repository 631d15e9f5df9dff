"""Sync and async handlers; one that sleeps, awaits or computes holds nobody else up."""

import pytest
from fleet import wait_until


@pytest.fixture
def gate(tmp_path):
    """A gate (see house.views.Gated), closed; it is opened at the end at the latest."""
    path = tmp_path / "gate"
    yield path
    path.touch()


def reached(gate):
    """Wait until a handler stands before the gate."""
    wait_until(gate.with_name("gate.reached").exists, "a handler to reach the gate")


def test_async_handler(visitor):
    with visitor.open("/counter/1/") as page:
        assert ">11<" in page.shows("later")
        assert ">12<" in page.shows("increment")


@pytest.mark.parametrize("name", ["hold", "hold_async", "burn"])
def test_held_handler_does_not_stall_others(fleet, client, gate, name):
    held = [client.mount("house.views.Gated") for _ in range(6)]  # more than the pool's 4 threads
    others = [client.mount("house.views.Counter") for _ in range(4)]
    keys = [session.post(name, {"gate": str(gate)}) for session in held[: 6 if name != "burn" else 2]]
    reached(gate)
    for session in others:
        assert ">1<" in session.event("increment").body["html"].decode()
        assert ">11<" in session.event("later").body["html"].decode()
    assert not any(key in client._kept for key in keys)
    gate.touch()
    for key in keys:
        assert "<output>1</output>" in client.answer_to(key).body["html"].decode()
    for session in held + others:
        session.shutdown()


@pytest.mark.parametrize("name", ["hold", "hold_async"])
def test_one_session_goes_in_order_behind_its_held_handler(client, gate, name):
    session = client.mount("house.views.Gated")
    first = session.post(name, {"gate": str(gate)})
    rest = [session.post("say", {"word": word}) for word in "abc"]
    reached(gate)
    gate.touch()
    order = [client.receive().sequence for _ in range(4)]
    assert order == [key[1] for key in [first, *rest]]
    assert "abc!" in session.event("say", {"word": "!"}).body["html"].decode()
    session.shutdown()


def test_ping_is_answered_during_a_held_handler(client, gate):
    from troupe import wire

    session = client.mount("house.views.Gated")
    key = session.post("hold", {"gate": str(gate)})
    reached(gate)
    assert client.ask(wire.PING, session=session.id).kind == wire.PONG
    gate.touch()
    client.answer_to(key)
    session.shutdown()


def test_held_page_does_not_stall_the_person_s_other_page(visitor, gate):
    with visitor.open("/gated/") as held, visitor.open("/counter/0/") as other:
        number = held.post("hold", {"gate": str(gate)})
        reached(gate)
        assert ">1<" in other.shows("increment")
        gate.touch()
        assert "d" in held.answer_to(number)
        assert "<output>1</output>" in held.root()
