"""The nonce of a page's Content-Security-Policy, from each middleware that makes one."""

import importlib.util
import re

import django
import pytest
from django import forms
from django.test import AsyncClient
from django.urls import path
from django.utils.functional import SimpleLazyObject
from live_pages import LivePage

from troupe import LiveView, event_handler


class CspLikeThree:
    """As django-csp 3 does it: a lazy text, in the header once it was read."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    def _make(self, request):
        request._csp_nonce = f"made-for-{request.path.strip('/')}"
        return request._csp_nonce

    def __call__(self, request):
        request.csp_nonce = SimpleLazyObject(lambda: self._make(request))
        response = self.get_response(request)
        nonce = getattr(request, "_csp_nonce", None)
        response["Content-Security-Policy"] = f"script-src 'nonce-{nonce}'" if nonce else "script-src 'none'"
        return response


def overridden(view):
    """With a policy of its own, as Django 6 has a decorator for it."""
    if django.VERSION < (6, 0):
        return view
    from django.views.decorators.csp import csp_override

    return csp_override({"style-src": ["<CSP_NONCE_SENTINEL>"]})(view)


class Page(LiveView):
    template_string = (
        '<html><head><script nonce="{{ request.csp_nonce }}"></script></head>'
        '<body><main dj-root><style nonce="{{ request.csp_nonce }}"></style>{{ n }}</main></body></html>'
    )
    n = 0

    @event_handler
    def more(self):
        self.n += 1


class Processed(LiveView):
    """With Django's own context processor."""

    template_string = '<html><head></head><body><main dj-root><b nonce="{{ csp_nonce }}"></b></main></body></html>'


class Attributes(LiveView):
    """With Django 6.1's tag, for tags of the page's own and for a form's media."""

    template_string = (
        "<html><head>{% csp_nonce_attr form.media %}</head><body><main dj-root><style {% csp_nonce_attr %}></style>"
        "{{ n }}</main></body></html>"
    )
    n = 0

    @property
    def form(self):
        return WithMedia()

    @event_handler
    def more(self):
        self.n += 1


class WithMedia(forms.Form):
    class Media:
        js = ["a.js"]


urlpatterns = [
    path("page/", Page.as_view()),
    path("processed/", Processed.as_view()),
    path("attributes/", Attributes.as_view()),
    path("overridden/", overridden(Page.as_view())),
]
pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

FOUR = {"DIRECTIVES": {"script-src": ["'none'"]}}
if importlib.util.find_spec("csp"):
    from csp.constants import NONCE

    FOUR = {"DIRECTIVES": {"script-src": [NONCE]}}
MIDDLEWARE = [
    pytest.param(f"{__name__}.CspLikeThree", {}, id="django-csp 3"),
    pytest.param(
        "csp.middleware.CSPMiddleware",
        {"CONTENT_SECURITY_POLICY": FOUR},
        id="django-csp 4",
        marks=pytest.mark.skipif(not importlib.util.find_spec("csp"), reason="only where django-csp is installed"),
    ),
    pytest.param(
        "django.middleware.csp.ContentSecurityPolicyMiddleware",
        {"SECURE_CSP": {"script-src": ["<CSP_NONCE_SENTINEL>"]}},
        id="Django 6",
        marks=pytest.mark.skipif(django.VERSION < (6, 0), reason="from Django 6.0 on"),
    ),
]


@pytest.mark.parametrize(("middleware", "values"), MIDDLEWARE)
async def test_one_nonce_for_header_script_and_view(settings, middleware, values):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
    for name, value in values.items():
        setattr(settings, name, value)
    page = LivePage("/page/")
    async with page:
        html = page.response.content.decode()
        nonces = set(re.findall(r'nonce="([^"]*)"', html))
        assert len(re.findall("nonce=", html)) == 4 and len(nonces) == 1, html
        (nonce,) = nonces
        assert f"'nonce-{nonce}'" in page.response["Content-Security-Policy"]
        await page.event("more")
        assert f'<style nonce="{nonce}">' in await page.html()
    async with page:  # mounted anew, from its token
        assert nonce != ""
        (again,) = set(re.findall(r'nonce="([^"]*)"', page.response.content.decode()))
        assert f'<style nonce="{again}">' in await page.html()


@pytest.mark.skipif(django.VERSION < (6, 0), reason="from Django 6.0 on")
async def test_djangos_context_processor(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]
    settings.SECURE_CSP = {"style-src": ["<CSP_NONCE_SENTINEL>"]}
    (engine,) = settings.TEMPLATES
    processors = [*engine["OPTIONS"]["context_processors"], "django.template.context_processors.csp"]
    settings.TEMPLATES = [{**engine, "OPTIONS": {"context_processors": processors}}]
    async with LivePage("/processed/") as page:
        (nonce,) = set(re.findall(r'nonce="([^"]*)"', page.response.content.decode()))
        assert f"'nonce-{nonce}'" in page.response["Content-Security-Policy"]


@pytest.mark.skipif(django.VERSION < (6, 1), reason="from Django 6.1 on")
@pytest.mark.parametrize("debug", [False, True])
async def test_djangos_tag(settings, debug):
    settings.DEBUG = debug
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]
    settings.SECURE_CSP = {"script-src": ["<CSP_NONCE_SENTINEL>"]}
    (engine,) = settings.TEMPLATES
    processors = [*engine["OPTIONS"]["context_processors"], "django.template.context_processors.csp"]
    settings.TEMPLATES = [{**engine, "OPTIONS": {"context_processors": processors}}]
    async with LivePage("/attributes/") as page:
        html = page.response.content.decode()
        (nonce,) = set(re.findall(r'nonce="([^"]*)"', html))
        assert f"'nonce-{nonce}'" in page.response["Content-Security-Policy"]
        assert len(re.findall("<script", html)) == len(re.findall(f'<script[^>]* nonce="{nonce}"', html))
        frame = await page.event("more")
        assert "nonce" not in str(frame["d"])  # only what changed
        assert f'<style nonce="{nonce}">' in await page.html()


@pytest.mark.skipif(django.VERSION < (6, 0), reason="from Django 6.0 on")
async def test_a_policy_of_the_views_own(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]
    settings.SECURE_CSP = {"style-src": ["'none'"]}
    async with LivePage("/overridden/") as page:
        (nonce,) = set(re.findall(r'nonce="([^"]*)"', page.response.content.decode()))
        assert page.response["Content-Security-Policy"] == f"style-src 'nonce-{nonce}'"


async def test_no_nonce_where_nobody_makes_one(settings):
    response = await AsyncClient().get("/page/")
    assert 'nonce=""' in response.content.decode() and "data-troupe-socket" in response.content.decode()
    assert len(re.findall("nonce=", response.content.decode())) == 2


async def test_the_token_does_not_show_the_nonce(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.CspLikeThree"]
    from django.core import signing

    from troupe.web import page_token

    async with LivePage("/page/") as page:
        contents = signing.loads(page.tokens[0], salt=page_token.SALT, serializer=page_token._Serializer)
        assert contents["nonce"] and b"made-for" not in contents["nonce"]
        assert page_token.load(page.tokens[0])["nonce"] == "made-for-page"
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key, since keys are rotated"
        assert page_token.load(page.tokens[0])["nonce"] == "made-for-page"
