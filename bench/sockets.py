"""A load over WebSockets, on one ASGI server: light events paced, with and without sleepers and nappers, in turns.

    python bench/sockets.py troupe|channels|djust PORT ROUNDS SECONDS

Prints {"quiet": [figures a round], "sleep": [figures a round]}, figures as troupe-bench-load's of one group. An
event's time starts when it was due. Timers of asyncio are a millisecond coarse, which both phases bear alike.
"""

import asyncio
import http.client
import json
import math
import re
import sys
import time
from collections import deque

import websockets

LIGHT, RATE = 64, 320  # connections, and events a second over all of them
SLEEPERS, NAPPERS = 8, 200
WARM_UP, PATIENCE = 1.0, 3.0  # seconds
MOST_WAITING = 8  # a page keeps so many unanswered; the rest waits in it


class Channels:
    """The plain consumer of benched.peer."""

    path = "/ws/peer/"

    async def open(self, socket, port):
        pass

    def event(self, name):
        return json.dumps({"event": name})

    def answers(self, frame):
        return "html" in frame


class Troupe:
    """A page of benched.views.Light."""

    path = "/ws/troupe/"

    async def open(self, socket, port):
        html = await asyncio.to_thread(get, port, "/light/")
        token = re.search(r'data-troupe="([^"]+)"', html)[1]
        await socket.send(json.dumps({"t": "join", "views": [{"token": token}]}))
        joined = json.loads(await socket.recv())
        self.view, self.number = joined["views"][0]["v"], joined["n"]

    def event(self, name):
        self.number += 1
        return json.dumps({"t": "event", "n": self.number, "v": self.view, "e": name, "p": {}})

    def answers(self, frame):
        if frame.get("t") in ("failed", "refused", "unknown", "lost"):
            raise RuntimeError(f"an event was answered {frame}")
        return "a" in frame


class Djust:
    """A view of benched_djust.views.Light."""

    path = "/ws/live/"

    async def open(self, socket, port):
        mount = {"type": "mount", "view": "benched_djust.views.Light", "params": {}, "url": "/light/"}
        await socket.send(json.dumps(mount))
        while (frame := json.loads(await socket.recv()))["type"] != "mount":
            if frame["type"] == "error":
                raise RuntimeError(f"the mount was answered {frame}")

    def event(self, name):
        return json.dumps({"type": "event", "event": name, "params": {}})

    def answers(self, frame):
        if frame["type"] in ("error", "rate_limit_exceeded"):
            raise RuntimeError(f"an event was answered {frame}")
        return frame["type"] in ("patch", "html_update", "noop")


SYSTEMS = {"troupe": Troupe, "channels": Channels, "djust": Djust}


def get(port, path):
    """The text of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


class Page:
    """A connection, and its events: those sent in front of `due`, those that wait behind."""

    def __init__(self, system):
        self.system, self.due, self.sent = system, deque(), 0
        self.answered = lambda page, due: None

    async def open(self, port):
        origin = f"http://127.0.0.1:{port}"
        url = f"ws://127.0.0.1:{port}{self.system.path}"
        options = {"origin": origin, "compression": None, "ping_interval": None, "open_timeout": 60}
        if int(websockets.__version__.split(".")[0]) >= 15:
            options["proxy"] = None
        self.socket = await websockets.connect(url, **options)
        await self.system.open(self.socket, port)
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        async for text in self.socket:
            if self.system.answers(json.loads(text)):
                self.sent -= 1
                self.answered(self, self.due.popleft())
                await self.pump()

    async def pump(self):
        while self.sent < min(len(self.due), MOST_WAITING):
            self.sent += 1
            await self.socket.send(self.system.event(self.name))

    async def ask(self, name, due):
        self.name = name
        self.due.append(due)
        await self.pump()

    def forget(self):
        """Gives up what was not sent."""
        while len(self.due) > self.sent:
            self.due.pop()

    async def close(self):
        await self.socket.close()
        await asyncio.gather(self.reader, return_exceptions=True)


def figures(latencies):
    """Nearest ranks of seconds, in µs."""
    ordered = sorted(latencies)

    def rank(percent):
        return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1e6, 1)

    return {"count": len(ordered), "p50_us": rank(50), "p99_us": rank(99), "max_us": rank(100)}


async def pace(pages, start, measured, end):
    """Asks the light pages in turn, each event when it is due; what was due from `measured` on is counted."""
    latencies = []

    def answered(page, due):
        if due >= measured:
            latencies.append(time.perf_counter() - due)

    for page in pages:
        page.answered = answered
    number = 0
    while (due := start + number / RATE) < end:
        await asyncio.sleep(max(0, due - time.perf_counter()))
        await pages[number % len(pages)].ask("increment", due)
        number += 1
    give_up = end + PATIENCE
    while any(page.due for page in pages) and time.perf_counter() < give_up:
        await asyncio.sleep(0.01)
    now = time.perf_counter()
    for page in pages:
        page.answered = lambda page, due: None
    latencies += [now - due for page in pages for due in page.due if due >= measured]
    return latencies


def again_and_again(pages, name, end):
    """Each page asks at once when it is answered, until `end`."""
    tasks = set()

    def answered(page, due):
        now = time.perf_counter()
        if now < end:
            task = asyncio.ensure_future(page.ask(name, now))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    for page in pages:
        page.answered = answered
    return tasks


async def spread(pages, name, start):
    """First events, spread over a second, so that the nappers do not all wake at once."""
    for number, page in enumerate(pages):
        due = start + number / len(pages)
        await asyncio.sleep(max(0, due - time.perf_counter()))
        await page.ask(name, time.perf_counter())


async def quiet_down(pages):
    """Waits until nothing is unanswered; RuntimeError after a minute."""
    for page in pages:
        page.forget()
    deadline = time.perf_counter() + 60
    while any(page.due for page in pages):
        broken = [page.reader.exception() for page in pages if page.reader.done()]
        if broken or time.perf_counter() > deadline:
            raise RuntimeError(f"a connection does not answer any more: {broken[:1]}")
        await asyncio.sleep(0.02)


async def phase(light, sleepers, nappers, seconds):
    """The light pages' figures of one phase."""
    start = time.perf_counter() + 0.05
    measured, end = start + WARM_UP, start + WARM_UP + seconds
    kept = again_and_again(sleepers, "sleep", end), again_and_again(nappers, "nap", end)
    starting = asyncio.gather(spread(sleepers, "sleep", start), spread(nappers, "nap", start))
    latencies = await pace(light, start, measured, end)
    await starting
    await quiet_down(light + sleepers + nappers)
    del kept
    return figures(latencies)


async def run(name, port, rounds, seconds):
    pages = [Page(SYSTEMS[name]()) for _ in range(LIGHT + SLEEPERS + NAPPERS)]
    for first in range(0, len(pages), 16):
        await asyncio.gather(*(page.open(port) for page in pages[first : first + 16]))
    light, sleepers, nappers = pages[:LIGHT], pages[LIGHT:-NAPPERS], pages[-NAPPERS:]
    results = {"quiet": [], "sleep": []}
    for _ in range(rounds):
        results["quiet"].append(await phase(light, [], [], seconds))
        results["sleep"].append(await phase(light, sleepers, nappers, seconds))
    await asyncio.gather(*(page.close() for page in pages))
    print(json.dumps(results))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
