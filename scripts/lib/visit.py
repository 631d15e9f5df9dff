"""One real visit to the running demo, as a browser makes it: pages over HTTP, WebSockets, events, patches."""

import asyncio
import http.client
import json
import re
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import websockets

ANSWER_SECONDS = 20


class VisitError(Exception):
    """Something that the visitor saw was not what the demo promises."""


class Roots(HTMLParser):
    """Finds a page's live parts: `tokens`, in order, and `socket`, the path of its WebSocket."""

    def __init__(self, html):
        super().__init__()
        self.tokens = []
        self.socket = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("data-troupe"):
            self.tokens.append(attrs["data-troupe"])
        if attrs.get("data-troupe-socket"):
            self.socket = attrs["data-troupe-socket"]


class Visitor:
    """A browser's network side: remembers cookies. `url` is the demo's address."""

    def __init__(self, url):
        self.address = urlsplit(url)
        self.cookies = SimpleCookie()

    def get(self, path):
        """The text of a page. VisitError: it was not answered with 200."""
        connection = http.client.HTTPConnection(self.address.netloc, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path, headers=self._cookie_header())
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise VisitError(f"GET {path} answered {answer.status}")
        for value in answer.headers.get_all("Set-Cookie") or ():
            self.cookies.load(value)
        return text

    def connect(self, path):
        """An asynchronous context manager: a WebSocket of this visitor."""
        options = {"origin": f"http://{self.address.netloc}", "max_size": 16 << 20}
        release = int(websockets.__version__.split(".")[0])
        options["additional_headers" if release >= 14 else "extra_headers"] = self._cookie_header()
        if release >= 15:
            options["proxy"] = None
        return websockets.connect(f"ws://{self.address.netloc}{path}", **options)

    def _cookie_header(self):
        pairs = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in self.cookies.items())
        return {"Cookie": pairs} if pairs else {}


class Page:
    """A page with its socket open and its views joined: `views` are their ids, `numbers` what patches call them."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0
        self.views = []
        self.numbers = []

    async def join(self, tokens):
        """Joins the page's views. Returns the `joined` frame."""
        await self._send({"t": "join", "views": [{"token": token} for token in tokens]})
        frame = await self._receive()
        if frame.get("t") != "joined" or any("error" in view for view in frame["views"]):
            raise VisitError(f"the join was answered {frame}")
        self.number = frame["n"]
        self.views = [view["v"] for view in frame["views"]]
        self.numbers = [view["i"] for view in frame["views"]]
        return frame

    async def event(self, view, name, params=None):
        """Sends an event. Returns the frame that answers it."""
        self.number += 1
        await self._send({"t": "event", "n": self.number, "v": view, "e": name, "p": params or {}})
        return await self._receive()

    async def _send(self, frame):
        await self.socket.send(json.dumps(frame))

    async def _receive(self):
        return json.loads(await asyncio.wait_for(self.socket.recv(), ANSWER_SECONDS))


def shown(html):
    """The numbers that the counters in this HTML show."""
    return [int(number) for number in re.findall(r"<output[^>]*>\s*(-?\d+)\s*</output>", html)]


def patched(frame, view, number):
    """What the texts in a patch show. view: its number. VisitError: the frame is no patch for that view and event."""
    if frame.get("v") != view or frame.get("a") != number or "d" not in frame:
        raise VisitError(f"expected a patch of view {view} answering event {number}, got {str(frame)[:300]}")
    return [int(text) for text in frame["d"].values() if str(text).lstrip("-").isdigit()]


def expect(seen, wanted, description):
    """VisitError unless `seen` is what was wanted."""
    if seen != wanted:
        raise VisitError(f"{description}: expected {wanted}, saw {seen}")


async def visit(url, say):
    """Makes the visit, calling `say(text)` after each step that went well. VisitError: one did not."""
    visitor = Visitor(url)
    visitor.get("/")
    say("GET / answered 200")
    await _visit_counter(visitor, say)
    await _visit_twice(visitor, say)


async def _visit_counter(visitor, say):
    html = visitor.get("/counter/")
    roots = Roots(html)
    expect(shown(html), [0], "the counter on the page")
    expect(len(roots.tokens), 1, "live parts of the page")
    say("GET /counter/ answered 200: a page whose counter shows 0, with a token")
    async with visitor.connect(roots.socket) as socket:
        page = Page(socket)
        joined = await page.join(roots.tokens)
        view = joined["views"][0]
        expect("html" in view, False, "HTML in the join of a fresh page")
        say(f"its WebSocket joined with the token: view {view['v'][:8]}…, version {view['s']}")
        frame = await page.event(view["v"], "increment")
        expect(patched(frame, view["i"], page.number), [1], "the counter after an event")
        say(f"event {page.number} (increment) was answered by a patch to version {frame['s']}: it shows 1")
        frame = await page.event(view["v"], "mount")
        expect(frame.get("error", {}).get("kind"), "handler_not_found", "the answer to an event named mount")
        say(f"event {page.number} (mount) was refused: {frame['error']['message']}")


async def _visit_twice(visitor, say):
    html = visitor.get("/twice/")
    roots = Roots(html)
    expect(shown(html), [0, 100], "the two counters on the page")
    expect(len(roots.tokens), 2, "live parts of the page")
    say("GET /twice/ answered 200: a page with two views of one class, showing 0 and 100")
    async with visitor.connect(roots.socket) as socket:
        page = Page(socket)
        await page.join(roots.tokens)
        first, second = page.views
        frame = await page.event(second, "increment")
        expect(patched(frame, page.numbers[1], page.number), [101], "the second view after its event")
        frame = await page.event(first, "increment")
        expect(patched(frame, page.numbers[0], page.number), [1], "the first view after its own event")
        say("an event on the second made it 101 and left the first alone: its own next one made it 1")
