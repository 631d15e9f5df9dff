"""benched.views.Light for djust."""

import asyncio
import os
import time

from djust import LiveView
from djust.decorators import event_handler


class Light(LiveView):
    """A counter whose handlers wait."""

    template = '<div dj-root data-pid="{{ pid }}">{{ count }}</div>'
    login_required = False

    def mount(self, request, **kwargs):
        self.pid = os.getpid()
        self.count = 0

    @event_handler()
    def increment(self, **kwargs):
        self.count += 1

    @event_handler()
    def sleep(self, **kwargs):
        """Waits for a second, as for a database."""
        time.sleep(1)
        self.count += 1

    @event_handler()
    async def nap(self, **kwargs):
        """Waits for a second on the loop."""
        await asyncio.sleep(1)
        self.count += 1
