"""The end of a turn: what it does beside its patch becomes the answer's `effects` (proto/PROTOCOL.md 5.2)."""

import json
from typing import Any

from ..access import NotSignedIn
from ..views import LiveView
from .faults import BAD_REQUEST, FORBIDDEN, NOT_FOUND, RATE_LIMITED, Refused, kind_of
from .housekeeping import settled
from .raised import Raised
from .reports import log
from .request import new_cookies
from .results import redirect_url
from .turn import MOUNT, TURN

Effects = dict[str, Any]
# (effects, the browser's part of them as members of a JSON object, headers of the page, identity); each may be None.
Conclusion = tuple[Effects | None, str | None, list[list[str]] | None, bytes | None]

_TEXTS = {NOT_FOUND: "Not Found", FORBIDDEN: "Forbidden", BAD_REQUEST: "Bad Request", RATE_LIMITED: "Too Many Requests"}
_FOR_BROWSER = ("redirect", "ticket")


@settled
def conclude(view: LiveView, path: str) -> Conclusion | None:
    """After a view's last code in a turn that did not fail. path: the view's."""
    turn = TURN.get()
    if turn is None:
        return None
    headers = cookie_headers(view.request) if turn.kind == MOUNT else []
    if turn.response is None and not headers:
        return None
    effects: Effects = {}
    if turn.response is not None and turn.response.has_header("Location"):
        effects["redirect"] = redirect_url(view, turn.response)
    return effects or None, members(effects), headers or None, None


def cookie_headers(request: Any) -> list[list[str]]:
    """The Set-Cookie headers of a session that is new."""
    return [["Set-Cookie", text] for text in new_cookies(request)] if request is not None else []


def raise_refusal(view: LiveView, error: BaseException) -> None:
    """Raises Refused in place of what Django answers with a status below 500, and logs it as Django does. What the
    handler left in the session is stored all the same, as before such a response.
    """
    kind = kind_of(error)
    if kind is None:
        return
    concluded = conclude(view, "")
    turn, cls = TURN.get(), type(view)
    name = turn.name if turn is not None else None
    log(Raised(error, view.request, f"{cls.__module__}.{cls.__qualname__}", name or None, ""))
    message = f"{_TEXTS[kind]}: {error}" if str(error) else _TEXTS[kind]
    url = redirect_url(view, error.response) if isinstance(error, NotSignedIn) else None
    raise Refused(kind, message, url, effects=concluded[0] if concluded else None) from error


def members(effects: Effects) -> str | None:
    """What of the effects is for the browser, as members of a JSON object, each behind a comma. None: nothing."""
    shown = {name: effects[name] for name in _FOR_BROWSER if name in effects}
    return "," + json.dumps(shown, separators=(",", ":"))[1:-1] if shown else None
