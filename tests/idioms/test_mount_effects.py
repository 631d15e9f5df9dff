"""What mount() and its template do to the session, the messages and the CSRF token of a page: as on an ordinary view,
for a page of its own and for {% live_view %}, whatever the page's middleware and view do to them.
"""

import re

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model, login, logout
from django.contrib.sessions.backends import signed_cookies
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template import RequestContext, Template
from django.test import AsyncClient, Client
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler

SHOWN = "{% for m in messages %}<li class='{{ m.tags }}'>{{ m }}</li>{% endfor %}"


def count(request, key):
    request.session[key] = request.session.get(key, 0) + 1


def log_in(request):
    login(request, get_user_model().objects.get(username="ann"))
    count(request, "mount")


def add(request):
    messages.success(request, "of mount", extra_tags="mine")


# What mount() does, by the word in its URL.
ACTS = {
    "none": lambda request: None,
    "count": lambda request: count(request, "mount"),
    "expire": lambda request: request.session.set_expiry(77),
    "cycle": lambda request: request.session.cycle_key(),
    "flush": lambda request: request.session.flush(),
    "cookie": lambda request: request.session.set_test_cookie(),
    "log_in": log_in,
    "log_out": logout,
    "add": add,
}


class Page(LiveView):
    template_string = "<main dj-root>{{ read }}{{ user }}" + SHOWN + "<form>{% csrf_token %}</form></main>"

    def mount(self, request, act):
        self.read = f"web={request.session.get('web')} "
        ACTS[act](request)

    @event_handler
    def again(self):
        count(self.request, "event")


class Silent(Page):
    template_string = "<main dj-root>{{ read }}</main>"


class Elsewhere(LiveView):
    """Its mount() answers without a view."""

    template_string = "<main dj-root></main>"

    def mount(self, request, how):
        add(request)
        count(request, "mount")
        if how == "redirect":
            return redirect("/stored/")
        raise {"404": Http404, "403": PermissionDenied, "400": BadRequest}[how]("no")


def around(request, view, act, before=False):
    """An ordinary page with two live views in it."""
    count(request, "web")
    messages.info(request, "of the page")
    tag = "{% live_view path act=act %}{% live_view other act='none' %}{{ request.user }}{% troupe_script %}"
    source = "{% load troupe %}<body>" + (SHOWN + tag if before else tag + SHOWN) + "</body>"
    names = {"path": f"{__name__}.{view}", "other": f"{__name__}.Silent", "act": act}
    return HttpResponse(Template(source).render(RequestContext(request, names)))


@transaction.atomic
def atomic(request, act):
    return around(request, "Silent", act)


def stored(request):
    """What is left for the next page."""
    texts = [f"{m.level} {m.extra_tags} {m}" for m in messages.get_messages(request)]
    return JsonResponse({"messages": texts, "session": dict(request.session.items()), "user": str(request.user)})


def said(request):
    messages.warning(request, "stored before")
    return HttpResponse()


urlpatterns = [
    path("stored/", stored),
    path("said/", said),
    path("page/<act>/", Page.as_view()),
    path("silent/<act>/", Silent.as_view()),
    path("elsewhere/<how>/", Elsewhere.as_view()),
    path("around/<view>/<act>/", around),
    path("around/<view>/<act>/before/", around, {"before": True}),
    path("atomic/<act>/", atomic),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class Counting:
    """Writes to the session and adds a message before each view, and writes again after it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith(("/page/", "/silent/", "/elsewhere/")):
            count(request, "web")
            messages.info(request, "of the page")
        response = self.get_response(request)
        if request.path != "/stored/":
            count(request, "after")
        return response


@pytest.fixture
def counting(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Counting"]


@pytest.fixture
def ann():
    return get_user_model().objects.create_user("ann", password="ann")


STORAGES = ["fallback.FallbackStorage", "cookie.CookieStorage", "session.SessionStorage"]


@pytest.fixture(params=STORAGES)
def storage(request, settings):
    settings.MESSAGE_STORAGE = f"django.contrib.messages.storage.{request.param}"


def shown(response):
    return re.findall(r"<li class=.*?>(.*?)</li>", response.content.decode())


def session_of(client):
    """What the next page finds in the session, without what Django keeps there."""
    found = client.get("/stored/").json()["session"]
    return {key: value for key, value in found.items() if not key.startswith("_")}


ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(params=ENGINES)
def engine(request, settings, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    return request.param


def test_middleware_and_mount_both_write_to_the_session(engine, counting):
    client = Client()
    for number in (1, 2, 3):
        assert f"web={number} " in client.get("/silent/count/").content.decode()
    assert session_of(client) == {"web": 3, "mount": 3, "after": 3}


@pytest.mark.parametrize("url", ["/around/Silent/count/", "/around/Silent/count/before/"])
def test_a_page_and_the_view_in_it_both_write_to_the_session(engine, url):
    client = Client()
    for number in (1, 2, 3):
        assert client.get(url).content.decode().count(f"web={number} ") == 2  # both views
    assert session_of(client) == {"web": 3, "mount": 3}


def test_in_a_transaction():
    client = Client()
    for _ in range(2):
        client.get("/atomic/count/")
    assert session_of(client) == {"web": 2, "mount": 2}


def test_saved_at_every_request(engine, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    client = Client()
    for _ in range(3):
        assert client.get("/silent/count/").cookies["sessionid"].value
    assert session_of(client) == {"mount": 3}


@pytest.mark.parametrize("url", ["/silent/{}/", "/around/Silent/{}/"])
def test_the_cookie_is_that_of_the_response(url, ann):
    client = Client()
    client.get(url.format("count"))
    key = client.cookies["sessionid"].value
    assert client.get(url.format("expire")).cookies["sessionid"]["max-age"] == 77
    assert client.cookies["sessionid"].value == key
    client.get(url.format("cycle"))
    assert client.cookies["sessionid"].value != key and session_of(client)["mount"] == 1
    client.get(url.format("cookie"))
    assert session_of(client)["testcookie"] == "worked"
    key = client.cookies["sessionid"].value
    client.get(url.format("flush"))
    assert client.cookies["sessionid"].value in ("", key) and "mount" not in session_of(client)


@pytest.mark.parametrize("url", ["/page/{}/", "/around/Page/{}/"])
def test_log_in_and_out(url, ann):
    client = Client(enforce_csrf_checks=True)
    client.get(url.format("count"))
    before = client.cookies["csrftoken"].value
    text = client.get(url.format("log_in")).content.decode()
    names = re.sub('"[^"]*"', "", text).count("ann")  # tokens may have any letters in them
    assert names == (2 if "around" in url else 1)  # the page's own request as well
    assert client.cookies["csrftoken"].value != before
    assert client.get("/stored/").json()["user"] == "ann" and session_of(client)["mount"] == 2
    token = re.search('csrfmiddlewaretoken" value="(.*?)"', text)[1]
    assert client.post("/said/", {"csrfmiddlewaretoken": token}).status_code == 200
    client.get(url.format("log_out"))
    assert client.get("/stored/").json()["user"] == "AnonymousUser"


@pytest.mark.parametrize("how", ["redirect", "404", "403", "400"])
def test_without_a_view(how, counting, storage):
    client = Client()
    client.get(f"/elsewhere/{how}/")
    left = client.get("/stored/").json()
    assert left["messages"] == ["20  of the page", "25 mine of mount"]
    assert (left["session"]["mount"], left["session"]["web"]) == (1, 1)


MESSAGES = {  # URL → what the page shows, and what is left for the next one
    "/page/none/": (["stored before", "of the page"], []),
    "/page/add/": (["stored before", "of the page", "of mount"], []),
    "/silent/add/": ([], ["stored before", "of the page", "of mount"]),
    "/around/Page/none/": (["stored before", "of the page"] * 2, []),
    "/around/Page/none/before/": (["stored before", "of the page"] * 2, []),
    "/around/Silent/add/": (["stored before", "of the page", "of mount"], []),
    "/around/Silent/add/before/": (["stored before", "of the page"], ["of mount"]),
}


@pytest.mark.parametrize("url", MESSAGES)
def test_messages_are_shown_once(url, storage, counting):
    client = Client()
    client.get("/said/")
    expected, left = MESSAGES[url]
    assert shown(client.get(url)) == expected
    texts = [text.split(" ", 2)[2] for text in client.get("/stored/").json()["messages"]]
    assert texts == left
    assert client.get("/stored/").json()["messages"] == []


class OwnEngine(signed_cookies.SessionStore):
    """A project's own."""


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["/silent/count/", "/page/log_in/"])
async def test_the_page_joins_whatever_its_middleware_wrote(engine, counting, ann, url):
    client = AsyncClient()
    for _ in range(2):  # the first visit begins the session
        async with LivePage(url, client) as page:
            assert page.joined["t"] == "joined", page.joined
            frame = await page.event("again")
            assert (frame.get("t") == "failed") == (engine == "signed_cookies"), frame


class Late:
    """Begins the session after the view."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        count(request, "late")
        return response


@pytest.mark.asyncio
async def test_a_session_that_begins_after_the_page_was_made(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Late"]
    async with LivePage("/silent/none/") as page:
        assert page.response.cookies["sessionid"].value
        assert page.joined["t"] == "joined", page.joined
        await page.event("again")
        found = (await page.client.get("/stored/")).json()["session"]
        assert found == {"late": 1, "event": 1}
