"""Pages whose views keep a history: what each was told, held against what its view has in the end.

A page here does what the browser's side does (queue.js), as far as benchmarks with many pages need
it; faults are looked for with node_pages.py, which runs the real one. It numbers its events, keeps a few
unanswered, sends an unanswered one again after it joined again, and marks it where the session came
from a snapshot and may have executed it.
"""

import asyncio
import contextlib
import html
import http.client
import json
import random
import re
import time

import websockets

WINDOW = 8
JOIN_SECONDS = 20.0  # a join without an answer is given up
ANSWER_SECONDS = 10.0 + 15.0 + 3.0  # the time to live, the hard limit, and some for a busy machine
IMPATIENT = (0.1, 2.0)  # s: the first pause before a socket is opened again, at most; and the longest
AS_BROWSERS = (1.0, 30.0)  # of a page that was open for a while


class Event:
    """One number that is to be appended, or something else that the view can do. outcome: None until it is known;
    reason: of one that is not "done".
    """

    def __init__(self, value, name="append"):
        self.value, self.name = value, name
        self.number, self.sent, self.doubt, self.again = 0, False, False, False
        self.outcome, self.reason, self.due, self.began, self.ended = None, None, 0.0, time.monotonic(), None
        self.sent_at, self.overdue = 0.0, False

    def abandon(self):
        """Nothing more will be heard of its last sending: whether that was executed is not known."""
        self.doubt, self.sent = self.doubt or self.sent, False


class History:
    """A page of a view like faulted.views.History. `events` are all that it ever asked for; `fresh` counts lost
    sessions. name: how it calls itself in the trace. known: it has a Django session. backoff: see above.
    """

    def __init__(self, port, seed, name="", known=False, backoff=IMPATIENT):
        self.port, self.random, self.name, self.known, self.backoff = port, random.Random(seed), name, known, backoff
        self.events, self.waiting = [], []  # waiting: without an outcome, in order
        self.next, self.fresh, self.joins, self.pushed, self.waited = 1, 0, 0, 0, []
        self.socket = self.shown = None
        self.open = self.stopped = False
        self.version = self.renewal = None
        self.headers = {}

    async def start(self):
        """Loads the page, and keeps it joined until stop()."""
        if self.known:
            cookie = (await asyncio.to_thread(get, self.port, "/login/"))[1].get("Set-Cookie").split(";")[0]
            self.headers = {"Cookie": cookie}
        text, _ = await asyncio.to_thread(get, self.port, "/history/", self.headers)
        self.token = html.unescape(re.search(r'data-troupe="([^"]+)"', text)[1])
        self.task = asyncio.create_task(self._live())

    async def stop(self):
        """Closes it."""
        self.stopped = True
        if self.socket is not None:
            await self.socket.close()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def ask(self):
        """One more event."""
        event = Event(len(self.events) + 1)
        self.events.append(event)
        self.waiting.append(event)

    def ask_for(self, name):
        """An event that is not held against the history; the Event."""
        event = Event(None, name)
        self.waiting.append(event)
        return event

    async def _live(self):
        pause, longest = self.backoff
        while not self.stopped:
            try:
                await self._connect()
                pause = self.backoff[0]
                await self._talk()
            except (OSError, TimeoutError, websockets.WebSocketException, ValueError, KeyError):
                pass
            self.open = False
            await asyncio.sleep(self.random.uniform(0, pause))
            pause = min(2 * pause, longest)

    async def _connect(self):
        options = {"origin": f"http://127.0.0.1:{self.port}", "compression": None, "ping_interval": None}
        if int(websockets.__version__.split(".")[0]) >= 15:
            options["proxy"] = None
        if self.socket is not None:
            await self.socket.close()
        self.socket = await asyncio.wait_for(
            websockets.connect(
                f"ws://127.0.0.1:{self.port}/ws/troupe/", additional_headers=self.headers, max_size=None, **options
            ),
            JOIN_SECONDS,
        )
        await self._join()

    async def _join(self):
        self.open = False
        view = {"token": self.token, "s": self.version, "g": self.renewal}
        view = {key: value for key, value in view.items() if value is not None}
        await self._send({"t": "join", "views": [view]})
        deadline = time.monotonic() + JOIN_SECONDS
        while True:
            frame = await asyncio.wait_for(self.socket.recv(), max(0.01, deadline - time.monotonic()))
            frame = json.loads(frame)
            if frame.get("t") == "joined":
                return self._joined(frame)
            if frame.get("t") in ("error", "reload"):
                raise ValueError(frame)

    def _joined(self, frame):
        (entry,) = frame["views"]
        if "error" in entry:
            raise ValueError(entry)
        self.joins += 1
        self.view, self.number, self.version = entry["v"], entry.get("i"), entry["s"]
        self.token, self.renewal = entry.get("token", self.token), entry.get("g")
        fresh = frame["fresh"] and self.joins > 1
        self.fresh += fresh
        first = next((event for event in self.waiting if event.number), None)
        behind = first is not None and frame["n"] < first.number - 1
        for event in list(self.waiting):
            event.abandon()
            if (fresh or behind) and event.doubt:
                self._settle(event, "unknown", "lost")
            elif fresh or behind:
                event.number, event.due = 0, 0.0
            elif event.number:
                event.again = event.again or (event.doubt and frame.get("restored", False))
        self.next = 1 + max([frame["n"], *(event.number for event in self.waiting)])
        self.open = True

    async def _talk(self):
        while True:
            await self._pump()
            try:
                text = await asyncio.wait_for(self.socket.recv(), 0.05)
            except TimeoutError:
                self._look_at_the_clock()
                continue
            await self._take(json.loads(text))

    def _look_at_the_clock(self):
        now = time.monotonic()
        for event in self.waiting[:WINDOW]:
            event.overdue |= event.sent and now - event.sent_at > ANSWER_SECONDS

    async def _pump(self):
        now = time.monotonic()
        for event in self.waiting[:WINDOW]:
            if event.sent:
                continue
            if event.due > now or not self.open:
                return
            if not event.number:
                event.number, self.next = self.next, self.next + 1
            event.sent, event.sent_at = True, now
            params = {} if event.value is None else {"page": self.name, "number": event.value}
            frame = {"t": "event", "n": event.number, "v": self.view, "e": event.name, "p": params}
            await self._send({**frame, "r": True} if event.again else frame)

    async def _take(self, frame):
        kind, number = frame.get("t"), frame.get("n") or frame.get("a")
        if kind is None:
            self.version = frame["s"]
            if not number and "d" in frame and "0" in frame["d"]:
                self.shown = frame["d"]["0"]["h"]
            elif not number:
                self.pushed += 1
                await self._send({"t": "ack", "v": self.view, "s": self.version})
        if kind in (None, "failed", "unknown"):
            event = next((one for one in self.waiting if number and one.number == number), None)
            if event is not None:
                self._settle(event, kind or "done", frame.get("reason") or frame.get("error"))
        elif kind == "refused":
            await self._refused(number, frame)
        elif kind == "lost":
            self.open = False
            await asyncio.sleep(self.random.uniform(0, 0.5))
            await self._join()

    async def _refused(self, number, frame):
        event = next((one for one in self.waiting if one.number == number), None)
        if event is None or not event.sent:
            return
        first = event is self.waiting[0]
        event.sent, event.doubt = False, event.doubt or frame.get("r", False)
        if frame["reason"] == "gap" and not first:
            self.waiting[0].abandon()  # it was lost
        event.due = time.monotonic() + max(0.1, frame.get("retry_ms", 0) / 1000) if first else 0.0
        if frame["reason"] == "unknown_session" or (frame["reason"] == "gap" and first):
            await self._join()

    def _settle(self, event, outcome, reason=None):
        event.outcome, event.reason, event.ended = outcome, reason, time.monotonic()
        self.waiting.remove(event)
        self.waited.append(event.ended - event.began)

    async def _send(self, frame):
        await self.socket.send(json.dumps(frame))

    async def look(self, seconds):
        """[(place, number)] that the view has; None: it could not be asked in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            wish = self.ask_for("list")
            if not await self._until(lambda wish=wish: wish.outcome, deadline) or wish.outcome != "done":
                continue
            self.shown = None
            with contextlib.suppress(websockets.WebSocketException):
                await self._send({"t": "refresh", "v": self.view})
            if await self._until(lambda: self.shown, time.monotonic() + 2):
                plain = re.sub(r"<!--.*?-->", "", self.shown)
                words = re.findall(r"<p>(.*?)</p>", plain)[1].split()
                return [tuple(map(int, word.split(":"))) for word in words]
        return None

    async def _until(self, condition, deadline):
        while not condition() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return condition()


def get(port, path, headers=None):
    """(text, headers) of a page. OSError, RuntimeError: there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return text, answer.headers
    finally:
        connection.close()
