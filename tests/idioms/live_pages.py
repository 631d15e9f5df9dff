"""A live page in this process as a browser has it: HTTP, then a socket with the same cookies."""

import json
import re

from asgi_socket import WebSocket
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.test import AsyncClient

from troupe.routing import websocket_urlpatterns

application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
urlpatterns = []  # a test module names its own: pytestmark = pytest.mark.urls(__name__)


class LivePage:
    """A page that was loaded and joined. An async context manager; response: Django's, to the GET.

    async with LivePage("/counter/", client) as page:
        frame = await page.event("more", by=2)
        assert "2" in await page.html()
    """

    def __init__(self, path, client=None, headers=()):
        self.path, self.client, self.number = path, client or AsyncClient(), 0
        self.headers = [(b"origin", b"http://testserver"), (b"host", b"testserver"), *headers]

    async def __aenter__(self):
        self.response = await self.client.get(self.path)
        assert self.response.status_code == 200, (self.response.status_code, self.response.content)
        self.tokens = re.findall(r'data-troupe="([^"]+)"', self.response.content.decode())
        self.joined = await self.connect()
        return self

    async def __aexit__(self, *_):
        await self.socket.disconnect()

    async def connect(self):
        """Opens the socket, and joins. Returns the frame that answers."""
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.client.cookies.items())
        headers = [*self.headers, (b"cookie", cookies.encode())] if cookies else self.headers
        self.socket = WebSocket(application, "/ws/troupe/", headers)
        connected, code = await self.socket.connect()
        assert connected, f"the socket was closed with {code}"
        joined = await self.ask(t="join", views=[{"token": token} for token in self.tokens])
        if joined["t"] == "joined":
            self.view, self.number = joined["views"][0]["v"], joined["n"]
        return joined

    async def ask(self, **frame):
        """Sends a frame; the frame that answers."""
        await self.socket.send(text=json.dumps(frame))
        while True:
            answer = json.loads(await self.socket.text())
            if answer.get("t") != "token":
                return answer
            self.tokens = [answer["token"]]  # of a page with one view

    async def event(self, name, /, **params):
        """Sends an event; the frame that answers."""
        self.number += 1
        return await self.ask(t="event", n=self.number, v=self.view, e=name, p=params)

    async def html(self):
        """The HTML of the root as it is now, without anchors."""
        frame = await self.ask(t="refresh", v=self.view)
        return re.sub(r"<!--\$.*?-->", "", frame["d"]["0"]["h"])
