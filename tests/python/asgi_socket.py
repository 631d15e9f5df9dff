"""A WebSocket to an ASGI application in this process.

Not channels.testing: that imports daphne in Channels 4.0, which nothing here needs.
"""

from asgiref.testing import ApplicationCommunicator

PATIENCE = 120  # s; only what hangs takes so long


class WebSocket(ApplicationCommunicator):
    """One connection. headers: list of (bytes, bytes)."""

    def __init__(self, application, path, headers=()):
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": list(headers), "subprotocols": []}
        super().__init__(application, scope)

    async def connect(self):
        """(True, None), or (False, close code)."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(PATIENCE)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def send(self, **frame):
        """Send `text` or `bytes`."""
        await self.send_input({"type": "websocket.receive", **frame})

    async def text(self):
        """The next frame's text."""
        answer = await self.receive_output(PATIENCE)
        assert answer["type"] == "websocket.send", answer
        return answer["text"]

    async def closed(self):
        """The code of the close that comes next."""
        answer = await self.receive_output(PATIENCE)
        assert answer["type"] == "websocket.close", answer
        return answer["code"]

    async def disconnect(self):
        """Go, and wait for the application to end."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(PATIENCE)
