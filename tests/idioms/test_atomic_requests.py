"""ATOMIC_REQUESTS, and the ways to be exempt from it, on a page and on its events."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.http import Http404
from django.urls import path
from django.utils.decorators import method_decorator
from live_pages import LivePage

from troupe import LiveView, event_handler


class Page(LiveView):
    """Shows whether its code runs in a transaction."""

    template_string = "<!doctype html><title>t</title><body><main dj-root>{{ mounted }} {{ handled }}</main></body>"

    def mount(self, request):
        self.mounted, self.handled = connection.in_atomic_block, None
        if "missing" in request.GET:
            Group.objects.create(name="g")
            request.session["asked"] = True
            raise Http404

    @event_handler
    def handle(self):
        self.handled = connection.in_atomic_block


class Exempt(Page):
    """By its class."""

    @method_decorator(transaction.non_atomic_requests)
    def dispatch(self, *args, **kwargs):
        return super().dispatch(*args, **kwargs)


urlpatterns = [
    path("atomic/", Page.as_view()),
    path("class/", Exempt.as_view()),
    path("url/", transaction.non_atomic_requests(Page.as_view())),
    path("other/", transaction.non_atomic_requests(using="other")(Page.as_view())),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


@pytest.mark.asyncio
@pytest.mark.parametrize("name, expected", [("atomic", True), ("class", False), ("url", False), ("other", True)])
async def test_each_way(name, expected):
    async with LivePage(f"/{name}/") as page:
        await page.event("handle")
        assert f"{expected} {expected}" in await page.html()


def test_the_session_is_no_part_of_it(client):
    """As Django's middleware stores it, around the view's transaction."""
    assert client.get("/atomic/?missing").status_code == 404
    assert not Group.objects.exists() and client.session["asked"]
