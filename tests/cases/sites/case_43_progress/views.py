"""A long handler that shows how far it is."""

import asyncio
import os
from pathlib import Path

from troupe import LiveView, event_handler


async def passed(path):
    """Once a file is there."""
    while not os.path.exists(path):
        await asyncio.sleep(0.01)


class Work(LiveView):
    template_name = "case_43_progress/page.html"
    tick_interval = None

    def mount(self, request):
        self.percent = self.other = 0
        self.gate = request.GET.get("gate", "")

    @event_handler
    async def work(self, gate):
        for percent in (25, 50, 75):
            self.percent, self.other = percent, -1
            self.request_update()
            self.other = percent  # before it awaits: both are shown together
            await passed(f"{gate}{percent}")
        self.percent = self.other = 100

    @event_handler
    async def hurry(self):
        """More updates than the page may be sent, and then a pause: the last one is shown all the same."""
        for number in range(200):
            self.percent = number
            self.request_update()
            await asyncio.sleep(0)
        self.other = 1
        self.request_update()
        await passed(self.gate)

    @event_handler
    async def from_elsewhere(self):
        """A task and a thread of the handler's say that something changed."""

        async def part(percent):
            await asyncio.sleep(0)
            self.percent = percent
            self.request_update()

        await asyncio.gather(part(1), part(2))
        self.percent = 3
        await asyncio.to_thread(self.request_update)
        await passed(self.gate)

    @event_handler
    async def fails(self):
        self.percent = 10
        self.request_update()
        await passed(self.gate)
        raise LookupError("in the end")

    @event_handler
    async def keeps_its_task(self):
        """What belongs to the task that runs the handler goes on over a pause."""
        task = asyncio.current_task()
        async with asyncio.timeout(1000), asyncio.TaskGroup() as group:
            child = group.create_task(asyncio.sleep(0.05, "child"))
            self.percent = 1
            self.request_update()
            await asyncio.sleep(0.03)
            self.percent = await child
        self.other = asyncio.current_task() is task

    @event_handler
    async def computes(self, seconds, gate):
        """In steps, each of which is short, until it is stopped."""
        Path(f"{gate}begun").touch()
        end = asyncio.get_running_loop().time() + float(seconds)
        try:
            while asyncio.get_running_loop().time() < end:
                sum(range(20000))
                await asyncio.sleep(0)
        finally:
            Path(f"{gate}ended").touch()

    @event_handler
    async def waits(self, gate):
        await passed(gate)
        self.percent = 5

    @event_handler
    def add(self):
        self.other += 1
