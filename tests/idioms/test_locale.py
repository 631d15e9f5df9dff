"""The language and the time zone of a live page: what a handler activates holds, and nothing else does."""

import datetime

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.test import AsyncClient
from django.urls import include, path
from django.utils import timezone, translation
from live_pages import LivePage

from troupe import LiveView, event_handler


class Lang(LiveView):
    template_string = (
        '{% load i18n %}{% get_current_language as code %}<main dj-root><p>{% translate "Yes" %} {{ code }} '
        "{{ request.LANGUAGE_CODE }} {{ 1234.5|floatformat:1 }}</p><i>{{ at|date:'H:i' }}</i>{{ n }}</main>"
    )
    at = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)  # noqa: UP017
    n = 0

    def get_context_data(self, **kwargs):
        return super().get_context_data(at=self.at, request=self.request, **kwargs)

    @event_handler
    def choose(self, language="de", zone="Asia/Tokyo"):
        if language:
            translation.activate(language)
        if zone:
            timezone.activate(zone)

    @event_handler
    async def choose_async(self):
        translation.activate("de")
        timezone.activate("Asia/Tokyo")

    @event_handler
    def offset(self):
        timezone.activate(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))

    @event_handler
    def odd_zone(self):
        class Odd(datetime.tzinfo):
            def utcoffset(self, when):
                return datetime.timedelta(hours=1)

        timezone.activate(Odd())

    @event_handler
    def override(self):
        with translation.override("de"), timezone.override("Asia/Tokyo"):
            self.n += 1

    @event_handler
    def nothing(self):
        self.n += 1

    @event_handler
    def switch_off(self):
        translation.deactivate_all()


class Mounted(Lang):
    def mount(self, request):
        translation.activate("de")


urlpatterns = [
    path("lang/", Lang.as_view()),
    path("mounted/", Mounted.as_view()),
    path("i18n/", include("django.conf.urls.i18n")),
    *i18n_patterns(path("pages/", Lang.as_view())),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


def shows(html, word, code, request_code, hour):
    """Whether a page shows these."""
    return f"<p>{word} {code} {request_code} " in html and f"<i>{hour}</i>" in html


@pytest.mark.parametrize("event", ["choose", "choose_async"])
async def test_what_a_handler_activates_holds_from_then_on(event):
    page = LivePage("/lang/")
    async with page:
        frame = await page.event(event)
        assert "a" in frame, frame
        assert shows(await page.html(), "Ja", "de", "en", "21:00")
        for _ in range(2):
            await page.event("nothing")
            assert shows(await page.html(), "Ja", "de", "en", "21:00")
        await page.event("override")
        assert shows(await page.html(), "Ja", "de", "en", "21:00")
        await page.event("choose", language="en", zone=None)
        assert shows(await page.html(), "Yes", "en", "en", "21:00")
    async with LivePage("/lang/") as other:
        await other.event("nothing")
        assert shows(await other.html(), "Yes", "en", "en", "13:00")


async def test_override_is_no_lasting_change():
    async with LivePage("/lang/") as page:
        await page.event("override")
        assert shows(await page.html(), "Yes", "en", "en", "13:00")


async def test_each_alone_and_other_zones():
    async with LivePage("/lang/") as page:
        await page.event("choose", language=None)
        assert shows(await page.html(), "Yes", "en", "en", "21:00")
        await page.event("offset")
        assert shows(await page.html(), "Yes", "en", "en", "17:30")
        await page.event("switch_off")
        assert "<p>Yes " in await page.html()
        await page.event("nothing")
        assert "<p>Yes " in await page.html() and "<i>17:30</i>" in await page.html()


async def test_a_zone_that_no_snapshot_can_hold_is_refused(settings):
    settings.DEBUG = True
    async with LivePage("/lang/") as page:
        failed = await page.event("odd_zone")
        assert failed["t"] == "failed" and "Odd, which cannot be kept" in failed["error"]["message"]


async def test_activated_in_mount():
    page = LivePage("/mounted/")
    async with page:
        assert shows(page.response.content.decode(), "Ja", "de", "en", "13:00")
        await page.event("nothing")
        assert shows(await page.html(), "Ja", "de", "en", "13:00")


async def test_a_view_that_activates_nothing_follows_the_user():
    client = AsyncClient()
    page = LivePage("/lang/", client)
    async with page:
        await client.post("/i18n/setlang/", {"language": "de"})
        assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"
        await page.socket.disconnect()  # as a browser does that sees another cookie
        await page.connect()
        await page.event("nothing")
        assert shows(await page.html(), "Ja", "de", "de", "13:00")


async def test_the_prefix_of_the_url_wins_as_in_django():
    client = AsyncClient()
    page = LivePage("/de/pages/", client)
    async with page:
        await client.post("/i18n/setlang/", {"language": "en"})
        await page.socket.disconnect()
        await page.connect()
        assert shows(await page.html(), "Ja", "de", "de", "13:00")
        await page.event("choose", language="en", zone=None)
        assert shows(await page.html(), "Yes", "en", "de", "13:00")
