"""Sentry and OpenTelemetry, as far as they are installed; with transports that keep what they get."""

import contextvars
import logging

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory

from troupe import LiveView
from troupe.runtime import reports, trackers
from troupe.runtime.turn import EVENT, begin_turn

SESSION = "ab" * 16


class Shop(LiveView):
    """With a request."""

    def __init__(self):
        self.request = RequestFactory().get("/shop/?q=1", headers={"user-agent": "Tester"})
        self.request.user = User(pk=3, username="ann", email="ann@example.com")


def turn(view, text, handler="add"):
    """One turn in which a handler logs something and raises; in a context of its own, as the worker runs it."""

    def run():
        logging.getLogger("shop").warning("about to raise %s", text)
        try:
            raise ValueError(text)
        except ValueError as error:
            reports.report(error, view, "shop.views.Shop", handler, SESSION)

    contextvars.Context().run(run)


@pytest.fixture
def sentry():
    """The events that Sentry would have been sent."""
    sdk = pytest.importorskip("sentry_sdk")
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.transport import Transport

    events = []

    class Kept(Transport):
        def __init__(self, options=None):
            super().__init__(options)

        def capture_envelope(self, envelope):
            events.extend(item.payload.json for item in envelope.items)

    sdk.init("http://key@127.0.0.1/1", transport=Kept, integrations=[DjangoIntegration()], send_default_pii=True)
    yield events
    sdk.get_client().close()
    sdk.init()


def test_sentry_gets_one_event_of_each_exception(sentry):
    view = Shop()
    turn(view, "first")
    turn(view, "second")
    first, second = sentry
    (value,) = second["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "second")
    assert value["stacktrace"]["frames"][-1]["function"] == "run"
    assert second["request"]["url"] == "http://testserver/shop/" and second["request"]["query_string"] == "q=1"
    assert second["request"]["headers"]["User-Agent"] == "Tester"
    assert second["user"] == {"id": "3", "email": "ann@example.com", "username": "ann"}
    assert second["tags"]["troupe.view"] == "shop.views.Shop" and second["tags"]["troupe.event"] == "add"
    assert second["contexts"]["troupe"] == {"session": SESSION}
    assert first["transaction"] == second["transaction"] == "/shop/"
    # What one session did is not in another's event, and nothing that differs by session is in the texts.
    assert [crumb["message"] for crumb in second["breadcrumbs"]["values"]] == ["about to raise second"]
    assert SESSION not in str([second["exception"], second.get("message"), second["transaction"]])


def test_what_a_handler_sends_to_sentry_by_itself(sentry, monkeypatch):
    import sentry_sdk
    from sentry_sdk import scope

    monkeypatch.setattr(scope, "global_event_processors", [])
    trackers.install()

    def caught(view):
        begin_turn(view, EVENT, "add")
        with sentry_sdk.new_scope() as own:
            own.set_tag("mine", "1")
            try:
                raise ValueError("caught")
            except ValueError as error:
                sentry_sdk.capture_exception(error)
        logging.getLogger("shop").error("an error was logged")

    contextvars.Context().run(caught, Shop())
    nobody = Shop()
    nobody.request = None
    contextvars.Context().run(caught, nobody)
    contextvars.Context().run(sentry_sdk.capture_message, "outside of any turn")
    first, logged, programs, _, outside = sentry
    assert first["tags"].pop("mine") == "1"
    for event in (first, logged):
        assert event["request"]["url"] == "http://testserver/shop/" and event["user"]["username"] == "ann"
        assert event["transaction"] == "/shop/"
        path = f"{Shop.__module__}.Shop"
        assert event["tags"] == {"troupe.view": path, "troupe.event": "add"}
    assert [crumb["message"] for crumb in (first.get("breadcrumbs") or {}).get("values", [])] == []
    assert programs["tags"]["troupe.event"] == "add" and "request" not in programs
    assert "tags" not in outside and "request" not in outside


def test_opentelemetry_gets_a_span_of_each_exception(monkeypatch):
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    turn(Shop(), "broken")
    (span,) = exporter.get_finished_spans()
    assert span.name == "shop.views.Shop.add" and span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["url.path"] == "/shop/" and span.attributes["session.id"] == SESSION
    (event,) = span.events
    assert event.attributes["exception.type"] == "ValueError" and event.attributes["exception.message"] == "broken"


def test_a_tracker_that_is_not_imported_is_not_missed(monkeypatch, caplog):
    import sys

    for name in ("sentry_sdk", "opentelemetry.trace"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    turn(Shop(), "broken")
    assert [record.name for record in caplog.records] == ["shop", "django.request"]
