"""Django's view decorators around as_view() and on dispatch(): what they do to the response is done, and the page joins
and answers events.
"""

import types

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators import cache, clickjacking, csrf, debug, gzip, http, vary
from live_pages import LivePage

from troupe import LiveView, event_handler

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class Page(LiveView):
    template_string = "<html><head><title>t</title></head><body><main dj-root>{{ user }} {{ n }}</main></body></html>"

    def mount(self, request):
        self.user, self.n = str(request.user), 0

    @event_handler
    def add(self):
        self.n += 1


def has(**headers):
    """A check of the response's headers; values are parts of them."""

    def check(response):
        for name, part in headers.items():
            assert part in response.get(name.replace("_", "-"), ""), (name, response.headers)

    return check


def lacks(*names):
    def check(response):
        assert not [name for name in names if name in response]

    return check


def nothing(response):
    assert response["Cache-Control"] == "private, no-cache"


DECORATORS = {
    "never_cache": (cache.never_cache, has(Cache_Control="no-store")),
    "cache_control": (cache.cache_control(max_age=5), has(Cache_Control="max-age=5")),
    "cache_page": (cache.cache_page(60), has(Cache_Control="private")),
    "csrf_exempt": (csrf.csrf_exempt, nothing),
    "csrf_protect": (csrf.csrf_protect, nothing),
    "ensure_csrf_cookie": (csrf.ensure_csrf_cookie, nothing),
    "requires_csrf_token": (csrf.requires_csrf_token, nothing),
    "require_GET": (http.require_GET, nothing),
    "require_safe": (http.require_safe, nothing),
    "require_http_methods": (http.require_http_methods(["GET"]), nothing),
    "condition": (http.condition(etag_func=lambda request: '"abc"'), has(ETag='"abc"')),
    "etag": (http.etag(lambda request: '"abc"'), has(ETag='"abc"')),
    "conditional_page": (http.conditional_page, has(Content_Length="")),
    "vary_on_headers": (vary.vary_on_headers("X-Thing"), has(Vary="X-Thing")),
    "vary_on_cookie": (vary.vary_on_cookie, has(Vary="Cookie")),
    "xframe_options_deny": (clickjacking.xframe_options_deny, has(X_Frame_Options="DENY")),
    "xframe_options_sameorigin": (clickjacking.xframe_options_sameorigin, has(X_Frame_Options="SAMEORIGIN")),
    "xframe_options_exempt": (clickjacking.xframe_options_exempt, lacks("X-Frame-Options")),
    "gzip_page": (gzip.gzip_page, nothing),
    "sensitive_variables": (debug.sensitive_variables("n"), nothing),
    "sensitive_post_parameters": (debug.sensitive_post_parameters("n"), nothing),
}


def on_dispatch(name, decorator):
    """A class whose dispatch() has this decorator."""
    attributes = {"__module__": __name__}
    cls = types.new_class(f"On_{name}", (Page,), exec_body=lambda names: names.update(attributes))
    globals()[cls.__name__] = cls
    return method_decorator(decorator, name="dispatch")(cls)


urlpatterns = [path(f"around/{name}/", decorator(Page.as_view())) for name, (decorator, _) in DECORATORS.items()]
urlpatterns += [path(f"inside/{name}/", on_dispatch(name, found).as_view()) for name, (found, _) in DECORATORS.items()]


@pytest.mark.parametrize("where", ["around", "inside"])
@pytest.mark.parametrize("name", DECORATORS)
async def test_a_decorator_does_what_it_does(name, where):
    async with LivePage(f"/{where}/{name}/") as page:
        DECORATORS[name][1](page.response)
        assert page.joined["t"] == "joined" and not page.joined["views"][0].get("error"), page.joined
        for _ in range(2):
            assert "d" in await page.event("add")
        assert "AnonymousUser 2" in await page.html()


@pytest.mark.parametrize("where", ["around", "inside"])
async def test_a_cache_never_shares_a_page(where):
    ann, bob = [AsyncClient(), AsyncClient()]
    for client, name in ((ann, "ann"), (bob, "bob")):
        user = await User.objects.acreate(username=name)
        await sync_to_async(client.force_login)(user)
    for _ in range(2):
        for client, name in ((ann, "ann"), (bob, "bob")):
            async with LivePage(f"/{where}/cache_page/", client) as page:
                assert name.encode() in page.response.content
                assert "d" in await page.event("add")


async def test_what_is_conditional_is_answered_without_a_page():
    response = await AsyncClient().get("/around/etag/", headers={"If-None-Match": '"abc"'})
    assert response.status_code == 304 and not response.content
    response = await AsyncClient().post("/around/require_GET/")
    assert response.status_code == 405 and response["Allow"] == "GET"
