"""The project's ASGI application below /app, as daphne and hypercorn say it: root_path, and the path with it."""

from cases.asgi import application as site


async def application(scope, receive, send):
    """See the module."""
    if not scope["path"].startswith("/app/"):  # another site
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body"})
        return
    await site({**scope, "root_path": "/app"}, receive, send)
