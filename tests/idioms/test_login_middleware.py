"""LoginRequiredMiddleware of Django 5.1: every page but those around which login_not_required() stands."""

import django
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler

pytestmark = [
    pytest.mark.skipif(django.VERSION < (5, 1), reason="Django 5.1 brought the middleware"),
    pytest.mark.asyncio,
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
]


class Counter(LiveView):
    template_string = "<main dj-root>{{ n }}</main>"
    n = 0

    @event_handler
    def more(self):
        self.n += 1


def login_not_required(view):
    if django.VERSION < (5, 1):
        return view
    from django.contrib.auth.decorators import login_not_required

    return login_not_required(view)


urlpatterns = [path("private/", Counter.as_view()), path("public/", login_not_required(Counter.as_view()))]


@pytest.fixture(autouse=True)
def middleware(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    settings.LOGIN_URL = "/login/"
    settings.TROUPE = {**settings.TROUPE, "USER_CHECK_SECONDS": None}  # the turn itself asks


async def test_a_stranger_is_sent_to_log_in():
    response = await AsyncClient().get("/private/")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/private/")


async def test_a_public_page_is_everybodys():
    async with LivePage("/public/") as page:
        assert "d" in await page.event("more")


async def test_who_is_deactivated_is_sent_to_log_in_at_the_next_event():
    user = await sync_to_async(User.objects.create_user)("ann", password="ann")
    client = AsyncClient()
    await sync_to_async(client.force_login)(user)
    async with LivePage("/private/", client) as page:
        assert "d" in await page.event("more")
        await User.objects.filter(pk=user.pk).aupdate(is_active=False)
        frame = await page.event("more")
        assert "d" not in frame, frame
        assert "/login/?next=/private/" in str(frame), frame
