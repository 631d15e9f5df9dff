"""Pages whose views keep a history, in the real browser's side: node_pages.js runs it under Node, over lines that take
their time. What each page was told is held against what its view has in the end (judge.py).
"""

import asyncio
import http.client
import json
import random
import re
import shutil
import time
from pathlib import Path

from judge import Event

HERE = Path(__file__).resolve().parent
DELAY = 0.15  # s: one way of a page's line
LIMIT = 32 << 20  # bytes of a line from node_pages.js
ANSWER_SECONDS = 10.0 + 15.0 + 3.0  # the time to live, the hard limit, and some for a busy machine
AT_ONCE = 10  # pages that load at the same time


class Browser:
    """A process of node_pages.js, as an async context manager. delay: see DELAY. say: called with what it says."""

    def __init__(self, delay=DELAY, say=print):
        self.delay, self.say, self.pages = delay, say, {}
        self._stalls = asyncio.Queue()

    async def __aenter__(self):
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("pages run under Node, and there is no `node`: run scripts/setup --tests")
        command = [node, HERE / "node_pages.js", round(1000 * self.delay), round(1000 * ANSWER_SECONDS)]
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*map(str, command), stdin=pipe, stdout=pipe, limit=LIMIT)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()  # it ends by that
        await self.process.wait()
        await self._reader

    async def _read(self):
        while line := await self.process.stdout.readline():
            fact = json.loads(line)
            page = self.pages.get(fact.get("page"))
            if page is not None:
                page.hear(fact)
            elif "stalls" in fact:
                self._stalls.put_nowait(fact["stalls"])
            else:
                self.say(f"node_pages.js: {fact}")

    def order(self, page, do, **more):
        """See ORDERS in node_pages.js."""
        self._write({"do": do, "page": page.name, **more})

    def _write(self, order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")

    async def stalls(self):
        """{name: ms}: what stood in the pages' way since it was asked last; see stalls() of node_pages.js."""
        self._write({"do": "stalls"})
        return await self._stalls.get()


class Page:
    """A page of a view like faulted.views.History. `events` are all that it ever asked for, `waiting` those without an
    outcome; `fresh` counts lost sessions, `problems` what must never be. known: it has a Django session. impatient: it
    does not wait for its backoff. path: of another view, for which ask() and look() are not.
    """

    def __init__(self, browser, port, seed, name, known=False, impatient=True, path="/history/"):
        self.browser, self.port, self.name, self.known, self.impatient = browser, port, name, known, impatient
        self.path = path
        self.random = random.Random(seed)
        self.events, self.waiting, self.waited = [], {}, []
        self.joins, self.fresh, self.pushed, self.problems = 0, 0, 0, []
        self.open, self._gone = False, asyncio.Event()
        self._texts, self._wishes = asyncio.Queue(), 0

    async def start(self):
        """Loads the page; it stays joined until stop()."""
        headers = {}
        if self.known:
            cookie = (await asyncio.to_thread(get, self.port, "/login/"))[1].get("Set-Cookie").split(";")[0]
            headers = {"Cookie": cookie}
        text, _ = await asyncio.to_thread(get, self.port, self.path, headers)
        self.browser.pages[self.name] = self
        more = {"html": text, "cookie": headers.get("Cookie"), "seed": self.random.getrandbits(32)}
        url = f"http://127.0.0.1:{self.port}{self.path}"
        self.browser.order(self, "open", url=url, impatient=self.impatient, **more)

    async def stop(self):
        """Closes it."""
        self.browser.order(self, "close")
        await self._gone.wait()
        del self.browser.pages[self.name]

    def ask(self):
        """One more event."""
        event = Event(len(self.events) + 1)
        self.events.append(event)
        self._ask(event.value, event, {"page": self.name, "number": event.value})

    def ask_for(self, name, **params):
        """An event that is not held against the history; the Event."""
        event = Event(None, name)
        self._wishes += 1
        self._ask(f"wish{self._wishes}", event, params)
        return event

    async def text(self, css):
        """What the elements say that match, in a list."""
        self.browser.order(self, "text", css=css)
        return await self._texts.get()

    async def until(self, condition, seconds):
        """Whether it came true in time."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return condition()

    def _ask(self, key, event, params):
        self.waiting[key] = event
        self.browser.order(self, "ask", id=key, event=event.name, params=params)

    def hear(self, fact):
        """What node_pages.js says of this page."""
        if "outcome" in fact:
            event = self.waiting.pop(fact["id"])
            event.outcome, event.reason, event.ended = fact["outcome"], fact.get("reason"), time.monotonic()
            self.waited.append(event.ended - event.began)
        elif "joined" in fact:
            self.open = True
            self.fresh += fact["joined"] and self.joins > 0
            self.joins += 1
        elif "closed" in fact:
            self.open = False
        elif "pushed" in fact:
            self.pushed += 1
        elif "gone" in fact:
            self._gone.set()
        elif "text" in fact:
            self._texts.put_nowait(fact["text"])
        elif "overdue" in fact:
            if fact["overdue"]:
                self.events[fact["overdue"] - 1].overdue = True
        elif "problem" in fact:
            self.problems.append(fact["problem"])
            self.browser.say(f"{self.name}: {fact['problem']}")

    async def look(self, seconds):
        """[(place, number)] that the view has; None: it could not be asked in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            wish = self.ask_for("list")
            await self.until(lambda wish=wish: wish.outcome, deadline - time.monotonic())
            if wish.outcome == "done":
                return await self._listed(deadline)
        return None

    async def _listed(self, deadline):
        """What the page shows, as soon as that is all that was done: it may have to ask for its root first."""
        done = sum(event.outcome == "done" for event in self.events)
        while True:
            listed = (await self.text("p"))[1]
            rows = [tuple(map(int, word.split(":"))) for word in re.findall(r"\d+:\d+", listed)]
            if len(rows) >= done or time.monotonic() > deadline:
                return rows
            await asyncio.sleep(0.1)


async def open_all(pages, seconds):
    """Starts them, a few at a time, and returns once all have joined. TimeoutError: they have not."""
    async with asyncio.timeout(seconds):
        for first in range(0, len(pages), AT_ONCE):
            some = pages[first : first + AT_ONCE]
            await asyncio.gather(*(page.start() for page in some))
            await asyncio.gather(*(page.until(lambda page=page: page.open, seconds) for page in some))


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
