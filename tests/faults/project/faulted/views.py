"""Views that remember what was done to them, and views that break their worker."""

import asyncio
import ctypes
import os
import time

from troupe import LiveView, event_handler, fencing_token

PARTS = 32
TRACE = (
    os.open(os.environ["FAULTS_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if "FAULTS_TRACE" in os.environ else -1
)


class History(LiveView):
    """Appends what it is told, to one of several attributes in turn: a snapshot that lacks one of them leaves a hole.

    Each run is written to a file as well, which no snapshot takes back.
    """

    template_string = "<div dj-root><p>{{ count }}</p><p>{{ listed }}</p><b>{{ ticked }}</b></div>"

    def mount(self, request):
        self.count, self.ticked, self.listed = 0, 0, ""
        for number in range(PARTS):
            setattr(self, f"parts{number}", [])

    def get_context_data(self, **kwargs):
        return {"count": self.count, "listed": self.listed, "ticked": self.ticked}

    def _part(self, number):
        return getattr(self, f"parts{number % PARTS}")

    @event_handler
    def append(self, page, number):
        self.count += 1
        self._part(self.count).append([self.count, number])
        if TRACE != -1:
            os.write(TRACE, f"{page} {number} {os.getpid()} {fencing_token()} {time.monotonic():.3f}\n".encode())

    @event_handler
    def count_up(self):
        self.count += 1
        self._part(self.count).append([self.count, 0])

    @event_handler
    def ticks(self):
        """From now on something is pushed."""
        self.tick_interval = 200

    def handle_tick(self):
        self.ticked += 1

    @event_handler
    def raises(self):
        raise ValueError("as it was asked to")

    @event_handler
    async def awaits(self):
        await asyncio.sleep(0.05)
        self.count += 0

    @event_handler
    def list(self):
        """Shows all of it: place:number, in the order of places."""
        rows = sorted(row for part in range(PARTS) for row in self._part(part))
        self.listed = " ".join(f"{place}:{number}" for place, number in rows)


class Bad(LiveView):
    """What one's neighbours may do."""

    template_string = "<div dj-root>{{ count }}</div>"
    leaked = []

    def mount(self, request):
        self.count = 0

    @event_handler
    def sleeps(self, seconds=8):
        time.sleep(seconds)

    @event_handler
    def burns(self, seconds=3):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1000))

    @event_handler
    def leaks(self, megabytes=40):
        Bad.leaked.append(b"x" * (megabytes << 20))

    @event_handler
    def grows(self, megabytes=6):
        """What a snapshot has to hold."""
        self.held = os.urandom(megabytes << 20)

    @event_handler
    def exits(self):
        os._exit(3)

    @event_handler
    def crashes(self):
        ctypes.string_at(0)

    @event_handler
    def forks(self):
        """The child comes back as well, into what was the worker's pool."""
        os.fork()
        self.count += 1


class Broken(LiveView):
    """No page comes of it."""

    template_string = "<div dj-root></div>"

    def mount(self, request):
        raise ValueError("as it was asked to")
