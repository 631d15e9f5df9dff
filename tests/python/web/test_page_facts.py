"""What the request map has of middleware, servers and proxies, and what not."""

import types

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from troupe.runtime.request import build_request
from troupe.web import page_facts, request_facts
from troupe.web.page import script_tag

TOKEN = {"url": "/p/", "attrs": {}, "language": "en", "time_zone": "UTC"}
NOBODY = {"user": None, "backend": None, "session_key": None}


def asked(path="/p/", **meta):
    return RequestFactory().get(path, **meta)


def test_script_name_of_wsgi():
    request = asked("/p/", SCRIPT_NAME="/app")
    assert request.path == "/app/p/"
    rebuilt = build_request(request_facts.of_http(request))
    for name in ("path", "path_info"):
        assert getattr(rebuilt, name) == getattr(request, name), name
    assert rebuilt.META["SCRIPT_NAME"] == "/app" and rebuilt.META["PATH_INFO"] == "/p/"


def test_a_path_that_does_not_begin_with_the_script_name():
    """daphne --root-path behind a proxy that strips it."""
    request = asked("/p/")
    request.META["SCRIPT_NAME"] = "/app"
    facts = request_facts.of_http(request)
    assert facts["script_name"] == "/app"
    rebuilt = build_request(facts)
    assert (rebuilt.path, rebuilt.path_info) == ("/p/", "/p/")


@pytest.mark.parametrize(
    ("path", "script_name", "below"),
    [("/app/p/", "/app", "/p/"), ("/app/p/", "/app/", "/p/"), ("/apple/", "/app", "/apple/"), ("/p/", "", "/p/")],
)
def test_path_below(path, script_name, below):
    assert page_facts.path_below(path, script_name) == below


def test_meta_of_the_server_but_not_its_environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    request = asked(DATABASE_URL="postgres://secret", GEOIP_COUNTRY="AT", REMOTE_PORT=5000, HTTP_X_A="1")
    request.META["wsgi.input"] = object()
    meta = request_facts.of_http(request)["meta"]
    assert meta["GEOIP_COUNTRY"] == "AT" and meta["REMOTE_PORT"] == 5000
    assert not {"DATABASE_URL", "HTTP_X_A", "wsgi.input", "REQUEST_METHOD"} & set(meta)
    request.META["BIG"] = "x" * 9000
    assert "BIG" not in request_facts.of_http(request)["meta"]


def test_urlconf_is_a_module():
    request = asked()
    request.urlconf = types.ModuleType("shop.urls")
    assert request_facts.of_http(request)["urlconf"] == "shop.urls"
    request.urlconf = [1, 2]
    with pytest.raises(ImproperlyConfigured, match=r"request.urlconf is a list.*a module's dotted name"):
        request_facts.of_http(request)


def test_a_user_that_no_worker_can_load():
    request = asked()
    request.user = types.SimpleNamespace(is_authenticated=True)
    with pytest.raises(ImproperlyConfigured, match=r"request.user is a SimpleNamespace.*REQUEST_ATTRS"):
        request_facts.of_http(request)


@pytest.mark.parametrize(("said", "secure"), [("https", True), ("wss", True), ("ws", False), ("http", False)])
def test_a_proxy_that_says_wss_of_a_socket(settings, said, secure):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    scope = {"headers": [(b"x-forwarded-proto", said.encode()), (b"upgrade", b"websocket")], "scheme": "ws"}
    facts = request_facts.of_scope(scope, NOBODY, TOKEN)
    assert build_request(facts, "/p/").is_secure() is secure and "upgrade" not in facts["headers"]


def test_the_script_watches_the_language_cookie_where_it_can(settings):
    assert 'data-troupe-language="django_language"' in script_tag(asked())
    settings.LANGUAGE_COOKIE_HTTPONLY = True
    assert "data-troupe-language" not in script_tag(asked())
    settings.LANGUAGE_COOKIE_HTTPONLY = False
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Locale" not in name]
    assert "data-troupe-language" not in script_tag(asked())


def test_a_locale_middleware_that_needs_more(settings, caplog):
    """A subclass that asks for the user: the page's language stays."""
    settings.MIDDLEWARE = [f"{__name__}.OfUser"]
    token = {**TOKEN, "follows": True, "language": "de"}
    facts = request_facts.of_scope({"headers": []}, NOBODY, token)
    assert facts["language"] == "de" and "event=language_unknown" in caplog.text


class OfUser(page_facts.LocaleMiddleware):
    def process_request(self, request):
        raise AttributeError(request.user.language)
