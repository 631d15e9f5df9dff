"""The same counter as a plain Channels consumer: what one writes without Troupe.

Plain handlers run as Channels' own documentation has it, through database_sync_to_async; `async def` ones on the loop.
"""

import asyncio
import os
import time

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.template import engines

TEMPLATE = '<div dj-root data-pid="{{ pid }}">{{ count }}</div>'


class Peer(AsyncJsonWebsocketConsumer):
    """Answers {"event": "increment" | "sleep" | "nap"} with {"html"}."""

    template = engines["django"].from_string(TEMPLATE)

    async def connect(self):
        self.count = 0
        await self.accept()

    async def receive_json(self, content, **kwargs):
        if content["event"] == "nap":
            await asyncio.sleep(1)
        html = await database_sync_to_async(self.turn)(content["event"])
        await self.send_json({"html": html})

    def turn(self, event):
        """One event, as HTML."""
        if event == "sleep":
            time.sleep(1)
        self.count += 1
        return self.template.render({"pid": os.getpid(), "count": self.count})
