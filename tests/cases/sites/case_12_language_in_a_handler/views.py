"""A handler that chooses a language and a time zone."""

import datetime

from django.urls import include, path
from django.utils import timezone, translation

from troupe import LiveView, event_handler


class Lang(LiveView):
    template_name = "case_12_language_in_a_handler/page.html"

    def mount(self, request):
        self.n, self.at = 0, datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)  # noqa: UP017

    @event_handler
    def de(self):
        translation.activate("de")
        timezone.activate("Asia/Tokyo")

    @event_handler
    async def de_async(self):
        translation.activate("de")
        timezone.activate("Asia/Tokyo")

    @event_handler
    def more(self):
        self.n += 1


class Ticking(LiveView):
    """What a tick sees of the request, and of what a handler chose."""

    template_string = (
        '<main dj-root><output>{{ seen }}</output><b>{{ ticks }}</b><button id="de" dj-click="de">de</button></main>'
    )
    tick_interval = 20

    def mount(self, request):
        self.seen, self.ticks = "", 0

    def handle_tick(self):
        self.ticks += 1
        request = self.request
        zone = timezone.get_current_timezone_name()
        self.seen = f"{translation.get_language()} {zone} {request.path} {request.user.username} {request.GET['q']}"

    @event_handler
    def de(self):
        translation.activate("de")
        timezone.activate("Asia/Tokyo")


urlpatterns = [path("i18n/", include("django.conf.urls.i18n"))]
