"""From which origins a page's socket may be opened."""

from typing import Any
from urllib.parse import urlparse

from channels.security.websocket import OriginValidator
from django.conf import settings

from .. import conf


def origin_allowed(scope: dict[str, Any]) -> bool:
    """Whether a socket with this scope's Origin may be opened; the rules are LiveViewConsumer's."""
    origin = header(scope, b"origin")
    if not origin:
        return settings.DEBUG
    hosts = list(settings.ALLOWED_HOSTS)
    if settings.DEBUG and not hosts:
        hosts = [".localhost", "127.0.0.1", "[::1]"]
    if "*" in hosts:
        own_host = header(scope, b"x-forwarded-host" if settings.USE_X_FORWARDED_HOST else b"host")
        hosts = [urlparse("//" + own_host).hostname or ""]
    allowed = [host for host in hosts if host] + list(conf.get("ORIGINS"))
    try:
        return OriginValidator(None, allowed).valid_origin(urlparse(origin))
    except ValueError:  # a port that is no number
        return False


def header(scope: dict[str, Any], name: bytes) -> str:
    """A header of an ASGI scope. name: in lower case. Empty: it has none."""
    for key, value in scope.get("headers", ()):
        if key == name:
            return value.decode("latin1")
    return ""
