"""D: frames sent during a slow join must not pile up, neither in the ASGI server nor in Django."""

import contextlib
import importlib.util
import json
import re
import signal
from pathlib import Path

import pytest
from browser import Page, Visitor
from fleet import WEB_OPTIONS
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

MEGABYTE = 1 << 20
MOST_GROWTH = 100 * MEGABYTE
SERVERS = ["websockets-sansio", "websockets"] + (["wsproto"] if importlib.util.find_spec("wsproto") else [])


class Peak:
    """The most memory that a process had since this was made, over what it had then; in bytes."""

    def __init__(self, child):
        self._folder = Path(f"/proc/{child.pid}")
        self._folder.joinpath("clear_refs").write_text("5")
        self._before = self._read()

    def _read(self):
        return int(re.search(r"VmHWM:\s+(\d+) kB", self._folder.joinpath("status").read_text())[1]) << 10

    def growth(self):
        return self._read() - self._before


class SlowVisitor(Visitor):
    """A browser that reads a frame only once the test has taken the one before."""

    def socket(self):
        """See Visitor."""
        origin, url = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}/ws/troupe/"
        options = {"compression": None, "max_size": None, "proxy": None, "close_timeout": 1}
        return connect(url, origin=origin, max_queue=1, **options).__enter__()


@contextlib.contextmanager
def held_join(fleet, port, path="/counter/5/", compression=None):
    """A socket whose join is not answered before the block ends: the broker stands still."""
    visitor = Visitor(port)
    tokens = visitor.get(path).roots.tokens
    origin = f"http://127.0.0.1:{port}"
    url = f"ws://127.0.0.1:{port}/ws/troupe/"
    with connect(url, origin=origin, compression=compression, max_size=None, proxy=None, close_timeout=1) as socket:
        fleet.broker.process.send_signal(signal.SIGSTOP)
        try:
            socket.send(json.dumps({"t": "join", "views": [{"token": token} for token in tokens]}))
            socket.send(json.dumps({"t": "ping"}))
            assert json.loads(socket.recv(timeout=20)) == {"t": "pong"}  # answered at once, and the join is under way
            yield socket
        finally:
            fleet.broker.process.send_signal(signal.SIGCONT)


def send_until_closed(socket, frames):
    """Send these frames, as far as the other side takes them; (code, the errors that came)."""
    errors = []
    try:
        for frame in frames:
            socket.send(frame)
        while True:
            errors.append(json.loads(socket.recv(timeout=20)))
    except ConnectionClosed as closed:
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            while True:
                errors.append(json.loads(socket.recv(timeout=0)))
        return closed.rcvd.code if closed.rcvd else None, errors


@pytest.fixture(params=SERVERS)
def server(request, make_fleet):
    """A fleet whose web server has this implementation of WebSockets, and the flags of the guide."""
    fleet = make_fleet(workers=1, web=False)
    fleet.web = fleet.start_web("web", wait=False, options=("--ws", request.param, *WEB_OPTIONS))
    fleet.port = fleet.wait_web(fleet.web)
    return fleet


def test_sixteen_megabytes_a_frame(server):
    """2.4 MB of compressed traffic once took 700 MB."""
    with held_join(server, server.port, compression="deflate") as socket:
        peak = Peak(server.web)
        frame = "x" * (16 * MEGABYTE - 1)
        code, _ = send_until_closed(socket, [frame] * 40)
        assert code in (1009, None) and peak.growth() < MOST_GROWTH
    with Visitor(server.port).open("/counter/5/") as page:
        assert ">6<" in page.shows("increment")


def test_frames_that_are_just_small_enough(server):
    with held_join(server, server.port, compression="deflate") as socket:
        peak = Peak(server.web)
        event = {"t": "event", "n": 1, "v": "0" * 32, "e": "increment", "p": {"text": "x" * 65_000}}
        _, errors = send_until_closed(socket, [json.dumps(event)] * 5000)
        assert peak.growth() < MOST_GROWTH
        assert not errors or errors[0]["reason"] == "too_many"


def test_whoever_does_not_read(server):
    """Asks thirty times for a page of 6 MB, and takes nothing of it."""
    server.expect_log("event=socket_too_slow", name="web")
    # The older `websockets` asserts that one task at a time waits for a slow client, and the ping of it does as well.
    server.watch.allow("data transfer failed.*AssertionError")
    with SlowVisitor(server.port).open(f"/big/{6 * MEGABYTE}/") as page:
        peak = Peak(server.web)
        for _ in range(30):
            page.send(t="refresh", v=page.views[0])
        server.web.wait_line("event=socket_too_slow")
        assert peak.growth() < MOST_GROWTH


def test_a_frame_that_the_server_should_not_have_let_through(make_fleet):
    fleet = make_fleet(workers=1, web=False)
    fleet.web = fleet.start_web("web", wait=False, options=())
    fleet.port = fleet.wait_web(fleet.web)
    for _ in range(2):
        with held_join(fleet, fleet.port) as socket:
            code, errors = send_until_closed(socket, ["x" * MEGABYTE])
            assert code == 1009 and errors[0]["reason"] == "too_large"
    fleet.expect_log(r"event=oversized_frame bytes=1048576 .*--ws-max-size 131072", times=1, name="web")


def test_events_behind_a_join_run_after_it_in_order(make_fleet):
    fleet = make_fleet(workers=1)
    visitor = Visitor(fleet.port)
    page = Page(visitor, visitor.get("/history/").roots.tokens)
    with page:
        assert page.join()["t"] == "joined"
        fleet.broker.process.send_signal(signal.SIGSTOP)
        try:
            page.send(t="join", views=[{"token": page.tokens[0], "g": page.renewals[0]}])
            for number in range(1, 9):
                page.post("append", {"number": number})
            page.send(t="ping")
            assert page.wait_type("pong")
        finally:
            fleet.broker.process.send_signal(signal.SIGCONT)
        assert page.wait_type("joined")["n"] == 0
        assert all("d" in page.answer_to(number) for number in range(1, 9))
        assert "1 2 3 4 5 6 7 8" in page.root()
