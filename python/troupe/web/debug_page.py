"""Django's debug page for an exception in a worker, as FAILED carries it (proto/PROTOCOL.md 5.2)."""

import zlib

from django.conf import settings

from ..errors import ActorError

MAX_TEXT = 16 << 20  # bytes of the page; a worker's own limit is on what they compress to


def read(error: ActorError) -> str | None:
    """The HTML. None: there is none, or DEBUG is off here, whatever the worker sent."""
    if not settings.DEBUG or not error.debug_page:
        return None
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(error.debug_page, MAX_TEXT)
    except zlib.error:
        return None
    return text.decode("utf-8", "replace") if stream.eof else None
