"""Asks a project's own ASGI application, in this process, whether it would serve a page's socket and script.

The application is called as a server calls it, so routers, middleware and mounts of any kind are seen through. Troupe's
consumer knows a probe by the scope and does nothing for it (page_socket.py). No server builds such a scope from what
comes over a connection.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.conf import settings

PROBE = "troupe.probe"  # in a scope: a list, to which the consumer appends the scope that reached it
WAIT_SECONDS = 10.0


class Handshake(NamedTuple):
    """How a handshake ended. scope: as the consumer got it; None: it did not. error: what was raised, or None.
    answer: the type of the message that was sent instead, and its close code or status; empty: nothing was.
    """

    scope: dict[str, Any] | None
    error: BaseException | None
    answer: str


class Answer(NamedTuple):
    """How a GET was answered. status: 0 when it was not. error: what was raised, or None."""

    status: int
    content_type: str
    error: BaseException | None


async def handshake(application: Any, path: str) -> Handshake:
    """Opens a socket as a page of this site does."""
    reached: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    received = iter(({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1005}))
    scheme, host = _site()
    scope = {
        "type": "websocket",
        "scheme": "wss" if scheme == "https" else "ws",
        "subprotocols": [],
        PROBE: reached,
        **_common(path, host, [(b"origin", f"{scheme}://{host}".encode())]),
    }
    error = await _call(application, scope, received, sent)
    answer = next((_shown(message) for message in sent), "")
    return Handshake(reached[0] if reached else None, error, answer)


async def get(application: Any, path: str) -> Answer:
    """GETs a path without cookies."""
    sent: list[dict[str, Any]] = []
    scheme, host = _site()
    scope = {"type": "http", "method": "GET", "scheme": scheme, **_common(path, host, [])}
    with _quiet("django.request"):  # it would log that a file was not found
        error = await _call(application, scope, iter(({"type": "http.request", "body": b""},)), sent)
    start = next((message for message in sent if message.get("type") == "http.response.start"), {})
    headers = {name.lower(): value.decode("latin1") for name, value in start.get("headers", ())}
    return Answer(start.get("status", 0), headers.get(b"content-type", ""), error)


async def _call(application: Any, scope: dict[str, Any], received: Iterator[Any], sent: list[Any]) -> Exception | None:
    async def receive() -> Any:
        for message in received:
            return message
        return await asyncio.get_running_loop().create_future()  # the client stays, and says nothing

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await asyncio.wait_for(application(scope, receive, send), WAIT_SECONDS)
    except Exception as error:
        return error
    return None


def _common(path: str, host: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", host.encode()), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


def _site() -> tuple[str, str]:
    """The scheme and a host at which this site would be visited."""
    hosts = [host for host in settings.ALLOWED_HOSTS if host and host != "*"]
    host = hosts[0].lstrip(".") if hosts else "localhost"
    return "https" if settings.SECURE_SSL_REDIRECT else "http", host


def _shown(message: dict[str, Any]) -> str:
    number = message.get("code", message.get("status"))
    return str(message.get("type")) + ("" if number is None else f" ({number})")


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
