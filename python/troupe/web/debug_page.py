"""What pages get with DEBUG: Django's debug page for an exception in a worker, as FAILED carries it (proto/PROTOCOL.md
5.2), and the names of a view's handlers.
"""

import sys
import zlib
from typing import Any

from django.conf import settings
from django.utils.html import format_html

from .. import conf
from ..errors import ActorError
from ..validation import is_marked

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


def handlers_attribute(path: str) -> str:
    """An attribute of the root of a view, which names its handlers for the browser's console. Empty where browsers may
    call what is no handler, or where the class is not known in this process.
    """
    module, _, name = path.rpartition(".")
    while module and module not in sys.modules:
        module, _, outer = module.rpartition(".")
        name = f"{outer}.{name}"
    cls: Any = sys.modules.get(module)
    for each in name.split("."):
        cls = getattr(cls, each, None)
    if not isinstance(cls, type) or conf.problem("STRICT_EVENTS") or not conf.get("STRICT_EVENTS"):
        return ""
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if is_marked(value)}
    return format_html(' data-troupe-handlers="{}"', " ".join(sorted(names)))
