"""Views that change without an event."""

import asyncio
import threading
import time
from pathlib import Path

from troupe import LiveView, event_handler

from .views import wait_for_gate


class Ticking(LiveView):
    """Counts its ticks."""

    template_string = "<p dj-root><b>{{ ticks }}</b><i>{{ said }}</i></p>"
    tick_interval = 40

    def mount(self, request):
        self.ticks = self.calls = 0
        self.said = ""

    def handle_tick(self):
        self.ticks += 1

    @event_handler
    def say(self, word):
        self.said = word

    @event_handler
    def hold(self, gate):
        wait_for_gate(gate)

    @event_handler
    def pace(self, ms):
        self.tick_interval = ms


class TickingLater(Ticking):
    """The same, awaited."""

    async def handle_tick(self):
        await asyncio.sleep(0)
        self.ticks += 1


class Stumbling(Ticking):
    """Raises at every tick but those with an even number."""

    def handle_tick(self):
        self.calls += 1
        if self.calls % 2:
            raise ValueError(f"tick {self.calls}")
        self.ticks += 1


class Dawdling(Ticking):
    """Its first tick takes far too long."""

    def handle_tick(self):
        self.calls += 1
        end = time.monotonic() + 20
        while self.calls == 1 and time.monotonic() < end:
            time.sleep(0.01)
        self.ticks += 1


class Listening(LiveView):
    """Shows what somebody else says: a thread listens for it, as one would on a queue. What is said is in a file, so
    that a scenario can wait for each step.
    """

    template_string = "<p dj-root>{{ heard }}</p>"

    def mount(self, request):
        self.heard = "nothing"
        self.folder = request.GET["folder"]
        self.restore(request)

    def restore(self, request):
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        gate = str(Path(self.folder) / "word")
        wait_for_gate(gate)
        self.heard = Path(gate).read_text()
        for _ in range(100):
            accepted = self.request_update()
        Path(gate + ".told").write_text(str(accepted))

    @event_handler
    async def from_a_task(self):
        asyncio.get_running_loop().call_soon(self._later)

    def _later(self):
        self.heard = "a task"
        self.request_update()
