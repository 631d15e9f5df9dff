"""What a handler, a tick or mount() returns or raises: it does what the visitor expects, or is refused with a word."""

import io

import pytest
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation, ValidationError
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseForbidden,
    HttpResponseGone,
    HttpResponseNotFound,
    HttpResponseNotModified,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler, tickets
from troupe.testing import LiveViewTestClient


def permanent(view):
    return redirect("there", permanent=True)


def preserving(view):
    response = HttpResponseRedirect("/there/")
    response.status_code = 307
    return response


def with_cookie(view):
    response = redirect("/there/")
    response.set_cookie("tea", "hot", httponly=True)
    return response


class Script(HttpResponseRedirect):
    allowed_schemes = ["javascript", "blob"]


class App(HttpResponseRedirect):
    """As OAuth servers have it for programs on phones."""

    allowed_schemes = ["com.example.app"]


def by_hand(location):
    """A row: a response with this Location, and what becomes of it."""
    return lambda view: HttpResponse(status=302, headers={"Location": location})


def missing_row(view):
    from django.contrib.auth import get_user_model

    return get_object_or_404(get_user_model(), pk=0)


def raising(error):
    def give(view):
        raise error

    return give


# name: (what the handler does, the redirect or None, the error's kind or None)
RETURNED = {
    "None": (lambda view: None, None, None),
    "redirect() by name": (lambda view: redirect("there"), "/there/", None),
    "redirect() to a relative URL": (lambda view: redirect("../there/"), "/there/", None),
    "redirect() to a query": (lambda view: HttpResponseRedirect("?page=2"), "/page/?page=2", None),
    "redirect() to another site": (lambda view: redirect("https://example.org/"), "https://example.org/", None),
    "a permanent one": (permanent, "/there/", None),
    "HttpResponsePermanentRedirect": (lambda view: HttpResponsePermanentRedirect("/there/"), "/there/", None),
    "307": (preserving, "/there/", None),
    "302 by hand": (lambda view: HttpResponse(status=302, headers={"Location": "/there/"}), "/there/", None),
    "to a script": (lambda view: Script("javascript:alert(1)"), None, "bad_request"),
    "to a script by hand": (
        lambda view: HttpResponse(status=302, headers={"Location": "JavaScript:alert(1)"}),
        None,
        "bad_request",
    ),
    "to a blob": (lambda view: Script("blob:http://testserver/1"), None, "bad_request"),
    "to a program": (lambda view: App("com.example.app:/done"), "com.example.app:/done", None),
    "to mailto:": (lambda view: redirect("mailto:ann@example.org"), None, "bad_request"),
    **{
        f"to {location!r} by hand": (by_hand(location), None, "bad_request")
        for location in (
            "mailto:ann@example.org",
            "blob:http://testserver/1",
            "ws://testserver/",
            "java\tscript:alert(1)",
            "\x01 javascript:alert(1)",
            "view-source:http://testserver/",
            "com.example.app:/done",
        )
    },
    # Browsers take a backslash for a slash, and Django quotes it.
    "to a backslash": (lambda view: redirect("/\\evil.example"), "/%5Cevil.example", None),
    "to a backslash by hand": (by_hand("/\\evil.example"), "/%5Cevil.example", None),
    "to two of them by hand": (by_hand("\\\\evil.example"), "/page/%5C%5Cevil.example", None),
    "to another host": (lambda view: redirect("//example.org/"), "//example.org/", None),
    "to another host by hand": (by_hand("//example.org/"), "//example.org/", None),
    "to ftp": (lambda view: redirect("ftp://example.org/"), "ftp://example.org/", None),
    "to letters of the world by hand": (by_hand("/übersicht/?q=é"), "/%C3%BCbersicht/?q=%C3%A9", None),
    "to a URL without an end": (lambda view: redirect("/" + "x" * 10000), None, "bad_request"),
    "204": (lambda view: HttpResponse(status=204), None, None),
    "an empty response": (lambda view: HttpResponse(), None, None),
    "304": (lambda view: HttpResponseNotModified(), None, None),
    "HttpResponse": (lambda view: HttpResponse("text"), None, "python"),
    "JsonResponse": (lambda view: JsonResponse({}), None, "python"),
    "FileResponse": (lambda view: FileResponse(io.BytesIO(b"x")), None, "python"),
    "StreamingHttpResponse": (lambda view: StreamingHttpResponse([b"x"]), None, "python"),
    "TemplateResponse": (lambda view: TemplateResponse(view.request, "x.html"), None, "python"),
    "render()": (lambda view: render(view.request, "registration/logged_out.html"), None, "python"),
    "HttpResponseNotFound": (lambda view: HttpResponseNotFound(), None, "not_found"),
    "HttpResponseGone": (lambda view: HttpResponseGone("gone"), None, "not_found"),
    "HttpResponseForbidden": (lambda view: HttpResponseForbidden("no"), None, "forbidden"),
    "500": (lambda view: HttpResponse("x", status=500), None, "python"),
    "a str": (lambda view: "saved", None, "python"),
    "bytes": (lambda view: b"saved", None, "python"),
    "a dict": (lambda view: {"saved": True}, None, "python"),
    "True": (lambda view: True, None, None),
    "a number": (lambda view: 7, None, None),
    "a list": (lambda view: [1], None, None),
    "Http404": (raising(Http404("no such thing")), None, "not_found"),
    "get_object_or_404()": (missing_row, None, "not_found"),
    "PermissionDenied": (raising(PermissionDenied), None, "forbidden"),
    "SuspiciousOperation": (raising(SuspiciousOperation("odd")), None, "bad_request"),
    "BadRequest": (raising(BadRequest("odd")), None, "bad_request"),
    "ValidationError": (raising(ValidationError("odd")), None, "python"),
}


class Page(LiveView):
    template_string = "<main dj-root>{% for m in messages %}<li>{{ m }}</li>{% endfor %}{{ n }}</main>"

    def mount(self, request):
        self.n = 0

    @event_handler
    def give(self, row):
        self.n += 1
        return RETURNED[row][0](self)

    @event_handler
    async def give_later(self, row):
        self.n += 1
        if row == "get_object_or_404()":
            raise Http404
        return RETURNED[row][0](self)

    @event_handler
    def count(self):
        self.n += 1

    @event_handler
    def cookie(self):
        return with_cookie(self)

    @event_handler
    def go(self, to):
        return HttpResponseRedirect(to)

    @event_handler
    def say(self):
        messages.success(self.request, "said")
        return redirect("there")


class Elsewhere(LiveView):
    template_string = "<main dj-root></main>"

    def mount(self, request):
        return redirect("there")


class File(LiveView):
    template_string = "<main dj-root></main>"

    def mount(self, request):
        return FileResponse(io.BytesIO(b"the file"), filename="a.txt")


class Anywhere(Page):
    """Its URL is what the visitor wants."""

    def mount(self, request, address):
        super().mount(request)
        request.session["asked"] = address
        if address.startswith("missing"):
            raise Http404(f"there is no {address}")
        if address.startswith("secret"):
            raise PermissionDenied(f"you may not see {address}")


def there(request):
    return HttpResponse(request.COOKIES.get("tea", ""))


urlpatterns = [
    path("page/", Page.as_view()),
    path("elsewhere/", Elsewhere.as_view()),
    path("file/", File.as_view()),
    path("there/", there, name="there"),
    path("<path:address>", Anywhere.as_view()),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["give", "give_later"])
@pytest.mark.parametrize("row", RETURNED)
async def test_what_a_handler_returns_or_raises(row, name):
    _, target, kind = RETURNED[row]
    async with LivePage("/page/") as page:
        frame = await page.event(name, row=row)
        assert frame.get("redirect") == target, frame
        assert (frame.get("error") or {}).get("kind") == kind, frame
        await page.event("count")  # the page lives on
        assert "<main" in await page.html()


@pytest.mark.asyncio
async def test_a_redirects_cookie_is_handed_over():
    async with LivePage("/page/") as page:
        frame = await page.event("cookie")
        assert "hot" not in str(frame)
        await page.client.get(page.path, headers={tickets.HEADER: frame["ticket"]})
        assert (await page.client.get(frame["redirect"])).content == b"hot"


@pytest.mark.asyncio
async def test_what_mount_returns():
    assert (await AsyncClient().get("/elsewhere/")).headers["Location"] == "/there/"
    response = await AsyncClient().get("/file/")
    assert response.content == b"the file" and "a.txt" in response.headers["Content-Disposition"]


@pytest.mark.parametrize(("address", "status"), [("missing", 404), ("secret", 403)])
@pytest.mark.parametrize("template", ["", "ours: {{ exception }}"])
def test_mount_that_raises_shows_the_projects_page(client, settings, address, status, template):
    client.get("/first/")
    if template:
        options = {"loaders": [("django.template.loaders.locmem.Loader", {f"{status}.html": template})]}
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False, "OPTIONS": options}]
    response = client.get(f"/{address}<script>")
    assert response.status_code == status
    assert "<script>" not in response.content.decode()
    assert template == "" or response.content.decode().startswith("ours: ")
    assert client.session["asked"] == f"{address}<script>"


@pytest.mark.asyncio
async def test_a_page_whose_address_looks_like_a_host():
    """Two slashes begin a host: neither redirects nor a form that is sent early may lead there."""
    path = "/%2Fevil.example/"
    async with LivePage(path) as page:
        assert (await page.event("go", to="/there/"))["redirect"] == "/there/"
        assert (await page.event("go", to="next"))["redirect"] == "/%2Fevil.example/next"
        assert (await page.event("go", to=""))["redirect"] == "/%2Fevil.example/"
    assert (await AsyncClient().post(path)).headers["Location"] == "/%2Fevil.example/"


def test_the_test_client_shows_redirects_and_messages():
    client = LiveViewTestClient(Page).mount()
    assert client.redirect is None
    result = client.send_event("say")
    assert result["redirect"] == client.redirect == "/there/"
    assert client.send_event("count")["redirect"] is None and "said" not in client.html
    assert LiveViewTestClient(Elsewhere).mount().redirect == "/there/"
