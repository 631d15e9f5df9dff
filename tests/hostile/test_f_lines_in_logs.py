"""F: whatever a browser sends, a record of a log is one line of printable characters."""

import re
import socket
import urllib.parse

import pytest
from browser import Visitor

EVIL = '\n2026-01-01 level=ERROR event=forged\r\x1b[2J\x1b]0;title\x07 a=b "c" \\ \u2028\u202e'
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
TRACEBACK = re.compile(r"^Traceback |^  |^\w[\w.]*(Error|Exception)\b|^$|^During handling|^The above exception")


@pytest.fixture
def own_fleet(make_fleet):
    """A fleet whose logs only the test reads, behind a proxy that is believed."""
    fleet = make_fleet(workers=1, env={"SCENARIO_PROXIES": "127.0.0.1", "SCENARIO_USER_CHECK": "0"})
    fleet.watch.allow("level=ERROR|^ERROR")
    return fleet


def assert_tidy(fleet, name="web"):
    """Each line of a log begins as a record does, and none has what a terminal would obey; but for uvicorn's own. All
    of them.
    """
    log = fleet.folder / f"{name}.log"
    text = "\n".join(line for line in log.read_bytes().decode().split("\n") if not line.startswith("INFO:     "))
    assert not CONTROL.search(text), CONTROL.search(text)
    for line in text.split("\n"):
        known = re.match(r"(DEBUG|INFO|WARNING|ERROR)[: ]|20\d\d-.*? level=[A-Z]+ component=worker ", line)
        assert known or TRACEBACK.match(line), line
        assert not line.startswith(("2026-01-01", "event=forged"))
    return text


def test_names_and_messages(own_fleet):
    with Visitor(own_fleet.port).open("/bad/Handlers/") as page:
        for name in (EVIL, "x" * 30 + EVIL[:30], "\n", "\x1b[31m"):
            assert page.event(name[:60])["t"] in ("failed", "refused")
        assert page.event("says", {"text": EVIL})["t"] == "failed"
        page.number += 1
        page.send(t="event", n=page.number, v=page.views[0], e=EVIL * 10, p={})
        assert page.receive()["reason"] == "malformed"
    text = assert_tidy(own_fleet)
    assert text.count("event=failed") == 5 and text.count("forged") >= 2


def test_frames(own_fleet):
    with Visitor(own_fleet.port).open("/counter/0/") as page:
        for frame in ({"t": EVIL}, {"t": "join", "views": [{"token": EVIL, "g": EVIL}]}, {"t": "ack", "v": EVIL}):
            page.send(**frame)
            assert page.receive()["t"] in ("error", "reload")
        page.connection.send('{"t":"' + EVIL.replace('"', "'") + '"')
        assert page.receive()["reason"] == "malformed"
    assert_tidy(own_fleet)


@pytest.mark.parametrize("name", ["Origin", "X-Forwarded-For", "Cookie"])
def test_headers(own_fleet, name):
    """Raw bytes, as a proxy might pass them on."""
    for value in (b'http://x/"\\', b"\x9b31m", b"http://[", "\u202e".encode(), b"1.2.3.4, \x9b2J"):
        with socket.create_connection(("127.0.0.1", own_fleet.port), 20) as peer:
            head = {
                "Host": f"127.0.0.1:{own_fleet.port}",
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version": "13",
                "Origin": f"http://127.0.0.1:{own_fleet.port}",
            }
            head[name] = value.decode("latin1")
            lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
            text = f"GET /ws/troupe/ HTTP/1.1\r\n{lines}\r\n"
            peer.sendall(text.encode("latin1"))
            assert peer.recv(4096).startswith(b"HTTP/1.1 ")
    own_fleet.watch.allow("Invalid HTTP request")
    assert_tidy(own_fleet)


def test_paths_of_pages(make_fleet):
    """Nobody is there to mount a view, so its path is logged."""
    fleet = make_fleet(workers=0, env={"SCENARIO_MOUNT_TIMEOUT": "0.2"})
    fleet.watch.allow("event=mount_failed|Service Unavailable")
    reply = Visitor(fleet.port).get(
        "/at/" + urllib.parse.quote(EVIL.replace("/", "")) + "/?" + urllib.parse.quote(EVIL)
    )
    assert reply.status == 503
    assert "event=mount_failed" in assert_tidy(fleet)


def test_the_worker_s_lines(own_fleet):
    """What user code raised: Django's logger writes its traceback, as the project's formatter has it, behind a line
    that has nothing of the exception; all other lines are tidy.
    """
    with Visitor(own_fleet.port).open("/bad/Handlers/") as page:
        assert page.event("says", {"text": EVIL})["t"] == "failed"
    text = (own_fleet.folder / "w1.log").read_bytes().decode()
    before, line, traceback = text.partition("ERROR django.request Internal Server Error: /bad/Handlers/\n")
    assert line and traceback.startswith("Traceback (most recent call last):\n") and "event=forged" in traceback
    assert not CONTROL.search(before) and "forged" not in before
