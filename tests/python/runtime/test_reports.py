"""What watchers hear of an exception: the signal, the loggers and their levels, the debug page."""

import logging
import sys
import zlib

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.base import BaseHandler
from django.core.signals import got_request_exception
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from troupe import LiveView, event_handler
from troupe.errors import HandlerTimeout
from troupe.runtime import entry, faults, reports

SESSION = "ab" * 16
PASSWORD = "horse" * 3  # stands in no source line


class Shop(LiveView):
    """With a request."""

    def __init__(self, path="/shop/"):
        self.request = RequestFactory().get(path)


@pytest.fixture
def signals():
    """What receivers of got_request_exception got: (sender, request, the exception that is being handled)."""
    heard = []

    def receive(sender, request, **_):
        heard.append((sender, request, sys.exc_info()[1]))

    got_request_exception.connect(receive)
    yield heard
    got_request_exception.disconnect(receive)


def report(error, view=None, event="add"):
    try:
        raise error
    except BaseException as caught:
        return reports.report(caught, view, "shop.views.Shop", event, SESSION)


@pytest.mark.parametrize(
    "error, name, level, status, text, traceback",
    [
        (ValueError("x"), "django.request", "ERROR", 500, "Internal Server Error: /shop/", True),
        (HandlerTimeout(), "django.request", "ERROR", 500, "Internal Server Error: /shop/", True),
        (SystemExit(3), "django.request", "ERROR", 500, "Internal Server Error: /shop/", True),
        (Http404("x"), "django.request", "WARNING", 404, "Not Found: /shop/", False),
        (PermissionDenied("x"), "django.request", "WARNING", 403, "Forbidden (Permission denied): /shop/", True),
        (BadRequest("x\ny"), "django.request", "WARNING", 400, "x\\ny: /shop/", True),
        (
            MultiPartParserError("x"),
            "django.request",
            "WARNING",
            400,
            "Bad request (Unable to parse request body): /shop/",
            True,
        ),
        (SuspiciousOperation("x"), "django.security.SuspiciousOperation", "ERROR", 400, "x", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_each_kind_is_logged_as_django_does(caplog, signals, error, name, level, status, text, traceback):
    """django.core.handlers.exception.response_for_exception()."""
    view = Shop()
    assert report(error, view) is None  # DEBUG is off
    (record,) = caplog.records
    assert (record.name, record.levelname, record.status_code, record.getMessage()) == (name, level, status, text)
    assert record.request is view.request
    assert (record.view, record.event, record.session) == ("shop.views.Shop", "add", SESSION)
    assert bool(record.exc_info) is traceback
    assert not record.exc_info or record.exc_info[1] is error
    assert signals == ([(None, view.request, error)] if status == 500 else [])


def test_the_traceback_is_the_projects(caplog, signals):
    report(ValueError("x"), Shop())
    traceback = caplog.records[0].exc_info[2]
    assert traceback.tb_next is None and traceback.tb_frame.f_code.co_name == "report"
    assert signals[0][2].__traceback__ is traceback


def test_without_a_request_the_view_is_named(caplog, signals):
    report(ValueError("x"), None, None)
    assert caplog.records[0].getMessage() == "Internal Server Error: shop.views.Shop"
    assert caplog.records[0].request is None and signals[0][:2] == (None, None)


def test_refusals_are_no_exceptions(caplog, signals):
    assert report(faults.Refused("forbidden", "no")) is None
    assert not caplog.records and not signals


def test_a_receiver_that_raises_is_named(caplog):
    def receive(**_):
        raise RuntimeError("no line to the tracker")

    got_request_exception.connect(receive)
    try:
        assert report(ValueError("x"), Shop()) is None
    finally:
        got_request_exception.disconnect(receive)
    (record,) = caplog.records
    assert record.levelname == "WARNING" and record.getMessage().startswith("event=report_failed view=shop.views.Shop")
    assert "no line to the tracker" in record.getMessage()


def test_nothing_escapes_when_logging_itself_is_broken(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no log")

    monkeypatch.setattr(logging.Logger, "handle", broken)
    assert report(ValueError("x"), Shop()) is None


def test_tools_that_wrap_get_response_see_the_request(monkeypatch, signals):
    """As Sentry's integration does."""
    seen = []
    original = BaseHandler.get_response

    def get_response(self, request):
        seen.append(request)
        return original(self, request)

    monkeypatch.setattr(BaseHandler, "get_response", get_response)
    view = Shop()
    report(ValueError("x"), view)
    assert seen == [view.request] and len(signals) == 1


def test_the_debug_page_is_djangos(settings):
    settings.DEBUG = True
    page = zlib.decompress(report(ValueError("<b>"), Shop())).decode()
    assert "ValueError" in page and "&lt;b&gt;" in page and "/shop/" in page and "raise error" in page


@sensitive_variables("card")
def pay():
    card = " ".join(["4711", "0815"])
    amount = " ".join(["17", "EUR"])
    raise ValueError(len(card + amount))


def test_sensitive_variables_are_hidden_from_mails(caplog):
    """Django's reporter finds the decorator among the callers of the frames: they are the handler's own."""
    try:
        pay()
    except ValueError as error:
        reports.report(error, Shop(), "shop.views.Shop", "pay", SESSION)
    (record,) = caplog.records
    html = ExceptionReporter(record.request, *record.exc_info, is_email=True).get_traceback_html()
    assert "17 EUR" in html and "4711 0815" not in html


class Terse(ExceptionReporter):
    """A project's own."""

    def get_traceback_html(self):
        return "<p>terse</p>" if self.request.path == "/shop/" else "x"


def test_the_projects_reporter_makes_it(settings):
    settings.DEBUG, settings.DEFAULT_EXCEPTION_REPORTER = True, f"{__name__}.Terse"
    assert zlib.decompress(report(ValueError("x"), Shop())) == b"<p>terse</p>"


def test_a_debug_page_that_is_too_large_is_left_out(settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(reports, "MAX_DEBUG_PAGE", 100)
    assert report(ValueError("x"), Shop()) is None


@pytest.mark.parametrize("error", [ValueError("refused"), SuspiciousOperation("refused")], ids=["500", "400"])
def test_what_is_sensitive_is_in_no_frame(caplog, error):
    """The parameters of an event are local variables of the code that calls the handler."""

    class Login(Shop):
        @event_handler
        @sensitive_variables("password")
        def log_in(self, password: str):
            raise error

    view = Login()
    call = entry.find_handler(view, "shop.views.Login", "log_in", True)
    try:
        entry.run_handler(call, view, {"password": PASSWORD})
    except Exception as raised:
        reports.report(raised, view, "shop.views.Login", "log_in", SESSION)
    (record,) = caplog.records
    html = ExceptionReporter(view.request, *record.exc_info).get_traceback_html()  # as mail to ADMINS with include_html
    assert "raise error" in html and PASSWORD not in html
    assert "handlers.py" not in logging.Formatter().formatException(record.exc_info)


@pytest.mark.parametrize("broken", ["__str__", "__repr__"])
def test_an_exception_that_cannot_be_shown(caplog, settings, broken):
    def fail(self):
        raise RuntimeError("broken")

    error = type("Broken", (Exception,), {broken: fail, "__str__": fail})()
    settings.DEBUG = True
    assert report(error, Shop()) is None
    first, *others = caplog.records
    assert first.getMessage() == "Internal Server Error: /shop/"
    assert [record.getMessage().partition(" ")[0] for record in others] == ["event=report_failed"]
