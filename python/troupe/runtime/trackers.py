"""What Sentry and OpenTelemetry know of an exception besides the exception itself, where the project uses them.

Their Django integrations learn of the request in a WSGI or ASGI handler or in a middleware, which no turn passes.
Nothing is imported that the project has not imported.
"""

import contextlib
import contextvars
import sys
from collections.abc import Callable, Generator
from typing import Any

from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse

from .raised import Raised
from .turn import EVENT, TICK, TURN

_VIEW = "troupe.view"  # a tag
HEADERS = ("Host", "User-Agent", "Referer")  # nothing that could be a secret


@contextlib.contextmanager
def told(raised: Raised) -> Generator[None, None, None]:
    """Around a report."""
    with contextlib.ExitStack() as stack:
        if "sentry_sdk" in sys.modules:
            stack.enter_context(_sentry_scope(raised))
        if "opentelemetry.trace" in sys.modules:
            stack.enter_context(_span(raised))
        yield


def as_request(request: HttpRequest, call: Callable[[], object]) -> None:
    """Calls a function where Django calls a view. Tools that wrap BaseHandler.get_response (Sentry's does) add what
    they know of the request to what they report.
    """

    def respond(_: HttpRequest) -> HttpResponse:
        call()
        response = HttpResponse(status=500)
        response._has_been_logged = True
        return response

    handler: Any = BaseHandler()
    handler._middleware_chain = respond
    handler.get_response(request)


def install() -> None:
    """In a worker, once the project is set up: what its code sends to Sentry by itself, or logs, says where it is from,
    as that of an ordinary view does. Costs nothing until then.
    """
    scopes: Any = sys.modules.get("sentry_sdk.scope")
    if hasattr(scopes, "use_scope"):  # from 2.0 on
        scopes.add_global_event_processor(_add_turn)


def _add_turn(event: dict[str, Any], hint: dict[str, Any]) -> Any:
    turn = TURN.get()
    if turn is None or turn.view is None or event.get("type") or _VIEW in (event.get("tags") or {}):
        return event
    cls, request = type(turn.view), turn.view.request
    name = turn.name if turn.kind in (EVENT, TICK) else ""
    return contextvars.copy_context().run(
        _described, event, hint, f"{cls.__module__}.{cls.__qualname__}", name, request
    )


def _described(event: dict[str, Any], hint: dict[str, Any], view: str, name: str, request: Any) -> Any:
    """Scope.apply_to_event() would have the project's own processors run twice: so only what this scope has is done."""
    scopes: Any = sys.modules["sentry_sdk.scope"]
    with scopes.use_scope(scopes.Scope()) as scope:
        request = request if isinstance(request, HttpRequest) else None
        _describe(scope, view, name, request)
        event["tags"] = {_VIEW: view, "troupe.event": name, **(event.get("tags") or {})}
        if request is not None:
            as_request(request, lambda: None)
            if event.get("transaction") is None and scope._transaction is not None:
                event["transaction"], event["transaction_info"] = scope._transaction, scope._transaction_info
        for process in list(scope._event_processors):
            event = process(event, hint)
        return event


@contextlib.contextmanager
def _sentry_scope(raised: Raised) -> Generator[None, None, None]:
    """A scope that adds what SentryWsgiMiddleware would. Grouping is by the exception: none of it is in the message."""
    sentry: Any = sys.modules["sentry_sdk"]
    if not hasattr(sentry, "new_scope"):  # before 2.0
        yield
        return
    with sentry.new_scope() as scope:
        _describe(scope, raised.view, raised.event or "", raised.request)
        scope.set_context("troupe", {"session": raised.session})
        yield


def _describe(scope: Any, view: str, event_name: str, request: HttpRequest | None) -> None:
    scope.set_tag(_VIEW, view)
    scope.set_tag("troupe.event", event_name)
    if request is not None:
        facts = _request_facts(request)

        def add(event: dict[str, Any], _: object) -> dict[str, Any]:
            event["request"] = {**facts, **(event.get("request") or {})}
            return event

        scope.add_event_processor(add)


def _request_facts(request: HttpRequest) -> dict[str, Any]:
    headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
    url = f"{request.scheme}://{request.META.get('HTTP_HOST') or request.META.get('SERVER_NAME', '')}{request.path}"
    query = request.META.get("QUERY_STRING", "")
    return {"url": url, "method": request.method, "query_string": query, "headers": headers}


@contextlib.contextmanager
def _span(raised: Raised) -> Generator[None, None, None]:
    """A span for what failed, with the exception, as their middleware's has it. It has no duration of its own."""
    trace: Any = sys.modules["opentelemetry.trace"]
    name = f"{raised.view}.{raised.event}" if raised.event else raised.view
    attributes = {"code.namespace": raised.view, "code.function": raised.event or "", "session.id": raised.session}
    if raised.request is not None:
        attributes["url.path"] = raised.request.path
    options = {"kind": trace.SpanKind.SERVER, "attributes": attributes}
    with trace.get_tracer("troupe").start_as_current_span(name, **options) as span:
        span.record_exception(raised.error)
        span.set_status(trace.Status(trace.StatusCode.ERROR, type(raised.error).__qualname__))
        yield
