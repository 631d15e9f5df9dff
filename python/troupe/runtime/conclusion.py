"""The end of a turn: what it does beside its patch becomes the answer's `effects` (proto/PROTOCOL.md 5.2).

Django's own middleware does to an empty response what it would do to a view's: stores messages, saves the session, sets
cookies. A socket cannot set any, so its page gets a ticket for them. At mount there is a response, with a request and
middleware of its own in the web process: the session is saved here, and that process is told the rest
(web/mount_effects.py).
"""

import functools
import json
import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import escape_leading_slashes
from django.utils.module_loading import import_string

from .. import tickets
from ..access import NotSignedIn
from ..session_engine import identity_of
from ..snapshots.unkept import take_warnings
from ..views import LiveView
from ..wire import owner_of
from . import messages
from .faults import BAD_REQUEST, FORBIDDEN, NOT_FOUND, RATE_LIMITED, Refused, kind_of
from .housekeeping import settled
from .raised import Raised
from .reports import log
from .request import WorkerRequest
from .results import redirect_url
from .session import check_exchange, cookie_is_due
from .turn import EVENT, MOUNT, TICK, TURN, Turn

Effects = dict[str, Any]
# (effects, the browser's part of them as members of a JSON object, identity); each may be None.
Conclusion = tuple[Effects | None, str | None, bytes | None]

_TEXTS = {NOT_FOUND: "Not Found", FORBIDDEN: "Forbidden", BAD_REQUEST: "Bad Request", RATE_LIMITED: "Too Many Requests"}
_FOR_BROWSER = ("redirect", "ticket", "warnings")
_MAX_WARNINGS = 20  # of one answer
_SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"


@settled
def conclude(view: LiveView, path: str) -> Conclusion | None:
    """After a view's last code in a turn that did not fail. path: the view's. Refused: the session is gone."""
    turn = TURN.get()
    if turn is None:
        return None
    request = view.request
    turn.warnings += take_warnings(view)
    if turn.response is None and turn.messages is None and not turn.warnings and not _uses_session(turn, request):
        return None
    effects: Effects = {"warnings": turn.warnings[:_MAX_WARNINGS]} if turn.warnings and turn.kind != MOUNT else {}
    response = turn.response if turn.response is not None else HttpResponse()
    if response.has_header("Location"):
        effects["redirect"] = redirect_url(view, response)
    if not isinstance(request, WorkerRequest):  # a program's view, or a test's
        _finish_messages(turn, request, response)
        return (effects, members(effects), None) if effects else None
    if turn.kind == MOUNT:
        identity = finish_mount(turn, request, effects)
    else:
        browser = _cookies_of_browser(request)
        identity = _apply_to_response(turn, request, response, effects)
        cookies = [morsel.OutputString() for morsel in response.cookies.values()]
        if cookies or turn.left:
            check_exchange(request)
            effects["ticket"] = tickets.make(cookies, browser, turn.left)
    return (effects, members(effects), identity) if effects else None


def finish_mount(turn: Turn, request: WorkerRequest, effects: Effects) -> bytes | None:
    """Saves the session, and adds to the effects what the page's own request has to know (PROTOCOL.md 5.2). Returns
    the identity if the actor's is to change.
    """
    if turn.messages is not None:
        told = messages.told_at_mount(turn, request)
        if told is not None:
            effects["messages"] = told
        messages.finish_messages(turn)
    secret = request.META.get("CSRF_COOKIE")
    if secret != request._troupe_facts.get("csrf"):
        effects["csrf"] = secret
    session = turn.session
    if session is None or not session.modified:
        return None
    if not session.is_empty():
        try:
            session.save()
        except UpdateError as error:
            raise _session_gone(request) from error
    effects["session"] = True
    return _note_login(turn, request, session, effects)


def _cookies_of_browser(request: WorkerRequest) -> dict[str, str]:
    """By which a ticket knows it again. The session's is that of the page, whatever the socket's handshake had."""
    cookies = {name: value for name, value in request.COOKIES.items() if name != settings.SESSION_COOKIE_NAME}
    key = request._troupe_facts.get("session_key")
    return {**cookies, settings.SESSION_COOKIE_NAME: key} if key else cookies


def _uses_session(turn: Turn, request: Any) -> bool:
    if turn.session is not None:
        return True
    return bool(settings.SESSION_SAVE_EVERY_REQUEST and turn.kind == EVENT and _has_session(request))


def _has_session(request: Any) -> bool:
    return isinstance(request, WorkerRequest) and hasattr(request, "session")


def _apply_to_response(turn: Turn, request: WorkerRequest, response: Any, effects: Effects) -> bytes | None:
    """Does what Django's middleware would do to the response of this turn. Adds `login` to the effects if the user or
    the session's key is another one now, and returns the identity if the actor's is to change.
    """
    before = request._troupe_facts
    _finish_messages(turn, request, response)
    if request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
        # {% csrf_token %} asks for the cookie at each rendering, only to make it last longer. A page load does that.
        if request.META["CSRF_COOKIE"] != request.COOKIES.get(settings.CSRF_COOKIE_NAME):
            _middleware(_CSRF).process_response(request, response)
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False
    if not _uses_session(turn, request):
        _remember_cookies(request, response)
        return None
    session = request.session
    try:
        _middleware(_SESSION).process_response(request, response)
    except SessionInterrupted as error:
        raise _session_gone(request) from error
    name = settings.SESSION_COOKIE_NAME
    if name in response.cookies:
        if response.cookies[name].value and not cookie_is_due(request, session):
            del response.cookies[name]
        else:
            request._troupe_cookie_at = time.time()
    identity = None
    if session.modified or session.session_key != (before.get("session_key") or None):
        identity = _note_login(turn, request, session, effects)
    _remember_cookies(request, response)
    return identity


def _session_gone(request: WorkerRequest) -> Refused:
    """Another request has deleted the session: the user logged out, or in, elsewhere. Loading the page again shows it
    to whoever they are now.
    """
    text = "the session was deleted before the event was over: perhaps the user has logged out elsewhere"
    return Refused(BAD_REQUEST, text, escape_leading_slashes(request.get_full_path()))


def _note_login(turn: Turn, request: WorkerRequest, session: Any, effects: Effects) -> bytes | None:
    """Updates the request map when the user or the session's key has changed."""
    facts = request._troupe_facts
    before = facts.get("session_key") or None
    by_session = facts.get("user") is None or facts.get("backend") is not None
    user = session.get("_auth_user_id") if by_session else facts.get("user")
    if session.session_key == before and user == facts.get("user"):
        return None
    login = {
        "user": user,
        "backend": session.get("_auth_user_backend") if by_session else facts.get("backend"),
        "session_key": session.session_key,
    }
    effects["login"] = login
    logged_out = facts.get("user") is not None and user is None
    if logged_out and turn.kind != MOUNT:
        # The page is loaded again, for nobody.
        effects.setdefault("redirect", escape_leading_slashes(request.get_full_path()))
    request._troupe_facts = {**facts, **login}  # type: ignore[typeddict-item]
    # A session without an identity belongs to whoever joins it: the page has yet to get its cookie.
    return owner_of(identity_of(user, session.session_key), user) if before or user else None


def _remember_cookies(request: WorkerRequest, response: Any) -> None:
    """What the browser will have sent with its next request."""
    if not response.cookies:
        return
    cookies = dict(request.COOKIES)
    for name, morsel in response.cookies.items():
        if morsel.value and morsel["max-age"] != 0:
            cookies[name] = morsel.value
        else:
            cookies.pop(name, None)
    request.COOKIES = cookies
    facts = {**request._troupe_facts, "cookies": cookies, "csrf": request.META.get("CSRF_COOKIE")}
    request._troupe_facts = facts  # type: ignore[assignment]


def _finish_messages(turn: Turn, request: Any, response: HttpResponseBase) -> None:
    if turn.view is None:
        return
    if response.has_header("Location"):
        messages.pass_on_messages(turn, request, response)
    elif turn.messages is not None and isinstance(request, WorkerRequest):
        messages.finish_messages(turn, request, response)
    elif turn.messages is not None:
        messages.finish_messages(turn)


@functools.cache
def _middleware(path: str) -> Any:
    """The project's middleware of this class, or of one that derives from it; else the class's own."""
    stock = import_string(path)
    for name in settings.MIDDLEWARE:
        found = import_string(name)
        if isinstance(found, type) and issubclass(found, stock):
            return found(_no_response)
    return stock(_no_response)


def _no_response(request: Any) -> HttpResponse:
    return HttpResponse()


@receiver(setting_changed, dispatch_uid="troupe.runtime.conclusion")
def _clear(*, setting: str, **_: object) -> None:
    if setting in ("MIDDLEWARE", "SESSION_ENGINE"):
        _middleware.cache_clear()


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
    effects = dict(concluded[0] or {}) if concluded else {}
    if kind == NOT_FOUND and turn is not None and turn.kind == TICK:
        effects["gone"] = True  # nobody waits for an answer: the page says so by itself (faults.py)
    raise Refused(kind, message, url, effects=effects) from error


def members(effects: Effects) -> str | None:
    """What of the effects is for the browser, as members of a JSON object, each behind a comma. None: nothing."""
    shown = {name: effects[name] for name in _FOR_BROWSER if name in effects}
    return "," + json.dumps(shown, separators=(",", ":"))[1:-1] if shown else None
