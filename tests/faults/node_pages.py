"""Pages whose views keep a history, in the real browser's side: node_pages.js runs it under Node, over lines that take
their time. What each page was told is held against what its view has in the end (judge.py).
"""

import asyncio
import json
import random
import re
import shutil
import time
from pathlib import Path

from history import ANSWER_SECONDS, Event, get

HERE = Path(__file__).resolve().parent
DELAY = 0.15  # s: one way of a page's line
LIMIT = 32 << 20  # bytes of a line from node_pages.js


class Browser:
    """A process of node_pages.js, as an async context manager. delay: see DELAY. say: called with what it says."""

    def __init__(self, delay=DELAY, say=print):
        self.delay, self.say, self.pages = delay, say, {}

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
            else:
                self.say(f"node_pages.js: {fact}")

    def order(self, page, do, **more):
        """See ORDERS in node_pages.js."""
        self.process.stdin.write(json.dumps({"do": do, "page": page.name, **more}).encode() + b"\n")


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
        self.joins, self.fresh, self.problems = 0, 0, []
        self.open = False
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
