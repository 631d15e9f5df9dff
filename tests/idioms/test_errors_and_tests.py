"""What watches errors, and what tests look at: with each Django, under pytest-django."""

import logging

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from django.test import Client, TestCase, TransactionTestCase
from django.urls import path
from live_pages import LivePage

from troupe import LiveView, event_handler
from troupe.testing import LiveViewTestClient

CHECK = TransactionTestCase()  # for its assertions; pytest_django.asserts does not load with Django 4.2
ERRORS = {
    "value": ValueError("x"),
    "missing": Http404("x"),
    "denied": PermissionDenied("x"),
    "bad": BadRequest("x"),
    "suspicious": SuspiciousOperation("x"),
}
TEMPLATES = {
    "base.html": "<!doctype html><title>t</title><body>{% block body %}{% endblock %}</body>",
    "page.html": (
        "{% extends 'base.html' %}{% block body %}<main dj-root>{{ n }}"
        "{% if n %}{% include 'some.html' with word='w' %}{% else %}{% include 'none.html' %}{% endif %}</main>"
        "{% endblock %}"
    ),
    "some.html": "<p>{{ word }}</p>",
    "none.html": "<p>static</p>",
}


class Page(LiveView):
    """A page of several templates."""

    template_name = "page.html"

    def mount(self, request):
        self.n = 0

    @event_handler
    def more(self):
        self.n += 1

    @event_handler
    async def more_groups(self):
        await Group.objects.acreate(name="g")
        self.n = await Group.objects.acount()

    @event_handler
    def fail(self, name: str):
        raise ERRORS[name]


class Ordinary:
    """The same errors, of an ordinary view."""

    def __call__(self, request, name):
        raise ERRORS[name]


urlpatterns = [path("page/", Page.as_view()), path("ordinary/<name>/", Ordinary())]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def templates(settings):
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    backend = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": backend, "OPTIONS": {"loaders": [loader]}}]


def records(caplog, address):
    """What Django's loggers were told: with the page's address in place of the ordinary view's."""
    shown = []
    for record in caplog.records:
        if record.name.startswith("django."):
            text = record.getMessage().replace(address, "ADDRESS")
            shown.append((record.name, record.levelname, record.status_code, text, record.request is not None))
    return shown


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ERRORS)
async def test_a_handler_s_exception_is_logged_as_a_view_s(name, caplog):
    caplog.set_level(logging.INFO, "django")
    heard = []
    receiver = lambda **kwargs: heard.append(kwargs["sender"])  # noqa: E731
    async with LivePage("/page/") as page:
        caplog.clear()
        got_request_exception.connect(receiver)
        try:
            assert (await page.event("fail", name=name))["t"] == "failed"
        finally:
            got_request_exception.disconnect(receiver)
    ours = records(caplog, "/page/")
    caplog.clear()
    client = page.client
    client.raise_request_exception = False
    await client.get(f"/ordinary/{name}/")
    assert ours == records(caplog, f"/ordinary/{name}/") != []
    assert heard == ([None] if name == "value" else [])


@pytest.mark.django_db
def test_templates_and_context_of_a_response():
    response = Client().get("/page/")
    for name in ("page.html", "base.html", "none.html"):
        CHECK.assertTemplateUsed(response, name)
    CHECK.assertTemplateNotUsed(response, "some.html")
    assert response.context["n"] == 0


@pytest.mark.django_db
def test_templates_of_an_event():
    client = LiveViewTestClient(Page).mount()
    with CHECK.assertTemplateUsed("some.html"), CHECK.assertTemplateNotUsed("none.html"), CHECK.assertNumQueries(0):
        client.send_event("more")
    with pytest.raises(ValueError):
        client.send_event("fail", name="value")


class AnAsyncTest(TestCase):
    """It runs on a loop in another thread, and sync code of it on the test's, in the test's transaction."""

    async def test_it_calls_the_sync_client(self):
        client = await sync_to_async(LiveViewTestClient(Page).mount)()
        await sync_to_async(client.send_event)("more_groups")
        self.assertIn(">1", client.html)
        self.assertEqual(await Group.objects.acount(), 1)
