"""WebSockets that send what no browser would."""

import contextlib
import json

import pytest
from browser import Page, Visitor
from fleet import wait_until
from websockets.exceptions import ConnectionClosed

from troupe import wire


@pytest.fixture
def page(visitor, bystander):
    """A joined page of a counter."""
    with visitor.open("/counter/0/") as page:
        yield page


def error(page, reason):
    """The next frame is an error with that reason and a sentence."""
    frame = page.receive()
    assert (frame["t"], frame["reason"]) == ("error", reason), frame
    assert frame["message"]


def closed(page, code):
    """The socket is closed with that code."""
    assert page.receive() == {"t": "closed", "code": code}


def test_binary(page):
    page.connection.send(b"\x00\xff")
    error(page, "binary")
    closed(page, 1003)


def test_empty_binary(page):
    page.connection.send(b"")
    error(page, "binary")
    closed(page, 1003)


@pytest.mark.parametrize("text", ["x" * 65_537, "ä" * 32_769, "😀" * 16_385])
def test_huge(page, text):
    page.connection.send(text)
    error(page, "too_large")
    closed(page, 1009)


def test_huge_beyond_the_server_s_limit(page):
    """Over 16 MiB: the ASGI server itself refuses it."""
    with contextlib.suppress(ConnectionClosed, OSError):  # it closes before it has read all
        page.connection.send("x" * (17 << 20))
    frame = page.receive()
    while frame["t"] != "closed":
        frame = page.receive()
    assert frame["code"] in (1009, None)


def test_frame_just_below_the_limit(page):
    text = "y" * (64 * 1024 - 200)
    html = page.shows("measure", {"text": text})
    assert f"</output>{len(text)}</div>" in html


JUNK = [
    "",
    " ",
    "x",
    "{",
    "[]",
    "5",
    "null",
    '"join"',
    '{"t":',
    '{"t": "event",}',
    "\0",
    "NaN",
    '{"t": NaN}',
    "[" * 30_000,
    '{"a":' * 10_000,
    '{"t": "nothing"}',
    '{"t": null}',
    '{"t": ["event"]}',
    '{"t": {"t": "event"}}',
    "{}",
    '{"t": "event"}',
    '{"t": "event", "n": 1}',
    '{"t": "event", "n": "1", "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": true, "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": 1.5, "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": 0, "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": -1, "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": 9007199254740992, "v": "%s", "e": "increment", "p": {}}' % ("0" * 32),
    '{"t": "event", "n": 1' + "0" * 10_000 + "}",
    '{"t": "event", "n": 1, "v": "zz", "e": "increment", "p": {}}',
    '{"t": "event", "n": 1, "v": 5, "e": "increment", "p": {}}',
    '{"t": "event", "n": 1, "v": "%s", "e": 5, "p": {}}' % ("0" * 32),
    '{"t": "event", "n": 1, "v": "%s", "e": "increment", "p": []}' % ("0" * 32),
    '{"t": "refresh"}',
    '{"t": "ack", "v": "%s"}' % ("0" * 32),
    '{"t": "ack", "v": "%s", "s": -1}' % ("0" * 32),
    '{"t": "join"}',
    '{"t": "join", "views": []}',
    '{"t": "join", "views": {}}',
    '{"t": "join", "views": [5]}',
    '{"t": "join", "views": [{}]}',
    '{"t": "join", "views": [{"token": 5}]}',
    '{"t": "join", "views": [{"token": "x", "s": "y"}]}',
    json.dumps({"t": "join", "views": [{"token": "x"}] * 65}),
]


@pytest.mark.parametrize("text", JUNK, ids=range(len(JUNK)))
def test_junk(fleet, page, text):
    fleet.expect_log("event=bad_frame", times=1, name="web")
    page.connection.send(text)
    frame = page.receive()
    assert frame["t"] == "error" and frame["reason"] in ("malformed", "type") and frame["message"]
    if '"join"' not in text:
        assert ">1<" in page.shows("increment")


def test_fifth_mistake_closes_the_socket(fleet, page):
    fleet.expect_log("event=bad_frame", times=5, name="web")
    for _ in range(5):
        page.connection.send("x")
        error(page, "malformed")
    closed(page, 4400)


def event_text(page, number, value):
    """The text of an event `say` whose parameter is this JSON."""
    return json.dumps({"t": "event", "n": number, "v": page.views[0], "e": "say", "p": {"text": 0}})[:-3] + value + "}}"


def test_parameters_nested_too_deep(fleet, page):
    fleet.expect_log("event=bad_event", times=2, name="web")
    deep = 5
    for _ in range(15):
        deep = [deep]
    frame = page.event("say", {"text": deep})
    assert (frame["t"], frame["reason"]) == ("refused", "malformed")
    page.connection.send(event_text(page, 1, "[" * 500 + "]" * 500))
    frame = page.receive()
    assert (frame["t"], frame["reason"]) == ("refused", "malformed")
    page.number = 0
    assert ">1<" in page.shows("increment")


def test_lone_surrogates_and_big_numbers_in_json(page):
    for text in ('"\\ud800"', "1e400", "123456789012345678901234567890", "-0", '"\\u0000"'):
        number = page.number + 1
        page.connection.send(event_text(page, number, text))
        frame = page.answer_to(number)
        if frame.get("t") != "refused":
            page.number = number
    page.post("increment")
    assert "d" in page.answer_to(page.number)
    assert ">1<" in page.root()


def test_same_key_twice_in_json(page):
    text = event_text(page, 1, "5")
    page.connection.send('{"t":"ping",' + text[1:])  # which of them is meant, nobody can tell
    error(page, "malformed")


def test_event_before_the_join(fleet, visitor, bystander):
    with Page(visitor, []) as page:
        for text in (
            {"t": "event", "n": 1, "v": "0" * 32, "e": "x", "p": {}},
            {"t": "ping"},
            {"t": "ack"},
            {"t": "refresh"},
        ):
            fleet.expect_log("event=bad_frame reason=not_joined", times=4, name="web")
            page.send(**text)
            error(page, "not_joined")


def test_a_page_that_never_waits(fleet, visitor, bystander, tmp_path):
    """A page keeps 8 unanswered; one that sends on and on is told so, and its session's mailbox never grows."""
    gate = tmp_path / "gate"
    fleet.watch.allow("event=rate_limited")  # or the mailbox is full first: that depends on the machine
    with visitor.open("/gated/") as page:
        page.post("hold", {"gate": str(gate)})
        wait_until((tmp_path / "gate.reached").exists, "the handler to run")
        numbers = [page.post("say", {"word": "x"}) for _ in range(60)]
        refused = {}
        while len(refused) < len(numbers) - 16:  # one runs, and the mailbox holds 16
            frame = page.receive()
            assert frame["t"] == "refused" and frame["reason"] in ("busy", "gap"), frame
            refused[frame["n"]] = frame
        gate.touch()
        first = min(refused)
        assert set(refused) >= set(range(first, numbers[-1] + 1)) and refused[first]["reason"] == "busy"
        assert refused[first]["retry_ms"] > 0
        assert page.answer_to(first - 1)["a"] == first - 1
        page.number = first - 1
        while (frame := page.event("say", {"word": "x"})).get("reason") == "busy":  # its rate: a page tries again
            page.number -= 1
        assert "d" in frame and "x" * (first - 1) in page.root()  # hold says nothing, and this one more


def test_endless_messages(fleet, visitor, bystander, client):
    """Somebody who sends much: their memory is bounded, and others are served meanwhile."""
    before = fleet.web.memory()
    with visitor.open("/counter/0/") as page:
        for _ in range(10):
            for _ in range(20):
                page.send(t="ping")
            for _ in range(20):
                assert page.receive() == {"t": "pong"}
        assert ">1<" in page.shows("increment")
    assert fleet.web.memory() - before < 20 << 20


def test_more_frames_than_any_page_sends(make_fleet):
    fleet = make_fleet(workers=1, env={"SCENARIO_EVENT_RATE": "5"})
    fleet.expect_log("event=too_many_frames", times=1, name="web")
    other = Visitor(fleet.port).open("/counter/0/")
    with Visitor(fleet.port).open("/counter/0/") as page:
        frame = {"t": "pong"}
        while frame == {"t": "pong"}:
            page.send(t="ping")
            frame = page.receive()
        assert (frame["t"], frame["reason"]) == ("error", "too_many")
        closed(page, 4429)
    with other:
        assert ">1<" in other.shows("increment")


def test_endless_junk_that_reads_nothing(fleet, visitor, bystander):
    fleet.expect_log("event=bad_frame", times=5, name="web")
    with visitor.open("/counter/0/") as page:
        for _ in range(2000):
            try:
                page.connection.send("x" * 100)
            except ConnectionClosed:  # as it should be
                break
        frame = page.receive()
        while frame["t"] != "closed":
            frame = page.receive()
        assert frame["code"] == 4400


def test_wrong_path_of_the_socket(fleet, visitor):
    fleet.expect_log("No route found for path|ValueError", name="web")
    with pytest.raises(Exception, match="(500|403|404)"):
        visitor.socket(path="/ws/other/")


def test_sockets_that_open_and_close(fleet, visitor, bystander, client):
    before = client.figures()["sessions"]
    for _ in range(50):
        visitor.socket().close()
    assert client.figures()["sessions"] == before
    assert client.ask(wire.PING).kind == wire.PONG
