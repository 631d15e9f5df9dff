"""The request that a worker rebuilds, held against the one that Django had."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.middleware.csrf import get_token
from django.test import RequestFactory

from troupe.runtime.request import build_request
from troupe.snapshots.values import dumps


def test_the_same_as_djangos_own():
    facts = {
        "method": "GET",
        "path": "/counter/7/",
        "query": "a=1&a=2&b=%C3%A9",
        "scheme": "https",
        "headers": {"accept-language": "de", "host": "testserver", "x-thing": "1", "content-type": "text/x"},
        "cookies": {"tea": "green"},
        "remote_addr": "10.0.0.1",
        "server": ["testserver", 443],
    }
    rebuilt = build_request(facts)
    own = RequestFactory().get(
        "/counter/7/?a=1&a=2&b=%C3%A9", secure=True, HTTP_ACCEPT_LANGUAGE="de", HTTP_X_THING="1", REMOTE_ADDR="10.0.0.1"
    )
    for name in ("method", "path", "path_info", "scheme", "GET"):
        assert getattr(rebuilt, name) == getattr(own, name), name
    assert rebuilt.build_absolute_uri() == own.build_absolute_uri()
    assert rebuilt.get_full_path() == own.get_full_path() and rebuilt.is_secure() and rebuilt.get_host() == "testserver"
    assert rebuilt.headers["X-Thing"] == "1" and rebuilt.headers["Accept-Language"] == "de"
    assert rebuilt.META["CONTENT_TYPE"] == "text/x" and rebuilt.META["REMOTE_ADDR"] == "10.0.0.1"
    assert rebuilt.COOKIES == {"tea": "green"}
    assert rebuilt.resolver_match.kwargs == {"start": 7}


def test_url_takes_the_place_of_the_sockets_own():
    request = build_request({"path": "/ws/troupe/", "query": "x=1"}, "/counter/?y=2")
    assert request.path == "/counter/" and "x" not in request.GET and request.GET["y"] == "2"
    assert build_request({"path": "/nowhere/"}).resolver_match is None
    request.resolver_match = "given"
    assert request.resolver_match == "given"


def test_empty_facts_make_a_request_all_the_same():
    request = build_request({})
    assert request.path == "/" and request.get_host() == "localhost" and isinstance(request.user, AnonymousUser)


def test_attributes_of_the_projects_middleware():
    assert build_request({"attrs": {"tenant": dumps("acme")}}).tenant == "acme"


def test_the_csrf_token_is_one_that_the_page_accepts():
    own = RequestFactory().get("/")
    get_token(own)
    secret = own.META["CSRF_COOKIE"]
    rebuilt = build_request({"csrf": secret})
    from django.middleware import csrf

    assert csrf._does_token_match(get_token(rebuilt), secret)


@pytest.mark.django_db
def test_the_user_comes_from_the_backend():
    user = User.objects.create_user("ann")
    backend = "django.contrib.auth.backends.ModelBackend"
    assert build_request({"user": str(user.pk), "backend": backend}).user == user
    assert build_request({"user": str(user.pk), "backend": "os.system"}).user == AnonymousUser()
    assert build_request({"user": "999999", "backend": backend}).user == AnonymousUser()
    user.is_active = False
    user.save()
    assert build_request({"user": str(user.pk), "backend": backend}).user == AnonymousUser()
