"""The views that are measured. Each says in its HTML which process it lives in."""

import asyncio
import os
import time

from benched.work import burn_seconds, spin
from troupe import LiveView, event_handler


class Counter(LiveView):
    """The smallest view: one number in one element."""

    template_string = "<div>{{ count }}</div>"

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Stocked(LiveView):
    """A number, and 64 KB of rows that it does not show."""

    template_string = "<div>{{ count }}</div>"

    def mount(self, request):
        self.count = 0
        self.rows = [{"id": number, "name": f"Item {number}" + "x" * 32, "price": number / 7} for number in range(800)]

    def get_context_data(self, **kwargs):
        return {"count": self.count}

    @event_handler
    def increment(self):
        self.count += 1

    @event_handler
    def rewrite(self):
        """Changes every row."""
        self.count += 1
        for row in self.rows:
            row["price"] += 1


class Light(LiveView):
    """A counter with handlers of every temper."""

    template_string = '<div dj-root data-pid="{{ pid }}">{{ count }}</div>'

    def mount(self, request):
        self.pid = os.getpid()
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1

    @event_handler
    def spin(self, loops=1):
        """Computes for `loops` rounds of the calibrated loop."""
        spin(loops)
        self.count += 1

    @event_handler
    def burn(self):
        """Computes for a second."""
        burn_seconds(1)
        self.count += 1

    @event_handler
    def sleep(self):
        """Waits for a second, as for a database."""
        time.sleep(1)
        self.count += 1

    @event_handler
    async def nap(self):
        """Waits for a second on the loop."""
        await asyncio.sleep(1)
        self.count += 1
