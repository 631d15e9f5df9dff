"""Views whose handlers do not come back, or take their process along."""

import asyncio
import ctypes
import os
import signal
import time
from pathlib import Path

from troupe import HandlerTimeout, LiveView, event_handler


class Stuck(LiveView):
    """A mishap a handler, and a count that shows what went well."""

    template_string = "<p dj-root><output>{{ count }}</output>{{ slow }}</p>"

    def mount(self, request):
        self.count = 0
        self.lazy = False

    def get_context_data(self, **kwargs):
        return super().get_context_data(slow=self.loops if self.lazy else "", **kwargs)

    @event_handler
    def increment(self):
        self.count += 1

    @event_handler
    def loops(self):
        self.count += 1
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # as code does that wants to go on
                continue

    @event_handler
    def renders_for_ever(self):
        self.lazy = True

    @event_handler
    def renders_again(self):
        self.lazy = False

    @event_handler
    def cleans_up(self, path):
        try:
            self.loops()
        finally:
            Path(path).touch()

    @event_handler
    def swallows(self):
        while True:
            try:
                self.loops()
            except HandlerTimeout:
                self.count += 1

    @event_handler
    def sleeps(self, seconds):
        self.count += 1
        time.sleep(seconds)

    @event_handler
    def burns(self):
        sum(range(10**12))

    @event_handler
    async def awaits(self):
        self.count += 1
        await asyncio.sleep(1000)

    @event_handler
    async def awaits_gate(self, gate):
        while not Path(gate).exists():
            await asyncio.sleep(0.02)
        self.count += 1

    @event_handler
    async def computes_in_steps(self):
        self.count += 1
        while True:
            sum(range(10000))
            await asyncio.sleep(0)

    @event_handler
    async def will_not_be_cancelled(self):
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                continue

    @event_handler
    async def blocks_the_loop(self):
        time.sleep(1000)

    @event_handler
    def crashes(self):
        ctypes.string_at(0)

    @event_handler(retry_safe=True)
    def crashes_again(self):
        ctypes.string_at(0)

    @event_handler
    def exits(self):
        os._exit(3)

    @event_handler
    def aborts(self):
        signal.raise_signal(signal.SIGABRT)


class Ticks(LiveView):
    """Counts by itself, until it is told to do something else."""

    template_string = "<p dj-root>{{ count }}</p>"
    tick_interval = 200

    def mount(self, request):
        self.count = 0
        self.mode = "counts"

    @event_handler
    def set_mode(self, mode):
        self.mode = mode

    def handle_tick(self):
        self.count += 1
        while self.mode == "loops":
            time.sleep(0.01)
        if self.mode == "crashes":
            ctypes.string_at(0)


class CrashesInMount(LiveView):
    """Takes its worker along when it is opened."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        ctypes.string_at(0)


class CrashesInJoin(LiveView):
    """Opens, and takes its worker along when its page joins."""

    template_string = "<p dj-root>well</p>"

    def mount(self, request):
        self.mounted = True

    def authorize(self, request):
        if hasattr(self, "mounted"):
            ctypes.string_at(0)
        return True
