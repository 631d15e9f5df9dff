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


urlpatterns = [path("i18n/", include("django.conf.urls.i18n"))]
