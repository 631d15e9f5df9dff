"""A handler that awaits for as long as the scenario likes, and what else its page does meanwhile."""

import asyncio
import os

from asgiref.sync import sync_to_async

from troupe import LiveView, event_handler


async def passed(path):
    """Once a file is there."""
    while not os.path.exists(path):
        await asyncio.sleep(0.005)


class Long(LiveView):
    """Each of its handlers writes its name to the log that the address names, once for each execution."""

    template_string = "<p dj-root><b>{{ step }}</b><i>{{ clicks }}</i></p>"

    def mount(self, request):
        self.step = self.clicks = 0
        self.folder = request.GET["folder"]

    def authorize(self, request):
        return not os.path.exists(f"{self.folder}/forbidden") if hasattr(self, "folder") else True

    def _log(self, word):
        with open(f"{self.folder}/log", "a") as log:
            log.write(f"{word}\n")

    def _remember(self, key, value):
        self.request.session[key] = value

    @event_handler
    async def work(self, steps):
        self._log("work")
        for step in range(1, int(steps) + 1):
            await passed(f"{self.folder}/{step}")
            self.step = step
            self.request_update()
        await passed(f"{self.folder}/end")
        self.step = 100

    @event_handler(retry_safe=True)
    async def again(self):
        self._log("again")
        self.step += 1
        self.request_update()
        await passed(f"{self.folder}/end")

    @event_handler
    async def remembers(self):
        """In the session, before and after its page has come back."""
        await sync_to_async(self._remember)("before", 1)
        self._log("remembers")
        await passed(f"{self.folder}/end")
        await sync_to_async(self._remember)("after", 2)

    @event_handler
    def recall(self):
        session = self.request.session
        self.step = f"{session.get('before')} {session.get('after')}"

    @event_handler
    async def holds_a_lock(self):
        """What no snapshot can hold, while it awaits."""
        self.lock = asyncio.Lock()
        self._log("holds")
        await passed(f"{self.folder}/end")
        del self.lock
        self.step = 7

    @event_handler
    def click(self):
        self._log("click")
        self.clicks += 1
