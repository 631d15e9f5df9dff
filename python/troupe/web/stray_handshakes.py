"""Names a page's handshake that comes as an ordinary request, in the log of the server that got it: it ends as a 404
there, and the page stays dead.
"""

import logging
from typing import Any

from django.core.signals import request_started

from .. import conf
from ..logs import quoted
from .origins import header

logger = logging.getLogger("troupe")

_PROXY = (
    "a proxy in front of this server does not pass the headers Upgrade and Connection on; nginx needs "
    "proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade, and proxy_set_header Connection upgrade"
)
_WSGI = "this server speaks WSGI, which has no WebSockets: let an ASGI server beside it have this path"
_ASGI = "this ASGI server has no library for WebSockets (for uvicorn: pip install websockets)"
_told: set[str] = set()


def connect() -> None:
    """Connects to Django's request_started."""
    request_started.connect(_look, dispatch_uid="troupe.stray_handshakes")


def _look(environ: Any = None, scope: Any = None, **_: object) -> None:
    path = environ.get("PATH_INFO", "") if scope is None else scope.get("path", "")
    if not path.endswith(conf.get("SOCKET_PATH")):
        return
    if scope is None:
        key, upgrade, server = environ.get("HTTP_SEC_WEBSOCKET_KEY"), environ.get("HTTP_UPGRADE"), _WSGI
    else:
        key, upgrade, server = header(scope, b"sec-websocket-key"), header(scope, b"upgrade"), _ASGI
    reason = server if upgrade else _PROXY
    if key and reason not in _told:
        _told.add(reason)
        logger.error("event=stray_handshake path=%s reason=%s", quoted(path), quoted(reason))
