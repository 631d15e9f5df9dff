"""What a view can read of its request: each row is the same on a live page as on an ordinary view, all the time."""

import asyncio
import datetime
import decimal
import enum
import json
import uuid

import django
import live_pages
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient
from django.urls import get_script_prefix, get_urlconf, path, reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.html import escape
from live_pages import LivePage

from troupe import LiveView, event_handler


class Colour(enum.Enum):
    RED = "red"


class ProjectMiddleware:
    """Sets what projects set: a tenant that is looked up when it is needed, and values of many kinds."""

    VALUES = {
        "day": datetime.date(2026, 11, 30),
        "at": datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC),
        "price": decimal.Decimal("9.90"),
        "key": uuid.UUID(int=7),
        "colour": Colour.RED,
        "pairs": (("a", 1), {"b": {2, 3}}),
        "large": 1 << 70,
    }
    sync_capable, async_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        for name, value in self.VALUES.items():
            setattr(request, name, value)
        request.tenant = SimpleLazyObject(lambda: Group.objects.get(name="acme"))
        request.word = SimpleLazyObject(lambda: "lazy")
        return self.get_response(request)


ATTRS = [*ProjectMiddleware.VALUES, "tenant", "word"]
UNREACHABLE = "the request of a live page is made from data: no server has these for it"


def evaluated(value):
    """A value that may be lazy, as a text to compare."""
    return value.__class__, str(value)


# Attributes and methods of HttpRequest in Django's documentation, and what stock middleware documents to set.
ROWS = {
    "scheme": lambda request: request.scheme,
    "path": lambda request: request.path,
    "path_info": lambda request: request.path_info,
    "method": lambda request: request.method,
    "encoding": lambda request: request.encoding,
    "content_type": lambda request: request.content_type,
    "content_params": lambda request: request.content_params,
    "GET": lambda request: request.GET,
    "POST": lambda request: (request.POST, type(request.POST), request.POST._mutable),
    "COOKIES": lambda request: {name: value for name, value in request.COOKIES.items() if name == "tea"},
    "FILES": lambda request: request.FILES,
    "META": lambda request: sorted(
        (name, value)
        for name, value in request.META.items()
        if name not in ("HTTP_COOKIE", "CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE", "wsgi.url_scheme", "HTTP_ORIGIN")
    ),
    "META HTTP_COOKIE": lambda request: "tea=green" in request.META.get("HTTP_COOKIE", ""),
    "headers": lambda request: [request.headers[name] for name in ("Host", "Accept", "X-Thing", "accept-language")],
    "headers.get": lambda request: request.headers.get("Missing", "none"),
    "resolver_match": lambda request: (
        request.resolver_match.kwargs,
        request.resolver_match.route.partition("/")[2],
        request.resolver_match.namespaces,
    ),
    "body": lambda request: request.body,
    "read": lambda request: request.read(),
    "readline": lambda request: request.readline(),
    "__iter__": lambda request: list(request),
    "get_host": lambda request: request.get_host(),
    "get_port": lambda request: request.get_port(),
    "get_full_path": lambda request: request.get_full_path(),
    "get_full_path force": lambda request: request.get_full_path(force_append_slash=True),
    "get_full_path_info": lambda request: request.get_full_path_info(),
    "build_absolute_uri": lambda request: request.build_absolute_uri(),
    "build_absolute_uri of": lambda request: request.build_absolute_uri("/x/?y=1"),
    "get_signed_cookie": lambda request: request.get_signed_cookie("seal", None),
    "is_secure": lambda request: request.is_secure(),
    "accepts": lambda request: (request.accepts("text/html"), request.accepts("image/png")),
    "accepted_types": lambda request: list(map(str, request.accepted_types)),
    "user": lambda request: (str(request.user), request.user.is_authenticated, request.user.get_username()),
    "session": lambda request: (request.session.get("basket"), request.session.session_key),
    "site": lambda request: (request.site, request.site.domain),
    "LANGUAGE_CODE": lambda request: request.LANGUAGE_CODE,
    "get_language": lambda request: translation.get_language(),
    "time zone": lambda request: timezone.get_current_timezone_name(),
    "script prefix": lambda request: get_script_prefix(),
    "urlconf": lambda request: (getattr(request, "urlconf", None), get_urlconf(settings.ROOT_URLCONF)),
    "reverse": lambda request: reverse("ordinary", kwargs={"n": 1}).replace("ordinary", "live"),
    "current_app": lambda request: getattr(request, "current_app", None),
    **{name: lambda request, name=name: evaluated(getattr(request, name)) for name in ATTRS},
}
if django.VERSION >= (5, 2):
    ROWS["get_preferred_type"] = lambda request: request.get_preferred_type(["application/json", "text/html"])
if django.VERSION >= (5, 0):
    ROWS["auser"] = lambda request: asyncio.iscoroutinefunction(request.auser.func)
# The rest of HttpRequest's public names, and why they need no row here.
OTHER = {
    "close": "of files, of which there are none",
    "accepted_type": "a helper of get_preferred_type",
    "accepted_types_by_precedence": "a helper of get_preferred_type",
    "parse_file_upload": "for request bodies",
    "readlines": "as readline",
    "upload_handlers": "for request bodies",
    "non_picklable_attrs": "for pickling",
    "multipart_parser_class": "for request bodies",
    "has_header": "as headers",
    "urlconf": "a row",
    "query_params": "another name of GET",
}


def read(request):
    """{row: repr} of a request."""
    return {name: repr(row(request)) for name, row in ROWS.items()}


def ordinary(request, n):
    return JsonResponse(read(request))


class Live(LiveView):
    template_string = "<main dj-root><pre>{{ seen }}</pre></main>"

    def mount(self, request, n):
        self.look()

    @event_handler
    def look(self):
        self.seen = json.dumps(read(self.request))

    @event_handler
    async def look_async(self):
        await sync_to_async(lambda: bool(self.request.user) and self.request.session.get("basket"))()
        self.seen = json.dumps(read(self.request))

    @event_handler
    async def auser(self):
        user = await self.request.auser()
        self.seen = json.dumps(f"{type(user).__name__} {user}")

    @event_handler
    async def user(self):
        await self.request.auser()  # loads it for this turn: the next one looks again
        self.seen = json.dumps(self.request.user.username)


class Form(LiveView):
    template_string = '<main dj-root><form method="post" action="/posted/">{% csrf_token %}</form>{{ n }}</main>'
    n = 0

    @event_handler
    def more(self):
        self.n += 1


def posted(request):
    return HttpResponse("accepted")


class Missing(LiveView):
    template_string = "<main dj-root>{{ seen }}</main>"

    @event_handler
    def look(self, name):
        try:
            self.seen = repr(getattr(self.request, name))
        except AttributeError as error:
            self.seen = f"{error} {hasattr(self.request, name)}"


urlpatterns = [
    path("ordinary/<int:n>/", ordinary, name="ordinary"),
    path("live/<int:n>/", Live.as_view()),
    path("form/", Form.as_view()),
    path("posted/", posted),
    path("missing/", Missing.as_view()),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]
HEADERS = {"accept": "text/html;q=0.9,application/json;q=0.5", "x-thing": "1", "accept-language": "de"}


def as_bytes(headers):
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@pytest.fixture
def project(settings, monkeypatch):
    """The project's middleware, and sockets over TCP as the pages are."""
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.sites.middleware.CurrentSiteMiddleware",
        f"{__name__}.ProjectMiddleware",
    ]
    settings.TROUPE = {**settings.TROUPE, "REQUEST_ATTRS": ATTRS}
    inner = live_pages.application

    async def application(scope, receive, send):
        more = {"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 0), "scheme": "ws"}
        await inner({**scope, **more}, receive, send)

    monkeypatch.setattr(live_pages, "application", application)


class Browser(AsyncClient):
    """A client that always sends these headers."""

    async def get(self, path, *args, **kwargs):
        return await super().get(path, *args, headers=HEADERS, **kwargs)


def fill_basket(client):
    session = client.session
    session["basket"] = 3
    session.save()
    client.cookies["sessionid"] = session.session_key


async def browser(log_in=False):
    """Somebody with cookies and a session, whose tenant exists."""
    await Group.objects.aget_or_create(name="acme")
    client = Browser()
    if log_in:
        user = await User.objects.acreate(username="ann")
        await sync_to_async(client.force_login)(user)
    await sync_to_async(fill_basket)(client)
    client.cookies["tea"] = "green"
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    response = HttpResponse()
    response.set_signed_cookie("seal", "sealed")
    client.cookies["seal"] = response.cookies["seal"].value
    return client


def seen(html):
    """What a live page shows of its request."""
    import html as entities

    return json.loads(entities.unescape(html.partition("<pre>")[2].partition("</pre>")[0]))


def differing(live, plain):
    """{row: (on the live page, on the ordinary view)} where they differ."""
    plain = {name: text.replace("ordinary", "live") for name, text in plain.items()}
    return {name: (live[name], plain[name]) for name in plain if live[name] != plain[name]}


@pytest.mark.parametrize("log_in", [False, True])
async def test_each_row_is_that_of_an_ordinary_view(project, log_in):
    client = await browser(log_in)
    plain = (await client.get("/ordinary/7/?a=1&a=2&b=%C3%A9")).json()
    assert "sealed" in plain["get_signed_cookie"] and ("ann" in plain["user"]) == log_in
    page = LivePage("/live/7/?a=1&a=2&b=%C3%A9", client, as_bytes(HEADERS))
    async with page:
        at_mount = seen(page.response.content.decode())
        assert differing(at_mount, plain) == {}
        for event in ("look", "look_async"):
            frame = await page.event(event)
            assert "a" in frame, frame
            assert differing(seen(await page.html()), plain) == {}, event
    async with page:  # its session is lost: mounted again from the token, over the socket
        frame = await page.event("look")
        assert differing(seen(await page.html()), plain) == {}


async def test_auser_and_user_in_async_handlers(project):
    client = await browser(log_in=True)
    async with LivePage("/live/1/", client) as page:
        if django.VERSION >= (5, 0):
            await page.event("auser")
            assert "User ann" == seen(await page.html())
            await page.event("user")
            assert seen(await page.html()) == "ann"
        else:
            failed = await page.event("auser")
            assert failed["t"] == "failed"
    async with LivePage("/live/1/", Browser()) as page:
        if django.VERSION >= (5, 0):
            await page.event("auser")
            assert seen(await page.html()) == "AnonymousUser AnonymousUser"


async def test_a_form_of_a_live_page_posts_to_an_ordinary_view():
    client = AsyncClient(enforce_csrf_checks=True)
    async with LivePage("/form/", client) as page:
        for html in (page.response.content.decode(), (await page.event("more")) and await page.html()):
            token = html.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            reply = await client.post("/posted/", {"csrfmiddlewaretoken": token})
            assert reply.content == b"accepted"


async def test_what_is_not_there_says_what_to_do(settings):
    settings.TROUPE = {**settings.TROUPE, "REQUEST_ATTRS": ["unset"]}
    async with LivePage("/missing/") as page:
        for name, text in (
            ("organisation", "name it in TROUPE['REQUEST_ATTRS']"),
            ("unset", "was not set on the page's request"),
            ("csp_nonce", "no middleware has set a nonce"),
            ("site", "name it in TROUPE"),
        ):
            await page.event("look", name=name)
            html = await page.html()
            assert escape(text) in html and "False" in html, (name, html)


@pytest.mark.parametrize(
    ("value", "text"),
    [(object(), "a object cannot be serialized"), (Group(name="new"), "not saved"), ("x" * 20_000, "over the limit")],
)
async def test_what_cannot_be_sent_is_refused_by_name(settings, value, text, monkeypatch):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.ProjectMiddleware"]
    settings.TROUPE = {**settings.TROUPE, "REQUEST_ATTRS": ["odd"]}
    monkeypatch.setitem(ProjectMiddleware.VALUES, "odd", value)
    with pytest.raises(Exception, match=rf"request\.odd.*{text}|{text}.*request\.odd"):
        await AsyncClient().get("/missing/")


async def test_no_attribute_of_djangos_request_is_forgotten():
    public = {name for name in dir(HttpRequest()) if not name.startswith("_")}
    assert public - set(ROWS) - set(OTHER) == set()
