"""A: a page that sends its join more than once keeps its session, its ids and its state."""

import json
import signal

import pytest
import raw
from browser import Page, Visitor
from fleet import wait_until


@pytest.fixture
def own_fleet(make_fleet, tmp_path):
    """A fleet that keeps snapshots, of two workers."""
    return make_fleet(broker=("--keep", tmp_path / "sessions"))


def counted(page, times):
    """The page's counter went up so many times."""
    for _ in range(times):
        assert "d" in page.event("increment")


def send_joins(page, count):
    """The same join, so many times at once: as a page did for each refusal."""
    views = [{"token": page.tokens[0], "s": page.versions[0], "g": page.renewals[0]}]
    views = [{name: value for name, value in view.items() if value is not None} for view in views]
    for _ in range(count):
        page.connection.send(json.dumps({"t": "join", "views": views}))


def frames_until_pong(page):
    """What comes before the answer to a ping."""
    page.send(t="ping")
    frames = []
    while True:
        frame = page.receive()
        if frame == {"t": "pong"}:
            return frames
        frames.append(frame)


def joined_frames(page):
    """The `joined` that came; at least one, and whatever came after it before an event was answered."""
    frames = [page.wait_type("joined")]
    return frames + [frame for frame in frames_until_pong(page) if frame.get("t") == "joined"]


def test_a_worker_is_killed_while_events_are_under_way(own_fleet, tmp_path):
    """The trigger that was found: each event is refused, and the page joins for each refusal."""
    fleet = own_fleet
    visitor = Visitor(fleet.port)
    with visitor.open("/counter/0/") as page:
        counted(page, 5)
        view = page.views[0]
        worker = next(child for child in fleet.workers.values() if holds(fleet, child))
        worker.signal(signal.SIGSTOP)
        numbers = [page.post("increment") for _ in range(3)]
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        send_joins(page, 3)
        joined = joined_frames(page)
        assert all(frame["fresh"] is False for frame in joined)
        assert {frame["views"][0]["v"] for frame in joined} == {view}
        assert ">5<" in joined[0]["views"][0]["html"] and joined[0]["views"][0]["g"]
        page.numbers = [joined[-1]["views"][0]["i"]]
        page.number = joined[-1]["n"]
        assert page.number < numbers[0]
        counted(page, 1)
        assert ">6<" in page.root()
    fleet.expect_log("event=worker_(lost|dead|left)", name="broker")


def holds(fleet, child):
    """Whether a worker has a session."""
    with raw.Client(fleet.front) as client:
        figures = client.figures()
    return any(worker["name"] == child.name and worker["sessions"] for worker in figures["workers"])


@pytest.mark.parametrize("count", [2, 3, 8])
def test_joins_at_once_on_a_new_page(fleet, visitor, count):
    reply = visitor.get("/counter/7/")
    with Page(visitor, reply.roots.tokens) as page:
        send_joins(page, count)
        joined = joined_frames(page)
        assert all(frame["fresh"] is False for frame in joined)
        assert len({frame["views"][0]["v"] for frame in joined}) == 1
        page.views, page.numbers = [joined[0]["views"][0]["v"]], [joined[0]["views"][0]["i"]]
        counted(page, 1)
        assert ">8<" in page.root()


def test_a_page_that_joins_again_and_again_with_its_first_token(fleet, visitor):
    """It never takes a renewal up, and still has one session."""
    with visitor.open("/counter/7/") as page:
        first = page.views[0]
        for number in range(1, 6):
            counted(page, 1)
            page.renewals, page.versions = [None], [None]
            joined = page.join()
            assert joined["fresh"] is False and joined["n"] == number and page.views == [first]
            assert f">{7 + number}<" in joined["views"][0]["html"]


def test_another_socket_does_not_get_it(fleet, visitor):
    """The token of a page that somebody copied is spent for them, as ever."""
    with visitor.open("/counter/7/") as page:
        token = page.tokens[0]
        counted(page, 1)
        with Page(visitor, [token]) as other:
            joined = other.join()
            assert joined["fresh"] is True and ">7<" in joined["views"][0]["html"]
            assert other.event("increment")["a"] == 1
        counted(page, 1)
        assert ">9<" in page.root()


def test_joins_whose_answers_never_come(make_fleet):
    """Three connections in a row break after the join was sent: whatever came of it, the page gets its session."""
    fleet = make_fleet(workers=1, broker=("--worker-dead-ms", "600000"))
    visitor = Visitor(fleet.port)
    with visitor.open("/counter/7/") as page, raw.Client(fleet.front) as client:
        counted(page, 1)
        for _ in range(3):
            page.connection.close()
            page.connection = visitor.socket()
            forwarded = client.figures()["forwarded"]
            fleet.workers["w1"].process.send_signal(signal.SIGSTOP)
            try:
                send_joins(page, 2)
                wait_until(lambda before=forwarded: client.figures()["forwarded"] > before, "the JOIN")
                page.connection.close()
            finally:
                fleet.workers["w1"].process.send_signal(signal.SIGCONT)
        joined = page.reconnect()
        assert joined["t"] == "joined" and joined["fresh"] is False and joined["n"] == 1
        counted(page, 1)
        assert ">9<" in page.root()
