"""What is reported of an exception. Pure."""

from typing import NamedTuple

from django.http import HttpRequest


class Raised(NamedTuple):
    """An exception, and where it came from. view: the dotted path of its class. event: the handler's name, or None.
    session: in hex.
    """

    error: BaseException
    request: HttpRequest | None
    view: str
    event: str | None
    session: str
