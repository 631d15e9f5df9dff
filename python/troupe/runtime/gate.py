"""Who may have a page, asked in its worker: the view's own dispatch() and setup(), and the decorators of its URL.

They are asked on the view itself when it is mounted, and on a new instance, the probe, when its page joins and before
each turn: setup() must not reset the state of the view that lives. A view around which nothing was put is not asked.
docs/decisions/django/0036 has the reasons.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from ..admission import ASKED, Question
from ..views import LiveView
from . import permissions
from .faults import FORBIDDEN, NOT_FOUND, VIEW_REFUSED, Refused
from .request import WorkerRequest
from .results import redirect_url

_ASKED_FOR: ContextVar[LiveView | None] = ContextVar("troupe_asked_for", default=None)  # in this turn, the last one


class Entry(NamedTuple):
    """How Django would call a view: args and kwargs, those of setup(), and as_view()'s keywords.

    match: of the page's URL; None for a view that is embedded in another page.
    """

    match: ResolverMatch | None
    initkwargs: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def entry_of(cls: type[LiveView], request: WorkerRequest, params: dict[str, Any]) -> Entry:
    """params: the wire's. Refused(forbidden): the page's URL leads nowhere here."""
    route = getattr(request, "_troupe_facts", {}).get("route")
    if route is None:
        return Entry(None, {}, (), params)
    match = request.resolver_match
    if match is None:
        text = f"{request.path} leads to no view in this worker, so that {cls.__qualname__} cannot be had there"
        raise Refused(FORBIDDEN, text)
    initkwargs = getattr(match.func, "view_initkwargs", {}) if _view_class(match) is cls else {}
    if route == "url":
        return Entry(match, initkwargs, match.args, match.kwargs)
    return Entry(match, initkwargs, (), params)


def _view_class(match: ResolverMatch) -> Any:
    return getattr(match.func, "view_class", None)


def _complete(view: LiveView, entry: Entry) -> None:
    """Calls __init__() of a view that open_view() left to us, as its keywords are in the URLconf only."""
    if entry.match is None or _view_class(entry.match) is not type(view):
        raise Refused(
            VIEW_REFUSED,
            f"{_path(view)}.as_view() has keywords that cannot travel to a worker. It looks for them in the URLconf, "
            "but a decorator there hides them. Use functools.wraps in that decorator",
        )
    view.__dict__.clear()
    view.__init__(**entry.initkwargs)  # type: ignore[misc]


@functools.lru_cache(maxsize=4096)
def _is_probed(cls: Any, function: Callable[..., Any] | None) -> bool:
    """Whether anything is put around the view. function: its URL's; None: it has no URL."""
    if cls.dispatch is not LiveView.dispatch or cls.setup is not LiveView.setup:
        return True
    return not _is_bare(cls, function) if function is not None else _own_function(cls) is not None


@functools.cache
def _own_function(cls: Any) -> Callable[..., Any] | None:
    """What an as_view() of the project's own returns, for a view without a URL: it may have put something around it.
    None: as_view() is not overridden.
    """
    base: Any = LiveView
    return None if cls.as_view.__func__ is base.as_view.__func__ else cls.as_view()


def _is_bare(cls: type[LiveView], function: Callable[..., Any]) -> bool:
    """Whether it is what cls.as_view() returned, with no decorator around it."""
    return getattr(function, "_troupe_function", None) is function and getattr(function, "view_class", None) is cls


def enter(
    view: LiveView, request: WorkerRequest | None, params: dict[str, Any], joins: bool
) -> tuple[tuple[Any, ...], dict[str, Any], HttpResponseBase | None]:
    """Before mount(): setup() and dispatch() of the view itself. Returns (args, kwargs, response): those of mount(),
    and what to send instead of the page if that is not to be mounted. What setup() and dispatch() raise is raised.

    joins: for a page that is open already, so that its URL's decorators were not asked just now, over HTTP. A view
    without a request is a program's, and nobody is asked.
    """
    if request is None:
        view.args, view.kwargs = (), params
        return (), params, None
    cls: Any = type(view)
    entry = entry_of(cls, request, params)
    if "_troupe_incomplete" in vars(view):
        _complete(view, entry)
        view.request = request
    _attach(view, request, entry, params)
    if request._troupe_probed and (joins or (entry.match is None and _own_function(cls) is not None)):
        _probe(view, request)
    view.setup(request, *entry.args, **entry.kwargs)
    args, kwargs, response = entry.args, entry.kwargs, None
    if cls.dispatch is not LiveView.dispatch:
        question = Question(cls)
        response = _dispatch(question, view.dispatch, request, args, kwargs)
        if question.is_admitted(response):
            args, kwargs, response = response.args, response.kwargs, None
    if request._troupe_probed or entry.initkwargs:
        request._troupe_made = dict(view.__dict__)
    return args, kwargs, permissions.check(view, request) if response is None else response


def _attach(view: LiveView, request: WorkerRequest, entry: Entry, params: dict[str, Any]) -> None:
    request._troupe_entry, request._troupe_params = entry, params
    cls: Any = type(view)
    request._troupe_probed = _is_probed(cls, entry.match.func if entry.match is not None else None)
    request._troupe_asked = request._troupe_probed or permissions.has_any(view)
    if request._troupe_asked:
        _ASKED_FOR.set(view)


def _dispatch(
    question: Question, function: Callable[..., Any], request: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    token = ASKED.set(question)
    try:
        response = function(request, *args, **kwargs)
        if inspect.isawaitable(response):  # a decorator of the project's own is async
            response = async_to_sync(_await)(response)
        return response
    finally:
        ASKED.reset(token)


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def join(
    view: LiveView, request: WorkerRequest, params: dict[str, Any], restored: bool, before: WorkerRequest | None
) -> None:
    """The page of a view that is mounted joins with another request. Refused(forbidden): it may not.

    restored: the view is made of a snapshot, so that it lacks what no snapshot can hold; what as_view(), setup() and
    dispatch() set is set again. before: the request until now.
    """
    entry = entry_of(type(view), request, params)
    view.args, view.kwargs = entry.args, entry.kwargs
    _attach(view, request, entry, params)
    made, attributes = entry.initkwargs, view.__dict__
    if request._troupe_probed:
        probe = _probe(view, request)
        view.args, view.kwargs = probe.args, probe.kwargs
        made = probe.__dict__
    if restored:
        request._troupe_made = {name: value for name, value in made.items() if name not in attributes}
        attributes.update(request._troupe_made)
    else:
        request._troupe_made = getattr(before, "_troupe_made", None)
    _check(view, request)


def is_rebuilt(view: LiveView, name: str, value: Any) -> bool:
    """Whether as_view(), setup() or dispatch() gave the view this very attribute."""
    made = getattr(view.request, "_troupe_made", None)
    return made is not None and name in made and made[name] is value


def before_turn(view: LiveView) -> None:
    """Before anything runs or is shown for a page that is open, once a turn. Refused(forbidden): its user may no longer
    have it.
    """
    request = view.request
    if request is None or _ASKED_FOR.get() is view:
        return
    if not (getattr(request, "_troupe_asked", False) or view.login_required or view.permission_required):
        return
    if getattr(request, "_troupe_probed", False):
        _probe(view, request)
    _check(view, request)
    check_object(view, request)
    _ASKED_FOR.set(view)


def check_object(view: LiveView, request: Any) -> None:
    """Asks has_object_permission(). Refused(forbidden)."""
    with _refusing(view):
        permissions.check_object(view, request)


def _check(view: LiveView, request: Any) -> None:
    with _refusing(view):
        response = permissions.check(view, request)
    if response is not None:
        raise refused(view, response)


@contextmanager
def _refusing(view: LiveView) -> Iterator[None]:
    try:
        yield
    except PermissionDenied as error:
        raise Refused(FORBIDDEN, str(error) or f"{_path(view)} refused access") from None
    except (Http404, ObjectDoesNotExist) as error:  # a row that was deleted: the page is loaded again (faults.py)
        text = str(error) or f"{_path(view)} does not exist any more"
        raise Refused(NOT_FOUND, text, effects={"gone": True}) from None


def _probe(view: LiveView, request: Any) -> LiveView:
    """Asks the decorators of the URL, setup() and dispatch(). Returns the instance that they admitted."""
    cls: Any = type(view)
    entry: Entry = request._troupe_entry
    question = Question(cls)
    with _refusing(view):
        if entry.match is not None and not _is_bare(cls, entry.match.func):
            match = entry.match
            response = _dispatch(question, match.func, request, match.args, match.kwargs)
        elif entry.match is None and (function := _own_function(cls)) is not None:
            response = _dispatch(question, function, request, entry.args, entry.kwargs)
        else:
            probe = cls(**entry.initkwargs)
            probe.setup(request, *entry.args, **entry.kwargs)
            response = _dispatch(question, probe.dispatch, request, entry.args, entry.kwargs)
    if not question.is_admitted(response):
        raise refused(view, response)
    return question.view


def refused(view: LiveView, response: Any) -> Refused:
    """For a page that is open: what dispatch(), or a decorator of the URL, answered instead of it. Whom it redirects
    (to log in, say) the browser sends there.
    """
    status = getattr(response, "status_code", None)
    what = f"HTTP status {status}" if status is not None else f"a {type(response).__name__}"
    text = f"{_path(view)} may not be had: its dispatch(), or a decorator of its URL, answered with {what}"
    is_redirect = isinstance(response, HttpResponseBase) and 300 <= response.status_code < 400
    url = redirect_url(view, response) if is_redirect and response.has_header("Location") else None
    return Refused(FORBIDDEN, text, redirect=url)


def _path(view: LiveView) -> str:
    return f"{type(view).__module__}.{type(view).__qualname__}"
