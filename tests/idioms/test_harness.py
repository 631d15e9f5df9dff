"""The harness itself: a page is loaded, joined, and answers an event."""

import pytest
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler


class Counter(LiveView):
    template_string = "<main dj-root><output>{{ n }}</output></main>"

    def mount(self, request):
        self.n = 0

    @event_handler
    def more(self, by=1):
        self.n += by


urlpatterns = [path("counter/", Counter.as_view())]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


async def test_an_event_is_answered():
    async with LivePage("/counter/") as page:
        frame = await page.event("more", by=2)
        assert "d" in frame, frame
        assert "<output>2</output>" in await page.html()
