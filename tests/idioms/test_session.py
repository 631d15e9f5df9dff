"""request.session in mount(), handlers and ticks: as on an ordinary view, and merged with what other tabs wrote."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth import get_user_model, login, logout
from django.contrib.sessions.backends import db, signed_cookies
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler, tickets


class Shop(LiveView):
    """Writes to the session in every way."""

    template_string = "<main dj-root>{{ shown }} {{ user }}</main>"

    def mount(self, request, first=None):
        self.shown = request.session.get("n", 0)
        if first == "write":
            request.session["n"] = 1

    @event_handler
    def put(self, key="n", value=1):
        self.request.session[key] = value

    @event_handler
    def take(self, key):
        del self.request.session[key]

    @event_handler
    def nest(self):
        self.request.session.setdefault("cart", {})["tea"] = 2
        self.request.session.modified = True

    @event_handler
    async def put_later(self):
        session = self.request.session
        if hasattr(session, "aset"):  # from Django 5.1 on
            await session.aset("later", await session.aget("later", 0) + 1)
        else:
            await sync_to_async(session.__setitem__)("later", 1)

    @event_handler
    def look(self):
        self.shown = dict(self.request.session.items())

    @event_handler
    def cycle(self):
        self.request.session.cycle_key()

    @event_handler
    def flush(self):
        self.request.session.flush()

    @event_handler
    def expire(self, seconds):
        self.request.session.set_expiry(seconds)

    @event_handler
    def save(self):
        self.request.session["saved"] = 1
        self.request.session.save()

    @event_handler
    def fail(self):
        self.request.session["lost"] = 1
        raise ValueError

    @event_handler
    def missing(self):
        from django.http import Http404

        self.request.session["kept"] = 1
        raise Http404

    @event_handler
    def log_in(self):
        login(self.request, get_user_model().objects.get(username="ann"))

    @event_handler
    async def log_in_later(self):
        user = await get_user_model().objects.aget(username="ann")
        await getattr(auth, "alogin", sync_to_async(login))(self.request, user)  # from Django 5.0 on
        self.shown = str(self.request.user)

    @event_handler
    async def log_in_on_a_thread(self):
        await sync_to_async(lambda: login(self.request, get_user_model().objects.get(username="ann")))()
        self.shown = str(self.request.user)

    @event_handler
    def log_out(self):
        logout(self.request)


class Form(Shop):
    """With a form that posts to an ordinary view."""

    template_string = "<main dj-root><form method=post>{% csrf_token %}</form>{{ user }}</main>"


def post(request):
    return HttpResponse("posted")


urlpatterns = [
    path("form/", Form.as_view()),
    path("post/", post),
    path("shop/", Shop.as_view()),
    path("write/", Shop.as_view(), {"first": "write"}),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@sync_to_async
def stored(key):
    return dict(db.SessionStore(key).items())


@sync_to_async
def begun(**contents):
    store = db.SessionStore()
    store.update(contents)
    store.create()
    return store.session_key


async def client_with(key):
    client = AsyncClient()
    client.cookies["sessionid"] = key
    return client


WRITES = {
    "a key": ("put", {"key": "tea", "value": "hot"}, {"tea": "hot"}),
    "a key that goes": ("take", {"key": "old"}, {"old": None}),
    "inside of a value": ("nest", {}, {"cart": {"tea": 2}}),
    "in an async handler": ("put_later", {}, {"later": 1}),
    "saved by the handler itself": ("save", {}, {"saved": 1}),
    "before Http404": ("missing", {}, {"kept": 1}),
}


@pytest.mark.parametrize("row", WRITES)
async def test_what_a_handler_writes_is_stored(row):
    name, params, expected = WRITES[row]
    key = await begun(old=1, tea="cold")
    async with LivePage("/shop/", await client_with(key)) as page:
        frame = await page.event(name, **params)
        assert "ticket" not in frame, frame
        contents = await stored(key)
        for each, value in expected.items():
            assert contents.get(each) == value, contents


@pytest.mark.parametrize("row", WRITES)
async def test_what_another_tab_wrote_meanwhile_stays(row):
    name, params, _ = WRITES[row]
    key = await begun(old=1, other=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        await page.event("look")

        @sync_to_async
        def write():
            store = db.SessionStore(key)
            store["other"] = 2
            store["new"] = 3
            store.save()

        await write()
        await page.event(name, **params)
        contents = await stored(key)
        assert (contents["other"], contents["new"]) == (2, 3)
        await page.event("look")
        assert "&#x27;new&#x27;: 3" in await page.html()


async def test_a_write_during_the_handler_itself_is_merged():
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        view = Shop.put

        def slow(self, key="n", value=1):
            self.request.session["mine"] = value
            store = db.SessionStore(self.request.session.session_key)
            store["theirs"] = 5
            store.save()

        slow._troupe_event_handler = True
        Shop.take_turns = slow
        try:
            await page.event("take_turns")
        finally:
            del Shop.take_turns
        assert view is Shop.put
        assert await stored(key) == {"n": 1, "mine": 1, "theirs": 5}


async def test_a_handler_that_raises_stores_nothing():
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        assert (await page.event("fail"))["t"] == "failed"
        await page.event("look")
        assert await stored(key) == {"n": 1}


async def test_nothing_is_read_or_written_unasked(django_assert_num_queries):
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        await page.event("expire", seconds=500)
        before = await sync_to_async(lambda: db.SessionStore(key).get_expiry_date())()
        await page.event("nothing")
        assert await sync_to_async(lambda: db.SessionStore(key).get_expiry_date())() >= before


async def exchange(page, ticket, status=204):
    """As the page does; what the browser has then."""
    response = await page.client.get(page.path, headers={tickets.HEADER: ticket})
    assert response.status_code == status, response.content
    return response


async def test_a_visitor_without_a_session_gets_one():
    async with LivePage("/shop/") as page:
        frame = await page.event("put", value=7)
        assert "sessionid" not in str(frame)
        response = await exchange(page, frame["ticket"])
        assert response.cookies["sessionid"]["httponly"]
        key = page.client.cookies["sessionid"].value
        assert await stored(key) == {"n": 7}
        assert "ticket" not in await page.event("put", value=8)
        assert await stored(key) == {"n": 8}
        await exchange(page, frame["ticket"], status=403)  # once
    async with LivePage("/shop/", page.client) as page:
        assert "8" in await page.html()


async def test_a_ticket_is_for_the_browser_that_it_was_made_for():
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        ticket = (await page.event("cycle"))["ticket"]
        stranger = AsyncClient()
        assert (await stranger.get("/shop/", headers={tickets.HEADER: ticket})).status_code == 403
        await exchange(page, ticket)
        assert page.client.cookies["sessionid"].value != key
        assert await stored(page.client.cookies["sessionid"].value) == {"n": 1}
        assert await stored(key) == {}


async def test_a_visitors_ticket_is_for_their_browser():
    async with LivePage("/shop/") as page, LivePage("/shop/") as other:
        ticket = (await page.event("put", value=7))["ticket"]
        await exchange(other, ticket, status=403)
        assert "sessionid" not in other.client.cookies
        await exchange(page, ticket)


async def test_a_login_in_another_tab_is_not_undone(ann):
    async with LivePage("/shop/") as page:
        ticket = (await page.event("put", value=7))["ticket"]
        await sync_to_async(page.client.force_login)(ann)
        key = page.client.cookies["sessionid"].value
        await exchange(page, ticket, status=403)
        assert page.client.cookies["sessionid"].value == key


async def test_mount_begins_a_session():
    async with LivePage("/write/") as page:
        assert page.response.cookies["sessionid"]["httponly"]
        await page.event("put", value=2)
        assert await stored(page.client.cookies["sessionid"].value) == {"n": 2}


async def test_flush_deletes_the_cookie():
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        response = await exchange(page, (await page.event("flush"))["ticket"])
        assert response.cookies["sessionid"].value == ""
        assert await stored(key) == {}


async def test_set_expiry_reaches_the_browser():
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        response = await exchange(page, (await page.event("expire", seconds=99))["ticket"])
        assert response.cookies["sessionid"]["max-age"] == "99"


async def test_a_session_that_is_gone_does_not_take_the_browsers_place():
    """It was given another key elsewhere, by a login, say: the page is loaded again."""
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:
        await sync_to_async(db.SessionStore(key).delete)()
        page.client.cookies["sessionid"] = await begun(n=2)
        frame = await page.event("put", value=5)
        await exchange(page, frame["ticket"], status=403)
        assert await stored(page.client.cookies["sessionid"].value) == {"n": 2}


@pytest.fixture
def ann(transactional_db):
    return get_user_model().objects.create_user("ann", password="ann")


@pytest.mark.parametrize("handler", ["log_in", "log_in_later", "log_in_on_a_thread"])
async def test_who_logs_in_is_the_user_at_once(ann, handler):
    async with LivePage("/shop/") as page:
        await page.event(handler)
        assert "ann" in await page.html()
        await sync_to_async(get_user_model().objects.update)(username="eve")
        await page.event("nothing")
        assert "eve" in await page.html()  # whom the next turn looks up


async def test_login_and_logout(ann):
    async with LivePage("/shop/") as page:
        await exchange(page, (await page.event("log_in"))["ticket"])
        assert page.client.cookies["sessionid"].value
        assert "ann" in await page.html()
        await page.socket.disconnect()
        assert (await page.connect())["t"] == "joined"  # with what it has now
        frame = await page.event("log_out")
        assert frame.get("redirect") == "/shop/", frame
        assert (await exchange(page, frame["ticket"])).cookies["sessionid"].value == ""


@pytest.mark.parametrize(
    "engine",
    [
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cached_db",
        "django.contrib.sessions.backends.cache",
        "django.contrib.sessions.backends.file",
    ],
)
async def test_every_engine_that_keeps_sessions_on_the_server(settings, tmp_path, engine):
    settings.SESSION_ENGINE, settings.SESSION_FILE_PATH = engine, str(tmp_path)
    from importlib import import_module

    store_of = import_module(engine).SessionStore
    async with LivePage("/shop/") as page:
        await exchange(page, (await page.event("put", key="mine", value=7))["ticket"])
        key = page.client.cookies["sessionid"].value

        @sync_to_async
        def write():
            store = store_of(key)
            store["theirs"] = 2
            store.save()

        await write()
        await page.event("put", key="mine", value=8)
        assert await sync_to_async(lambda: dict(store_of(key).items()))() == {"mine": 8, "theirs": 2}


class SessionStore(signed_cookies.SessionStore):
    """An engine of the project's own: this module."""


@pytest.mark.parametrize("engine", [signed_cookies.__name__, __name__])
async def test_sessions_in_cookies_are_refused_loudly(settings, engine):
    settings.SESSION_ENGINE = engine
    async with LivePage("/shop/") as page:
        frame = await page.event("put", value=7)
        assert frame["t"] == "failed", frame
    async with LivePage("/write/") as page:
        assert page.response.cookies["sessionid"].value


async def test_a_first_visit_with_the_csrf_token_in_the_session(settings):
    """The page's response begins a session for the token, and the socket has its cookie already."""
    settings.CSRF_USE_SESSIONS = True
    async with LivePage("/form/") as page:
        assert page.joined["t"] == "joined", page.joined
        token = (await page.html()).split('value="')[1].split('"')[0]
        checker = AsyncClient(enforce_csrf_checks=True)
        checker.cookies = page.client.cookies
        assert (await checker.post("/post/", {"csrfmiddlewaretoken": token})).status_code == 200


async def test_saved_with_each_event_where_the_setting_says_so(settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    key = await begun(n=1)
    async with LivePage("/shop/", await client_with(key)) as page:

        @sync_to_async
        def age():
            from django.contrib.sessions.models import Session

            row = Session.objects.get(session_key=key)
            before = row.expire_date
            Session.objects.filter(session_key=key).update(expire_date=before - timedelta(days=1))
            return before

        before = await age()
        frame = await page.event("nothing_at_all")
        assert frame["t"] == "failed"
        await page.event("look")
        assert await age() >= before


async def test_csrf_follows_a_login(ann):
    """As after any login the page's secret is another one, and forms of the page have it."""
    async with LivePage("/form/") as page:
        frame = await page.event("log_in")
        response = await exchange(page, frame["ticket"])
        assert response.cookies["csrftoken"].value
        html = await page.html()
        token = html.split('value="')[1].split('"')[0]
        checker = AsyncClient(enforce_csrf_checks=True)
        checker.cookies = page.client.cookies
        assert (await checker.post("/post/", {"csrfmiddlewaretoken": token})).status_code == 200


async def test_csrf_token_in_a_template_needs_no_exchange():
    """Each rendering has a token; the browser has its cookie since the page load."""
    async with LivePage("/form/") as page:
        first = await page.html()
        for _ in range(2):
            frame = await page.event("look")
            assert "ticket" not in frame and "error" not in frame, frame
        token = first.split('value="')[1].split('"')[0]
        checker = AsyncClient(enforce_csrf_checks=True)
        checker.cookies = page.client.cookies
        assert (await checker.post("/post/", {"csrfmiddlewaretoken": token})).status_code == 200
