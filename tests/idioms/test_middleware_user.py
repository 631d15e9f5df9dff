"""Users and URL configurations that middleware of the project's own sets."""

import json

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path, reverse
from live_pages import LivePage

from troupe import LiveView, event_handler


class Impersonate:
    """An administrator looks at the site as somebody else does, as django-hijack and others have it."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        name = request.COOKIES.get("as")
        if name and request.user.is_superuser:
            request.user = AnonymousUser() if name == "nobody" else User.objects.get(username=name)
        return self.get_response(request)


class OtherSite(Impersonate):
    """Another URL configuration for some hosts."""

    def __call__(self, request):
        request.urlconf = "test_middleware_user_urls"
        return self.get_response(request)


class Who(LiveView):
    template_string = "<main dj-root>{{ request.user }} {{ address }} {{ match }}</main>"
    address = match = ""

    @event_handler
    def look(self):
        self.address = reverse("elsewhere")
        self.match = self.request.resolver_match.route

    @event_handler
    async def look_async(self):
        self.address = reverse("elsewhere")


urlpatterns = [path("who/", Who.as_view()), path("plain/", lambda request: HttpResponse(), name="elsewhere")]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def as_module(monkeypatch):
    """A module of another URL configuration."""
    import sys
    import types

    module = types.ModuleType("test_middleware_user_urls")
    module.urlpatterns = [path("who/", Who.as_view()), path("other/", lambda request: HttpResponse(), name="elsewhere")]
    monkeypatch.setitem(sys.modules, module.__name__, module)


async def administrator(name):
    """A client of an administrator who impersonates somebody."""
    root = await User.objects.acreate(username="root", is_superuser=True)
    client = AsyncClient()
    await sync_to_async(client.force_login)(root)
    client.cookies["as"] = name
    return client


@pytest.mark.parametrize(("name", "shown"), [("bob", "bob"), ("nobody", "AnonymousUser"), ("", "root")])
async def test_impersonation_works_on_sockets(settings, name, shown):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Impersonate"]
    settings.TROUPE = {**settings.TROUPE, "USER_CHECK_SECONDS": 0}
    await User.objects.acreate(username="bob")
    client = await administrator(name)
    page = LivePage("/who/", client)
    async with page:
        assert "<main data-troupe" in page.response.content.decode() and f">{shown} " in page.response.content.decode()
        assert page.joined["t"] == "joined", page.joined
        for _ in range(2):
            frame = await page.event("look")
            assert "a" in frame, frame
            assert f">{shown} " in await page.html()


async def test_whoever_is_no_administrator_gets_no_such_page(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Impersonate"]
    await User.objects.acreate(username="bob")
    client = await administrator("bob")
    async with LivePage("/who/", client) as page:
        await User.objects.filter(username="root").aupdate(is_superuser=False)
        refused = await page.connect()
        assert (refused["t"], refused["reason"]) == ("reload", "foreign")


@pytest.fixture
def impersonation(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.BySession"]
    settings.TROUPE = {**settings.TROUPE, "USER_CHECK_SECONDS": 0}


class BySession(Impersonate):
    """The session says who it is, so that another tab can end it. Counts what it sees."""

    seen = 0

    def __call__(self, request):
        BySession.seen += 1
        name = request.session.get("as")
        if name and request.user.is_superuser:
            request.user = User.objects.get(username=name)
        return self.get_response(request)


@sync_to_async
def put(client, name):
    """Another tab begins to impersonate, or ends it."""
    session = client.session
    session["as"] = name
    session.save()


def demote(client):
    User.objects.filter(username="root").update(is_superuser=False)


def deactivate(client):
    User.objects.filter(username="root").update(is_active=False)


def change_password(client):
    root = User.objects.get(username="root")
    root.set_password("another")
    root.save()


ENDS = {
    "another tab ends it": lambda client: put.func(client, ""),
    "another tab goes on to somebody else": lambda client: put.func(client, "eve"),
    "the session is over": lambda client: client.session.delete(),
    "the administrator is none any more": demote,
    "the administrator is deactivated": deactivate,
    "the administrator's password is another one": change_password,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_impersonation_ends_on_open_pages(impersonation, end):
    for name in ("bob", "eve"):
        await User.objects.acreate(username=name)
    client = await administrator("")
    await put(client, "bob")
    async with LivePage("/who/", client) as page:
        seen = BySession.seen
        for _ in range(2):
            assert "a" in await page.event("look")
        assert ">bob " in await page.html()
        assert BySession.seen == seen  # it is asked when there is a reason
        tokens = list(page.tokens)
        await sync_to_async(end)(client)
        frames = [await page.event("look"), json.loads(await page.socket.text())]
        assert {(frame["t"], frame["reason"]) for frame in frames} == {
            ("reload", "user_changed"),
            ("refused", "unknown_session"),
        }
        # A client that does not do as it is told gets nothing over the same socket.
        frame = await page.ask(t="join", views=[{"token": token} for token in tokens])
        assert frame["t"] == "reload" and frame["reason"] in ("foreign", "user_unknown"), frame


async def test_what_else_is_in_the_session_ends_nothing(impersonation):
    await User.objects.acreate(username="bob")
    client = await administrator("")
    await put(client, "bob")
    async with LivePage("/who/", client) as page:
        await User.objects.filter(username="root").aupdate(first_name="Ruth")
        for _ in range(2):
            assert "a" in await page.event("look")
        assert ">bob " in await page.html()


async def test_urlconf_of_middleware(settings, as_module):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.OtherSite"]
    async with LivePage("/who/") as page:
        await page.event("look")
        assert "/other/ who/" in await page.html()
        await page.event("look_async")
        assert "/other/" in await page.html()
    settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
    async with LivePage("/who/") as page:
        await page.event("look")
        assert "/plain/ who/" in await page.html()
