"""What Sentry and OpenTelemetry know of an exception besides the exception itself, where the project uses them.

Their Django integrations learn of the request in a WSGI or ASGI handler or in a middleware, which no turn passes.
Nothing is imported that the project has not imported.
"""

import contextlib
import sys
from collections.abc import Generator
from typing import Any

from django.http import HttpRequest

from .raised import Raised

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


@contextlib.contextmanager
def _sentry_scope(raised: Raised) -> Generator[None, None, None]:
    """A scope that adds what SentryWsgiMiddleware would. Grouping is by the exception: none of it is in the message."""
    sentry: Any = sys.modules["sentry_sdk"]
    if not hasattr(sentry, "new_scope"):  # before 2.0
        yield
        return
    with sentry.new_scope() as scope:
        scope.set_tag("troupe.view", raised.view)
        scope.set_tag("troupe.event", raised.event or "")
        scope.set_context("troupe", {"session": raised.session})
        if raised.request is not None:
            facts = _request_facts(raised.request)

            def add(event: dict[str, Any], _: object) -> dict[str, Any]:
                event["request"] = {**facts, **(event.get("request") or {})}
                return event

            scope.add_event_processor(add)
        yield


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
