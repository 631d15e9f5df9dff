"""A page whose handlers break their worker. Its answers are ignored; that one arrives is what counts."""

import asyncio
import contextlib
import html
import json
import re

import websockets
from node_pages import get

SECONDS = 30


class Bad:
    """A page of faulted.views.Bad."""

    def __init__(self, port):
        self.port = port

    async def ask(self, name):
        """Calls one handler, and waits until that was answered, somehow. OSError: the page cannot be reached."""
        with contextlib.suppress(websockets.WebSocketException, RuntimeError):
            text, _ = await asyncio.to_thread(get, self.port, "/bad/")
            token = html.unescape(re.search(r'data-troupe="([^"]+)"', text)[1])
            origin = f"http://127.0.0.1:{self.port}"
            async with (
                asyncio.timeout(SECONDS),
                websockets.connect(f"ws://127.0.0.1:{self.port}/ws/troupe/", origin=origin, proxy=None) as socket,
            ):
                await socket.send(json.dumps({"t": "join", "views": [{"token": token}]}))
                joined = json.loads(await socket.recv())
                if joined["t"] == "joined":
                    event = {"n": joined["n"] + 1, "v": joined["views"][0]["v"], "e": name, "p": {}}
                    await socket.send(json.dumps({"t": "event", **event}))
                    await socket.recv()
