"""What a handler returns or raises, and what becomes of it. A live page has one answer to an event: its patch. It can
be sent elsewhere beside that, and nothing more.
"""

import logging
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedRedirect
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.encoding import iri_to_uri
from django.utils.http import escape_leading_slashes

from .._limits import MAX_URL
from ..logs import word
from ..validation import refuse_unused
from ..views import LiveView
from .faults import BAD_REQUEST, FORBIDDEN, NOT_FOUND, Refused
from .turn import current_turn

logger = logging.getLogger("troupe")

_REFUSALS = {400: BAD_REQUEST, 403: FORBIDDEN, 404: NOT_FOUND, 410: NOT_FOUND}
# They would run, or be read, as a document of the page's own origin.
_DOCUMENTS = ("javascript", "data", "vbscript", "blob", "filesystem", "about", "view-source")
_SKIPPED = "".join(map(chr, range(33)))  # control characters and blanks before a URL, which browsers skip
_ADVICE = (
    "an event has no response of its own. Assign to attributes and let the template show them, or return redirect() to "
    "an ordinary view that answers"
)

_warned: set[tuple[type, str, type]] = set()


def take_result(view: LiveView, value: Any) -> bool:
    """Takes what a handler returned (not None). True: the user is to leave the page, so there is nothing to render.

    TypeError: the value was meant to reach the browser, and cannot. Refused: it is a response that refuses.
    """
    if isinstance(value, HttpResponseBase):
        return _take_response(view, value)
    refuse_unused(value, "it")
    if isinstance(value, (str, bytes, dict)):
        raise TypeError(f"it returned a {type(value).__name__}, which no browser will see: {_ADVICE}.")
    turn = current_turn()
    name = turn.name
    if not settings.DEBUG:
        return False
    turn.warnings.append(f"{name}() returned a value of type {type(value).__name__}, which is ignored: {_ADVICE}.")
    if (type(view), name, type(value)) not in _warned:
        _warned.add((type(view), name, type(value)))
        path = f"{type(view).__module__}.{type(view).__qualname__}.{name}"
        logger.warning("event=value_ignored handler=%s type=%s", word(path), word(type(value).__name__))
    return False


def _take_response(view: LiveView, response: HttpResponseBase) -> bool:
    status = response.status_code
    if 300 <= status < 400 and response.has_header("Location"):
        redirect_url(view, response)  # checks it, while the handler can be named
        current_turn().response = response
        return True
    if is_empty(response):
        current_turn().response = response  # its cookies
        return False
    response.close()
    if status in _REFUSALS:
        raise Refused(_REFUSALS[status], f"it returned a {type(response).__name__} ({status})")
    raise TypeError(f"it returned a {type(response).__name__} (status {status}), which cannot be delivered: {_ADVICE}.")


def is_empty(response: HttpResponseBase) -> bool:
    """Whether there is nothing in it for the browser to show."""
    if response.status_code in (204, 205, 304):
        return True
    if response.streaming or not getattr(response, "is_rendered", True):
        return False
    return response.status_code < 300 and not getattr(response, "content", b"")


def redirect_url(view: LiveView, response: HttpResponseBase) -> str:
    """Where a redirect leads, for the browser's address bar. DisallowedRedirect: Django's HttpResponseRedirect would
    not lead there, or it is too long.

    A browser follows a Location header to fewer places than the script that stands in for it here. So one that was made
    by hand is held to what HttpResponseRedirect allows, and quoted as there.
    """
    allowed = getattr(response, "allowed_schemes", HttpResponseRedirect.allowed_schemes)
    scheme = urlsplit(response["Location"].lstrip(_SKIPPED)).scheme.lower()
    if scheme in _DOCUMENTS:
        raise DisallowedRedirect(f"Unsafe redirect to URL with protocol '{scheme}'")
    if scheme and scheme not in allowed:
        advice = "a class derived from HttpResponseRedirect may name it in allowed_schemes"
        raise DisallowedRedirect(f"Unsafe redirect to URL with protocol '{scheme}': {advice}")
    location: str = iri_to_uri(response["Location"])
    if view.request is not None:
        # The URL of a page may begin with two slashes; what follows them would be taken for a host.
        location = urljoin(escape_leading_slashes(view.request.get_full_path()), location)
    if len(location) > MAX_URL:
        raise DisallowedRedirect(f"the URL of the redirect has {len(location)} characters; at most {MAX_URL}")
    return location
