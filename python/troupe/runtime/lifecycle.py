"""A view's life cycle: mount, join, and migration to another worker by way of a snapshot."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.http.response import HttpResponseBase, HttpResponseRedirectBase

from .. import project, wire
from ..hooks import check_instance
from ..logs import quoted, word
from ..snapshots import unkept
from ..snapshots.values import Missing
from ..validation import refuse_unused
from ..views import LiveView
from ..wire import RequestMap
from . import gate, permissions
from .atomic import mount_transaction
from .conclusion import finish_mount
from .faults import EFFECTS, FORBIDDEN, FOREIGN_PROJECT, NOT_FOUND, VIEW_REFUSED, WHERE, Refused
from .housekeeping import settled
from .locale import CHOSEN, activate_locale, keep_locale
from .reports import ask_middleware
from .request import WorkerRequest, build_request
from .request_attributes import after_page_load
from .results import redirect_url
from .turn import JOIN, MOUNT, TURN, begin_turn

logger = logging.getLogger("troupe")

Answer = dict[str, Any]  # {"status": int, "headers": [[name, value]…], "body": bytes}; see mount_view()


@settled
def mount_view(
    view: LiveView, path: str, request_map: RequestMap | None, url: str, params: dict[str, Any], socket: bool = False
) -> Answer | None:
    """Builds the request, asks who may have the view, and calls mount(). Returns None, or the HTTP response to send
    instead of the view: {"status", "headers", "body"}, and "refused" if it is not mount()'s.

    mount() may return a response (a redirect, say) or raise Http404 or PermissionDenied; any other value that it
    returns is ignored.
    """
    request_map = _without_project(request_map)
    request = build_request(request_map, url) if request_map is not None else None
    view.request = request
    begin_turn(view, JOIN if socket else MOUNT, "mount")
    activate_locale(view)
    args, kwargs, response = gate.enter(view, request, params, joins=socket)
    if response is None:
        _authorize(view, path, request)
        response = permissions.before_mount(view, request, kwargs)
    if response is not None and socket:
        raise gate.refused(view, response)
    if response is not None:
        return {**_answer(request, response), "refused": True}
    try:
        with mount_transaction(view):
            result = view.mount(request, *args, **kwargs)
    except (Http404, PermissionDenied) as error:
        # The web process raises it again, so that the project's own page is shown; a text of ours could be a script.
        kind = NOT_FOUND if isinstance(error, Http404) else FORBIDDEN
        raise Refused(kind, str(error), effects=_effects_of_mount(request)) from None
    except Exception as error:
        result = ask_middleware(request, error)
        if result is None:
            if isinstance(error, (BadRequest, SuspiciousOperation)):
                vars(error)[EFFECTS] = _effects_of_mount(request)
            raise
    refuse_unused(result, "it")
    check_instance(view)
    if not isinstance(result, HttpResponseBase):
        if request is not None:
            permissions.check_object(view, request)
        return None
    if socket and result.has_header("Location"):
        raise Refused(FORBIDDEN, "mount() answered with a redirect", redirect=redirect_url(view, result))
    if not isinstance(result, HttpResponseRedirectBase) and result.status_code < 300:
        hint = "return None from mount() to show the view"
        status = result.status_code
        logger.warning("event=mount_response view=%s status=%d hint=%s", word(path), status, quoted(hint))
    return _answer(request, result)


@settled
def join_view(
    view: LiveView,
    path: str,
    request_map: RequestMap,
    url: str,
    restored: bool = False,
    params: dict[str, Any] | None = None,
) -> None:
    """A page's socket joins a mounted view: the view gets the socket's request, and dispatch() and authorize() are
    asked again.

    restored: the view comes from a snapshot, so restore() is called. params: those of its mount.
    """
    facts: RequestMap = _without_project(request_map) or {}
    page = getattr(view.request, "_troupe_facts", None)
    request = build_request(after_page_load(page, facts) if page else facts, url)
    before, view.request = view.request, request
    begin_turn(view, JOIN, "restore")
    activate_locale(view)
    gate.join(view, request, params or {}, restored, before)
    _authorize(view, path, request)
    if restored:
        try:
            _restore(view, request, f"{path}.restore()")
        except BaseException as error:
            vars(error).update({WHERE: f"{path}.restore()", EFFECTS: {"anew": True}})
            raise
    gate.check_object(view, request)
    keep_locale(view)


@settled
def restore_view(view: LiveView) -> None:
    """Calls restore() of a view that comes from a snapshot and has no page: a program uses it."""
    _restore(view, view.request, "it")


def _restore(view: LiveView, request: WorkerRequest | None, name: str) -> None:
    restore: Callable[[Any], Any] = view.restore
    refuse_unused(restore(request), name)
    unkept.report_missing(view)


@settled
def apply_state(view: LiveView, path: str, state: dict[str, Any]) -> None:
    """Sets the attributes of a new view from a snapshot, by way of migrate() if its state_version is not the class's.

    state: values by attribute name, and the state_version under "". Refused(view_refused): migrate() returned None.
    """
    version, locale = state.pop("", 0), state.pop(CHOSEN, None)
    missing = {name: value.why for name, value in state.items() if isinstance(value, Missing)}
    for name in missing:
        del state[name]
    if version != view.state_version:
        migrated: Any = view.migrate(version, state)
        refuse_unused(migrated, f"{path}.migrate()")
        if migrated is None:
            raise Refused(VIEW_REFUSED, f"{path}.migrate() returned None for state_version {version!r}")
        if not isinstance(migrated, dict):
            raise TypeError(f"{path}.migrate() must return a dict or None, not {type(migrated).__name__}")
        state = migrated
    view.__dict__.update(state)
    if locale is not None:
        view.__dict__[CHOSEN] = locale
    if missing:
        unkept.note_missing(view, missing)


def carry_view(view: LiveView) -> bytes | None:
    """What join_view() needs to rebuild the request of a view that moves to another worker, packed. None: the view has
    no request.
    """
    request_map = getattr(view.request, "_troupe_facts", None)
    if request_map is None:
        return None
    params = getattr(view.request, "_troupe_params", {})
    return wire.pack_body({"request": request_map, "url": view.request._troupe_url, "params": params})


def is_rebuilt(view: LiveView, name: str, value: Any, error: BaseException) -> bool | Missing:
    """Whether a restored view gets an attribute again that no snapshot can hold: the next join sets it as this one
    did. Missing, which is kept in its place: restore() is overridden, and has to make it; the log says so if it does
    not. error: why it cannot be kept.
    """
    if gate.is_rebuilt(view, name, value):
        return True
    return type(view).restore is not LiveView.restore and Missing(str(error))


def _without_project(request_map: RequestMap | None) -> RequestMap | None:
    """The map without the project that it is from. None: there is no more in it: a program mounts the view.
    Refused(foreign_project): the project is another one.
    """
    if not request_map or "project" not in request_map:
        return request_map
    why = project.explain_foreign(request_map.pop("project"))
    if why:
        raise Refused(FOREIGN_PROJECT, why)
    return request_map or None


def _authorize(view: LiveView, path: str, request: WorkerRequest | None) -> None:
    try:
        allowed = view.authorize(request)
    except PermissionDenied as error:
        raise Refused(FORBIDDEN, str(error) or f"{path}.authorize() refused access") from None
    refuse_unused(allowed, f"{path}.authorize()")
    if not allowed:
        raise Refused(FORBIDDEN, f"{path}.authorize() refused access")


def _answer(request: WorkerRequest | None, response: HttpResponseBase) -> Answer:
    """What mount() answers the page's HTTP request with, in place of the view."""
    if not getattr(response, "is_rendered", True):  # a TemplateResponse
        response.render()
    effects = _effects_of_mount(request)
    headers = [[name, value] for name, value in response.items()]
    headers += [["Set-Cookie", morsel.OutputString()] for morsel in response.cookies.values()]
    return {"status": response.status_code, "headers": headers, "body": _body(response), "effects": effects}


def _effects_of_mount(request: WorkerRequest | None) -> dict[str, Any]:
    """What mount() did to the session and the messages, where there is no view. Such a response stores it as well."""
    effects: dict[str, Any] = {}
    turn = TURN.get()
    if request is not None and turn is not None and turn.kind == MOUNT:
        finish_mount(turn, request, effects)
    return effects


def _body(response: Any) -> bytes:
    if not response.streaming:
        return bytes(response.content)
    if response.is_async:
        raise TypeError("it returned a response that streams asynchronously: answer with it from an ordinary view")
    body = b"".join(response.streaming_content)
    response.close()
    return body
