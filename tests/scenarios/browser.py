"""A browser's network side for the scenarios: pages over HTTP with cookies, and their WebSockets."""

import http.client
import json
import re
from html.parser import HTMLParser
from http.cookies import SimpleCookie

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 120  # s


class Roots(HTMLParser):
    """A page's live parts: `tokens` in order, `scripts` that start the browser's side."""

    def __init__(self, html):
        super().__init__()
        self.tokens = []
        self.scripts = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """HTMLParser's."""
        attrs = dict(attrs)
        if attrs.get("data-troupe"):
            assert "dj-root" in attrs or tag == "body", f"a token on <{tag}>, which is no root"
            self.tokens.append(attrs["data-troupe"])
        if attrs.get("data-troupe-socket"):
            self.scripts.append(attrs)


class Reply:
    """An HTTP answer: `status`, `headers` (names as http.client has them), `text`."""

    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()

    @property
    def roots(self):
        """See Roots."""
        return Roots(self.text)


class Visitor:
    """Somebody with a browser. `cookies`: name → value."""

    def __init__(self, port, **cookies):
        self.port = port
        self.cookies = dict(cookies)

    def request(self, method, path, headers=None):
        """The Reply to a request; cookies that it sets are kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers={**self._cookie(), **(headers or {})})
            reply = Reply(connection.getresponse())
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return reply

    def get(self, path, **headers):
        """GET."""
        return self.request("GET", path, headers)

    def socket(self, origin=..., path="/ws/troupe/"):
        """An open WebSocket. origin: of this site, if not given; None: without the header."""
        if origin is ...:
            origin = f"http://127.0.0.1:{self.port}"
        opening = connect(
            f"ws://127.0.0.1:{self.port}{path}",
            origin=origin,
            additional_headers={**self._cookie(), **self.handshake_headers()},
            compression=None,
            max_size=None,
            proxy=None,
            close_timeout=2,
        )
        return opening.__enter__()  # gives the connection; it is closed by `close()`

    def open(self, path):
        """GET a page and join it; a Page."""
        reply = self.get(path)
        assert reply.status == 200, f"{path} answered {reply.status}: {reply.text[:500]}"
        page = Page(self, reply.roots.tokens)
        page.html = reply.text
        joined = page.join()
        assert joined["t"] == "joined", joined
        return page

    def handshake_headers(self):
        """Headers that this browser sends with a WebSocket, too; none."""
        return {}

    def _cookie(self):
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": pairs} if pairs else {}


class Page:
    """A page with its socket; `views` are the ids of its views. A context manager that closes the socket."""

    def __init__(self, visitor, tokens):
        self.visitor = visitor
        self.tokens = list(tokens)
        self.versions = [None] * len(self.tokens)
        self.renewals = [None] * len(self.tokens)
        self.views = []
        self.numbers = []  # what patches call them
        self.number = 0
        self.unasked = []
        self.closed = None
        self.connection = visitor.socket()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, **frame):
        """Send a frame."""
        self.connection.send(json.dumps(frame))

    def receive(self, seconds=PATIENCE):
        """The next frame; {"t": "closed", "code"} once the socket is closed. TimeoutError if nothing came."""
        try:
            return json.loads(self.connection.recv(timeout=seconds))
        except ConnectionClosed as closed:
            return {"t": "closed", "code": closed.rcvd.code if closed.rcvd else None}

    def join(self):
        """Join with the tokens that the page has; the frame that answers."""
        views = []
        for token, version, renewal in zip(self.tokens, self.versions, self.renewals, strict=True):
            entry = {"token": token, "s": version, "g": renewal}
            views.append({name: value for name, value in entry.items() if value is not None})
        self.send(t="join", views=views)
        frame = self.wait_for(lambda frame: frame.get("t") in ("joined", "reload", "error", "closed"))
        if frame["t"] == "joined":
            self.number = frame["n"]
            self.views = [view["v"] for view in frame["views"]]
            self.numbers = [view.get("i") for view in frame["views"]]
            self.versions = [view["s"] for view in frame["views"]]
            had = zip(frame["views"], self.tokens, strict=True)
            self.tokens = [view.get("token", token) for view, token in had]
            self.renewals = [view.get("g") for view in frame["views"]]
        return frame

    def reconnect(self):
        """A new socket in place of this one, and a join on it; the frame that answers."""
        self.connection.close()
        self.unasked.clear()
        self.connection = self.visitor.socket()
        return self.join()

    def wait_for(self, wanted, seconds=PATIENCE):
        """The first frame for which `wanted(frame)`; what comes before it goes to `unasked`."""
        while True:
            frame = self.receive(seconds)
            if wanted(frame):
                return frame
            assert frame.get("t") != "closed", f"the socket was closed: {frame}, after {self.unasked[-3:]}"
            self.unasked.append(frame)

    def wait_type(self, kind, seconds=PATIENCE):
        """The next frame of a type, be it one of those that came already."""
        for frame in self.unasked:
            if frame.get("t") == kind:
                self.unasked.remove(frame)
                return frame
        return self.wait_for(lambda frame: frame.get("t") == kind, seconds)

    def post(self, name, params=None, view=0):
        """Send an event; its number."""
        self.number += 1
        view = view if isinstance(view, str) else self.views[view]
        self.send(t="event", n=self.number, v=view, e=name, p=params or {})
        return self.number

    def answer_to(self, number):
        """The frame that answers an event."""
        frame = self.wait_for(lambda frame: number in (frame.get("n"), frame.get("a")) or frame.get("t") == "closed")
        self._note(frame)
        return frame

    def _note(self, frame):
        if "s" in frame and frame.get("v") in self.numbers:
            self.versions[self.numbers.index(frame["v"])] = frame["s"]

    def root(self, view=0):
        """The root of a view as it is now, without anchors."""
        self.send(t="refresh", v=self.views[view])
        frame = self.wait_for(lambda frame: frame.get("v") == self.numbers[view] and frame["a"] == 0)
        self._note(frame)
        return re.sub(r"<!--\$.*?-->", "", frame["d"]["0"]["h"])

    def event(self, name, params=None, view=0):
        """Send an event; the frame that answers it."""
        return self.answer_to(self.post(name, params, view))

    def shows(self, name, params=None, view=0):
        """Send an event that has to succeed; the HTML that it leads to."""
        frame = self.event(name, params, view)
        assert "d" in frame, f"no patch answered {name}, but {frame}"
        return self.root(view)
