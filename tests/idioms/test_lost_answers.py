"""A page that loses its socket between an event that logs the user in or out, or gives the session another key, and the
exchange of the cookies: it may be loaded again; nobody is let in, and nothing stays broken.
"""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model, login, logout
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler, tickets


class Page(LiveView):
    template_string = "<main dj-root>{{ user }} {{ n }}</main>"
    n = 0

    @event_handler
    def log_in(self):
        login(self.request, get_user_model().objects.get(username="ann"))

    @event_handler
    def log_out(self):
        logout(self.request)

    @event_handler
    def cycle(self):
        self.request.session.cycle_key()

    @event_handler
    def put(self):
        self.request.session["n"] = 1

    @event_handler
    def more(self):
        self.n += 1


urlpatterns = [path("page/", Page.as_view())]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


async def exchange(page, ticket):
    return (await page.client.get(page.path, headers={tickets.HEADER: ticket})).status_code


async def client_for(user):
    ann = await get_user_model().objects.acreate(username="ann")
    client = AsyncClient()
    if user:
        await sync_to_async(client.force_login)(ann)
    return client


ROWS = [  # who it was, the event, and who it is after the exchange
    (None, "log_in", "ann"),
    ("ann", "log_out", "AnonymousUser"),
    ("ann", "cycle", "ann"),
    (None, "put", "AnonymousUser"),
]


@pytest.mark.parametrize(("user", "event", "after"), ROWS)
async def test_the_socket_is_lost_before_the_exchange(user, event, after):
    """The answer has arrived: the page has tokens of the new user, and cookies of the old one."""
    async with LivePage("/page/", await client_for(user)) as page:
        ticket = (await page.event(event))["ticket"]
        await page.socket.disconnect()
        again = await page.connect()
        assert again["t"] in ("reload", "joined"), again
        if again["t"] == "joined":
            assert after in await page.html()
        assert await exchange(page, ticket) == 204
    async with LivePage("/page/", page.client) as page:
        assert page.joined["t"] == "joined"
        await page.event("more")
        assert f"{after} 1" in await page.html()


@pytest.mark.parametrize(("user", "event", "after"), ROWS)
async def test_the_answer_never_arrives(user, event, after):
    """The page has nothing but its old tokens and cookies."""
    async with LivePage("/page/", await client_for(user)) as page:
        before = page.tokens
        await page.event(event)
        await page.socket.disconnect()
        page.tokens = before
        again = await page.connect()
        assert again["t"] in ("reload", "joined"), again
        if again["t"] == "joined":
            html = await page.html()
            assert "ann" not in html, html
    who = "AnonymousUser"  # nobody has the session's new key
    async with LivePage("/page/", page.client) as page:
        assert page.joined["t"] == "joined" and who in await page.html()
        if event == "log_in":
            assert await exchange(page, (await page.event(event))["ticket"]) == 204
            assert "ann" in await page.html()
