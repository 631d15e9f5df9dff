"""Reports what user code raises to those who watch the site, in the process where it was raised.

It reaches them as an exception of an ordinary view does (django.core.handlers.exception): by the signal
`got_request_exception` and the loggers `django.request` and `django.security`, and so the mail to ADMINS and whatever
the project has connected. The text of a record is the same for each session; which one it was is in its attributes.

Any thread, with the GIL, in the context of the turn.
"""

import contextvars
import functools
import inspect
import logging
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    MiddlewareNotUsed,
    PermissionDenied,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception, setting_changed
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.debug import get_exception_reporter_class

from .._limits import MAX_DEBUG_PAGE
from ..errors import HandlerTimeout, RateLimited
from ..logs import quoted, word
from ..snapshots.errors import RowGone
from ..views import LiveView
from .faults import Refused, user_traceback
from .housekeeping import note_interruption
from .raised import Raised
from .trackers import as_request, told
from .turn import TURN

logger = logging.getLogger("troupe")
request_logger = logging.getLogger("django.request")

_ASKED = "_troupe_asked"  # an attribute of an exception: the turn in which middleware was asked of it


def report(error: BaseException, view: LiveView | None, path: str, event: str | None, session: str) -> bytes | None:
    """Reports an exception. Returns Django's debug page for it, compressed, if DEBUG is on.

    A receiver or a logging handler that raises, or is interrupted by the soft limit, costs the rest of the report.
    """
    if isinstance(error, (Refused, RowGone)):
        return None
    request = getattr(view, "request", None)
    raised = Raised(error, request if isinstance(request, HttpRequest) else None, path, event, session)
    try:
        # A copy: what watchers leave in it (a scope of Sentry's, an active URLconf) ends with the report.
        return contextvars.copy_context().run(_report, raised)
    except BaseException as failure:
        if isinstance(failure, HandlerTimeout):
            note_interruption()
        _report_failed(raised, failure)
        return None


def _report_failed(raised: Raised, failure: BaseException) -> None:
    try:
        logger.warning(
            "event=report_failed view=%s session=%s error=%s failure=%s",
            word(raised.view),
            word(raised.session),
            quoted(_repr(raised.error)),
            quoted(_repr(failure)),
        )
    except Exception:  # the project's logging itself is broken: nobody is left to tell
        return


def _repr(error: BaseException) -> str:
    try:
        return repr(error)
    except BaseException:
        return f"<{type(error).__name__} that cannot be shown>"


def _report(raised: Raised) -> bytes | None:
    traceback = user_traceback(raised.error)
    try:
        raise raised.error  # watchers read sys.exc_info()
    except BaseException:
        raised.error.__traceback__ = traceback  # without this frame
        with told(raised):
            ask_middleware(raised.request, raised.error)  # it may watch, too; no page can show its response now
            if raised.request is None:
                log(raised)
            else:
                as_request(raised.request, lambda: log(raised))
        return _debug_page(raised) if settings.DEBUG else None


def log(raised: Raised) -> None:
    """Logs an exception as Django does, by its kind. One that is no 4xx is signalled, too. It is being handled."""
    error, path = raised.error, raised.request.path if raised.request is not None else raised.view
    if isinstance(error, Http404):
        _write(raised, request_logger, logging.WARNING, 404, "Not Found: %s", path, traceback=False)
    elif isinstance(error, PermissionDenied):
        _write(raised, request_logger, logging.WARNING, 403, "Forbidden (Permission denied): %s", path)
    elif isinstance(error, RateLimited):
        _write(raised, request_logger, logging.WARNING, 429, "Too Many Requests: %s", path, traceback=False)
    elif isinstance(error, MultiPartParserError):
        text = "Bad request (Unable to parse request body): %s"
        _write(raised, request_logger, logging.WARNING, 400, text, path)
    elif isinstance(error, BadRequest):
        _write(raised, request_logger, logging.WARNING, 400, "%s: %s", str(error), path)
    elif isinstance(error, SuspiciousOperation):
        security = logging.getLogger(f"django.security.{type(error).__name__}")
        _write(raised, security, logging.ERROR, 400, "%s", str(error))
    else:
        got_request_exception.send(sender=None, request=raised.request)
        _write(raised, request_logger, logging.ERROR, 500, "%s: %s", "Internal Server Error", path)


def _write(
    raised: Raised, to: logging.Logger, level: int, status: int, text: str, *args: str, traceback: bool = True
) -> None:
    escaped = [arg.encode("unicode_escape").decode("ascii") for arg in args]  # as Django's own log_message()
    error = raised.error
    extra = {
        "request": raised.request,
        "status_code": status,
        "view": raised.view,
        "event": raised.event,
        "session": raised.session,
        "troupe_kind": (raised.view, raised.event, type(error), _place(error)),
    }
    exc_info = (type(error), error, user_traceback(error)) if traceback else None
    to.log(level, text, *escaped, exc_info=exc_info, extra=extra)


def _place(error: BaseException) -> tuple[str, int]:
    """Where it was raised: the file and line of the innermost frame."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno) if traceback is not None else ("", 0)


def _debug_page(raised: Raised) -> bytes | None:
    """The page of the project's exception reporter. None: it is too large."""
    error = raised.error
    reporter = get_exception_reporter_class(raised.request)(raised.request, type(error), error, error.__traceback__)
    page = zlib.compress(reporter.get_traceback_html().encode("utf-8", "replace"))
    return page if len(page) <= MAX_DEBUG_PAGE else None


_ExceptionMethod = Callable[[Any, BaseException], HttpResponseBase | None]


def ask_middleware(request: Any, error: BaseException) -> HttpResponseBase | None:
    """Asks process_exception() of the project's middleware, the one next to the view first, as Django does of what a
    view raises. Returns the first answer. None: there is none. Whatever process_exception() raises is raised.

    Middleware runs in the web process: here is another instance, which hears of exceptions only, once in a turn.
    """
    turn = TURN.get()
    if not isinstance(error, Exception) or not isinstance(request, HttpRequest):
        return None
    if (turn is not None and vars(error).get(_ASKED) is turn) or type(error).__module__.startswith("troupe."):
        return None
    vars(error)[_ASKED] = turn
    for method in _exception_methods():
        response = method(request, error)
        if response is not None:
            return response
    return None


@functools.cache
def _exception_methods() -> tuple[_ExceptionMethod, ...]:
    return tuple(_find_exception_methods())


def _find_exception_methods() -> Iterator[_ExceptionMethod]:
    for path in reversed(settings.MIDDLEWARE):
        found: Any = import_string(path)
        if not inspect.isclass(found) or not hasattr(found, "process_exception"):
            continue
        make: Any = found  # mypy takes what isclass() narrows for an object
        try:
            middleware = make(_no_response)
        except MiddlewareNotUsed:
            continue
        method = middleware.process_exception
        yield async_to_sync(method) if iscoroutinefunction(method) else method


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@receiver(setting_changed, dispatch_uid="troupe.runtime.reports")
def _clear(*, setting: str, **_: object) -> None:
    if setting == "MIDDLEWARE":
        _exception_methods.cache_clear()
