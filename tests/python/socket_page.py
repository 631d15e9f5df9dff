"""A page and its socket, as a browser has them."""

import json
import re

import fake_worker
import urls
from asgi_socket import WebSocket
from django.test import AsyncClient

ORIGIN = [(b"origin", b"http://testserver"), (b"host", b"testserver")]


class Page:
    """A page and its socket."""

    def __init__(self, headers=ORIGIN, application=urls.application):
        self.socket = WebSocket(application, "/ws/troupe/", headers=headers)

    async def __aenter__(self):
        connected, self.code = await self.socket.connect()
        assert connected
        return self

    async def __aexit__(self, *_):
        await self.socket.disconnect()

    async def send(self, **frame):
        await self.socket.send(text=json.dumps(frame))

    async def text(self, text):
        await self.socket.send(text=text)

    async def next(self):
        return json.loads(await self.socket.text())

    async def closed(self):
        return await self.socket.closed()

    async def ask(self, **frame):
        await self.send(**frame)
        return await self.next()

    async def join(self, *tokens, **more):
        joined = await self.ask(t="join", views=[{"token": token, **more} for token in tokens])
        if joined["t"] == "joined":
            self.view, self.number = joined["views"][0]["v"], joined["n"]
        return joined

    async def event(self, name, /, **params):
        self.number += 1
        return await self.ask(t="event", n=self.number, v=self.view, e=name, p=params)


async def load_tokens(path="/counter/", browser=None):
    response = await (browser or AsyncClient()).get(path)
    return re.findall(r'data-troupe="([^"]+)"', response.content.decode())


def made():
    return fake_worker.Session.made[-1]
