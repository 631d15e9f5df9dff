"""The project's ASGI application behind a proxy that names the user on pages, and not on sockets."""

from cases.asgi import application as site


async def application(scope, receive, send):
    """See the module."""
    if scope["type"] == "websocket":
        scope = {**scope, "headers": [item for item in scope["headers"] if item[0] != b"x-forwarded-user"]}
    await site(scope, receive, send)
