"""process_exception() of middleware: asked of what mount(), handlers and templates raise, as of a view's exceptions."""

import logging

import pytest
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed, PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template import RequestContext, Template
from django.test import AsyncClient
from django.urls import path
from django.views.debug import (
    ExceptionReporter,
    SafeExceptionReporterFilter,
    get_exception_reporter_class,
    get_exception_reporter_filter,
)
from live_pages import LivePage

from troupe import LiveView, event_handler, tickets
from troupe.request_checks import check_middleware_hooks

heard = []


class NeedsPlan(Exception):
    """A visitor has to pay first."""


class Odd(Exception):
    """Middleware answers with what an event cannot deliver."""


class Outer:
    """Told last, and the first to answer with nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, error):
        heard.append(("outer", type(error).__name__, request.path))


class Billing(Outer):
    def process_exception(self, request, error):
        heard.append(("billing", type(error).__name__, request.path))
        if isinstance(error, NeedsPlan):
            messages.warning(request, "choose a plan")
            request.session["wanted"] = request.path
            return redirect("plans")
        return JsonResponse({}, status=500) if isinstance(error, Odd) else None


class Later(Outer):
    async def process_exception(self, request, error):
        return redirect("plans") if isinstance(error, KeyError) else None


class Unused(Outer):
    def __init__(self, get_response):
        raise MiddlewareNotUsed


class Reporter(ExceptionReporter):
    """A project's own."""


class Filter(SafeExceptionReporterFilter):
    def get_traceback_frame_variables(self, request, tb_frame):
        return []


class Reporting(Outer):
    """Decides for each request how its errors are reported."""

    reporter, filter = Reporter, Filter()

    def __call__(self, request):
        request.exception_reporter_class, request.exception_reporter_filter = self.reporter, self.filter
        return self.get_response(request)


class Adding(Outer):
    def process_template_response(self, request, response):
        return response


ERRORS = {error.__name__: error for error in (NeedsPlan, Odd, ValueError, KeyError, Http404, PermissionDenied)}


class Page(LiveView):
    template_string = "<main dj-root>{{ n }}{% if fails %}{{ boom }}{% endif %}</main>"
    fails = False

    def mount(self, request, what=""):
        self.n = 0
        if what:
            raise ERRORS[what]("in mount")

    @property
    def boom(self):
        raise NeedsPlan("in the template")

    @event_handler
    def act(self, what):
        self.n += 1
        raise ERRORS[what]("in a handler")

    @event_handler
    async def act_later(self, what):
        self.n += 1
        raise ERRORS[what]("in a handler")

    @event_handler
    def show(self):
        self.fails = True

    @event_handler
    def count(self):
        self.n += 1


def plans(request):
    texts = [str(message) for message in messages.get_messages(request)]
    return JsonResponse({"messages": texts, "wanted": request.session.get("wanted")})


def around(request, what):
    source = f"{{% load troupe %}}<body>{{% live_view '{__name__}.Page' what=what %}}{{% troupe_script %}}</body>"
    return HttpResponse(Template(source).render(RequestContext(request, {"what": what})))


urlpatterns = [
    path("page/", Page.as_view()),
    path("page/<what>/", Page.as_view()),
    path("around/<what>/", around),
    path("plans/", plans, name="plans"),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def middleware(settings):
    heard.clear()
    names = ["Outer", "Billing", "Later", "Unused"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *(f"{__name__}.{name}" for name in names)]


@pytest.mark.parametrize("name", ["act", "act_later"])
async def test_a_redirect_for_what_a_handler_raises(name, caplog):
    async with LivePage("/page/") as page:
        frame = await page.event(name, what="NeedsPlan")
        assert frame.get("redirect") == "/plans/" and "error" not in frame, frame
        assert heard == [("billing", "NeedsPlan", "/page/")]
        await page.client.get("/page/", headers={tickets.HEADER: frame["ticket"]})
        assert (await page.client.get("/plans/")).json() == {"messages": ["choose a plan"], "wanted": "/page/"}
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert (await page.event(name, what="KeyError")).get("redirect") == "/plans/"
        assert "a" in await page.event("count")


@pytest.mark.parametrize("name", ["act", "act_later"])
@pytest.mark.parametrize("what", ["ValueError", "Http404", "PermissionDenied"])
async def test_it_is_told_once_of_what_it_does_not_answer(name, what):
    async with LivePage("/page/") as page:
        assert (await page.event(name, what=what))["t"] == "failed"
        assert heard == [("billing", what, "/page/"), ("outer", what, "/page/")]


async def test_an_answer_that_cannot_be_delivered(caplog):
    async with LivePage("/page/") as page:
        assert (await page.event("act", what="Odd"))["t"] == "failed"
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "answered Odd with a JsonResponse (status 500)" in str(record.exc_info[1])


async def test_of_mount():
    client = AsyncClient()
    assert (await client.get("/page/NeedsPlan/"))["Location"] == "/plans/"
    assert (await client.get("/plans/")).json() == {"messages": ["choose a plan"], "wanted": "/page/NeedsPlan/"}
    assert (await client.get("/page/Odd/")).status_code == 500
    for what, status in (("ValueError", 500), ("Http404", 404), ("PermissionDenied", 403)):
        heard.clear()
        client.raise_request_exception = False
        assert (await client.get(f"/page/{what}/")).status_code == status
        assert heard == [("billing", what, f"/page/{what}/"), ("outer", what, f"/page/{what}/")]


async def test_of_a_template_it_is_told():
    async with LivePage("/page/") as page:
        assert (await page.event("show"))["t"] == "failed"
        assert heard == [("billing", "NeedsPlan", "/page/")]


async def test_an_embedded_views_error_is_reported_once(caplog):
    client = AsyncClient(raise_request_exception=False)
    assert (await client.get("/around/ValueError/")).status_code == 500
    loud = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [str(record.exc_info[1]) for record in loud] == ["in mount"]
    (line,) = [record for record in caplog.records if "reported by the worker" in record.getMessage()]
    assert line.levelname == "WARNING" and "/around/ValueError/" in line.getMessage() and line.exc_info is None


async def test_a_requests_own_exception_reporter(settings, caplog):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Reporting"]
    async with LivePage("/page/") as page:
        assert (await page.event("act", what="ValueError"))["t"] == "failed"
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert get_exception_reporter_class(record.request) is Reporter
    assert type(get_exception_reporter_filter(record.request)) is Filter


def with_state():
    own = Filter()
    own.hidden = "more"
    return own


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("filter", with_state(), "exception_reporter_filter is a Filter with attributes of its own"),
        ("reporter", type("Local", (ExceptionReporter,), {}), "exception_reporter_class is .* no worker can import"),
    ],
)
async def test_one_that_cannot_travel_is_refused(settings, monkeypatch, name, value, text):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Reporting"]
    monkeypatch.setattr(Reporting, name, value)
    with pytest.raises(ImproperlyConfigured, match=text):
        await AsyncClient().get("/page/")


async def test_hooks_that_live_pages_do_not_call_are_named(settings):
    assert check_middleware_hooks() == []
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Adding"]
    (message,) = check_middleware_hooks()
    assert message.id == "troupe.W043" and f"{__name__}.Adding.process_template_response()" in message.msg
