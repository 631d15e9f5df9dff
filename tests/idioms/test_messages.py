"""django.contrib.messages in live pages: shown once, by the page itself or by the one that a redirect leads to."""

import pytest
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler, tickets

TEMPLATE = "<main dj-root>{% for m in messages %}<li class='{{ m.tags }}'>{{ m }}</li>{% endfor %}{{ n }}</main>"


class Page(LiveView):
    template_string = TEMPLATE

    def mount(self, request, welcome=False):
        self.n = 0
        if welcome:
            messages.info(request, "welcome")

    @event_handler
    def save(self, text="saved"):
        messages.success(self.request, text, extra_tags="mine")

    @event_handler
    async def save_later(self):
        messages.success(self.request, "saved later")

    @event_handler
    def count(self):
        self.n += 1

    @event_handler
    def leave(self):
        messages.success(self.request, "saved and left")
        return redirect("ordinary")

    @event_handler
    async def leave_later(self):
        messages.success(self.request, "saved and left")
        return redirect("live")

    @event_handler
    def low(self):
        messages.set_level(self.request, messages.ERROR)
        messages.success(self.request, "too low")
        messages.error(self.request, "high")

    @event_handler
    def read(self):
        self.n = ", ".join(str(message) for message in messages.get_messages(self.request))

    @event_handler
    def fail(self):
        messages.error(self.request, "it failed")
        raise ValueError


class Silent(Page):
    template_string = "<main dj-root>{{ n }}</main>"


class Outside(Page):
    """As with a base.html that shows messages above the page's own part."""

    template_string = f"<body>{TEMPLATE.partition('>')[2].partition('{{ n')[0]}<main dj-root>{{{{ n }}}}</main></body>"


def ordinary(request):
    return HttpResponse(" ".join(str(message) for message in messages.get_messages(request)))


def add(request, to="live"):
    messages.success(request, "from an ordinary view")
    return redirect(to)


urlpatterns = [
    path("live/", Page.as_view(), name="live"),
    path("welcome/", Page.as_view(), {"welcome": True}),
    path("silent/", Silent.as_view(), name="silent"),
    path("outside/", Outside.as_view()),
    path("ordinary/", ordinary, name="ordinary"),
    path("add/", add),
    path("add/silent/", add, {"to": "silent"}),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

STORAGES = ["fallback.FallbackStorage", "cookie.CookieStorage", "session.SessionStorage"]


@pytest.fixture(params=STORAGES)
def storage(request, settings):
    settings.MESSAGE_STORAGE = f"django.contrib.messages.storage.{request.param}"


async def collect(page, frame):
    """The cookies that come with an answer, as the page fetches them."""
    if "ticket" in frame:
        response = await page.client.get(page.path, headers={tickets.HEADER: frame["ticket"]})
        assert response.status_code == 204


async def follow(page, frame):
    """Where the browser is sent, as text; the cookies first."""
    await collect(page, frame)
    return (await page.client.get(frame["redirect"])).content.decode()


async def test_of_an_ordinary_view_before_a_redirect_to_a_live_page(storage):
    client = AsyncClient()
    assert (await client.get("/add/")).status_code == 302
    async with LivePage("/live/", client) as page:
        assert "from an ordinary view" in page.response.content.decode()
        assert "from an ordinary view" in await page.html()
        await page.event("count")
        assert "from an ordinary view" not in await page.html()
        assert (await client.get("/ordinary/")).content == b""  # consumed
    async with LivePage("/live/", client) as page:
        assert "from an ordinary view" not in await page.html()


async def test_what_a_live_page_does_not_show_waits_for_the_next(storage):
    client = AsyncClient()
    await client.get("/add/silent/")
    async with LivePage("/silent/", client) as page:
        await page.event("count")
    assert (await client.get("/ordinary/")).content == b"from an ordinary view"


@pytest.mark.parametrize("name", ["save", "save_later"])
async def test_of_a_handler_is_shown_at_once_and_until_the_next_event(storage, name):
    async with LivePage("/live/") as page:
        frame = await page.event(name)
        assert "saved" in str(frame["d"]) and "ticket" not in frame
        assert (await page.html()).count("<li") == 1  # rendered again: it is still there
        joined = await page.ask(t="join", views=[{"token": page.tokens[0], "s": 1}])
        assert joined["t"] == "joined" and not joined["fresh"]
        assert (await page.html()).count("<li") == 1
        await page.event("count")
        assert "<li" not in await page.html()
        await page.event(name)
        assert (await page.html()).count("<li") == 1
        assert (await page.client.get("/ordinary/")).content == b""


async def test_of_mount(storage):
    async with LivePage("/welcome/") as page:
        assert "welcome" in page.response.content.decode()
        assert "welcome" in await page.html()
        await page.event("count")
        assert "<li" not in await page.html()


@pytest.mark.parametrize("name", ["leave", "leave_later"])
async def test_with_a_redirect_it_is_shown_by_the_target_once(storage, name):
    async with LivePage("/live/") as page:
        frame = await page.event(name)
        assert "saved and left" in await follow(page, frame)
        assert (await page.client.get("/ordinary/")).content == b""
        assert "<li" not in await page.html()


async def test_what_the_template_does_not_show_waits_and_leaves_with_a_redirect(storage):
    async with LivePage("/silent/") as page:
        await collect(page, await page.event("save", text="first"))
        assert await follow(page, await page.event("leave")) == "first saved and left"


@pytest.mark.parametrize("url", ["/silent/", "/outside/"])
async def test_what_the_root_does_not_show_is_for_the_next_page(storage, url):
    """As on any site, where a request without a page of its own leaves it in the session or a cookie."""
    async with LivePage(url) as page:
        for text in ("first", "second"):
            await collect(page, await page.event("save", text=text))
        assert "ticket" not in await page.event("count")
        assert (await page.client.get("/ordinary/")).content == b"first second"
        assert (await page.client.get("/ordinary/")).content == b""
        await collect(page, await page.event("save", text="third"))
        assert await follow(page, await page.event("leave")) == "third saved and left"


async def test_levels_tags_and_reading_them_in_a_handler():
    async with LivePage("/live/") as page:
        await page.event("low")
        assert "high" in await page.html() and "too low" not in await page.html()
        await page.event("save")
        assert "mine success" in await page.html()
        await page.event("read")
        assert "saved" not in await page.html()


async def test_markup_stays_markup_and_text_is_escaped():
    from django.utils.safestring import mark_safe

    def mark(self):
        messages.info(self.request, mark_safe("<b>bold</b>"))
        messages.info(self.request, "<i>")

    mark._troupe_event_handler = True
    Page.mark = mark
    try:
        async with LivePage("/live/") as page:
            await page.event("mark")
            assert "<b>bold</b>" in await page.html() and "&lt;i&gt;" in await page.html()
    finally:
        del Page.mark


async def test_a_handler_that_fails_shows_its_message_with_the_next_rendering():
    """As on an ordinary site, where it is in a cookie by then."""
    async with LivePage("/live/") as page:
        assert (await page.event("fail"))["t"] == "failed"
        await page.event("count")
        assert "<li" not in await page.html()


async def test_without_the_middleware_it_is_djangos_own_failure(settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    async with LivePage("/live/") as page:
        assert (await page.event("save"))["t"] == "failed"
        assert "d" in await page.event("count")
