"""What a view can read of its request: each row is the same on a live page as on an ordinary view, all the time."""

import json
import re

import django
import live_pages
import pytest
from asgiref.sync import sync_to_async
from case_45_request.rows import ATTRS, ROWS, ProjectMiddleware, differing, read
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient, Client
from django.urls import path, register_converter
from django.utils.html import escape
from live_pages import LivePage

from troupe import LiveView, event_handler

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


class GroupConverter:
    """A path converter that looks a row up, as some projects have it."""

    regex = "[a-z]+"

    def to_python(self, value):
        found = Group.objects.filter(name=value).first()
        if found is None:
            raise ValueError
        return found

    def to_url(self, value):
        return value.name


register_converter(GroupConverter, "group_of_request")


class OfGroup(LiveView):
    template_string = "<main dj-root>{{ group.name }} {{ n }}</main>"
    n = 0

    def mount(self, request, group):
        self.group = group

    @event_handler
    def more(self):
        self.n += self.request.resolver_match.kwargs["group"] == self.group

    @event_handler
    async def more_later(self):
        self.n += self.request.resolver_match.kwargs["group"] == self.group


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
    path("group/<group_of_request:group>/", OfGroup.as_view()),
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
        "case_45_request.rows.ProjectMiddleware",
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
    [
        (object(), "a object cannot be serialized"),
        (Permission(content_type=ContentType()), "not saved"),
        ("x" * 20_000, "over the limit"),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_name(settings, value, text, monkeypatch):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "case_45_request.rows.ProjectMiddleware"]
    settings.TROUPE = {**settings.TROUPE, "REQUEST_ATTRS": ["odd"]}
    monkeypatch.setitem(ProjectMiddleware.VALUES, "odd", value)
    with pytest.raises(Exception, match=rf"request\.odd.*{text}|{text}.*request\.odd"):
        await AsyncClient().get("/missing/")


async def test_no_attribute_of_djangos_request_is_forgotten():
    public = {name for name in dir(HttpRequest()) if not name.startswith("_")}
    assert public - set(ROWS) - set(OTHER) == set()


async def test_a_path_converter_that_looks_a_row_up():
    """Django itself can resolve such a URL under WSGI only; the page's socket, and its worker, can anyway."""
    await Group.objects.acreate(name="acme")
    client = Client()
    html = (await sync_to_async(client.get)("/group/acme/")).content.decode()
    page = LivePage("/group/acme/", AsyncClient())
    page.client.cookies, page.tokens = client.cookies, re.findall('data-troupe="([^"]+)"', html)
    for _ in range(2):  # the second time it is mounted again, from its token
        assert (await page.connect())["t"] == "joined"
        await page.event("more")
        await page.event("more_later")
        assert "acme 2" in await page.html()
        await page.socket.disconnect()
