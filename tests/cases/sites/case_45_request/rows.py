"""What a view can read of its request, row by row, and middleware of a project's own to set more. Shared with
tests/idioms/test_request.py.
"""

import asyncio
import datetime
import decimal
import enum
import uuid

import django
from django.conf import settings
from django.contrib.auth.models import Group
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject


class Colour(enum.Enum):
    RED = "red"


class ProjectMiddleware:
    """Sets what projects set: a tenant that is looked up when it is needed, and values of many kinds."""

    VALUES = {
        "day": datetime.date(2026, 11, 30),
        "at": datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC),
        "price": decimal.Decimal("9.90"),
        "key": uuid.UUID(int=7),
        "colour": Colour.RED,
        "pairs": (("a", 1), {"b": {2, 3}}),
        "large": 1 << 70,
    }
    sync_capable, async_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        for name, value in self.VALUES.items():
            setattr(request, name, value)
        request.tenant = SimpleLazyObject(lambda: Group.objects.get(name="acme"))
        request.word = SimpleLazyObject(lambda: "lazy")
        return self.get_response(request)


ATTRS = [*ProjectMiddleware.VALUES, "tenant", "word"]


def evaluated(value):
    """A value that may be lazy, as a text to compare."""
    return value.__class__, str(value)


# Attributes and methods of HttpRequest in Django's documentation, and what stock middleware documents to set.
ROWS = {
    "scheme": lambda request: request.scheme,
    "path": lambda request: request.path,
    "path_info": lambda request: request.path_info,
    "method": lambda request: request.method,
    "encoding": lambda request: request.encoding,
    "content_type": lambda request: request.content_type,
    "content_params": lambda request: request.content_params,
    "GET": lambda request: request.GET,
    "POST": lambda request: (request.POST, type(request.POST), request.POST._mutable),
    "COOKIES": lambda request: {name: value for name, value in request.COOKIES.items() if name == "tea"},
    "FILES": lambda request: request.FILES,
    "META": lambda request: sorted(
        (name, value)
        for name, value in request.META.items()
        if name not in ("HTTP_COOKIE", "CSRF_COOKIE", "CSRF_COOKIE_NEEDS_UPDATE", "wsgi.url_scheme", "HTTP_ORIGIN")
    ),
    "META HTTP_COOKIE": lambda request: "tea=green" in request.META.get("HTTP_COOKIE", ""),
    "headers": lambda request: [request.headers[name] for name in ("Host", "Accept", "X-Thing", "accept-language")],
    "headers.get": lambda request: request.headers.get("Missing", "none"),
    "resolver_match": lambda request: (
        request.resolver_match.kwargs,
        request.resolver_match.route.partition("/")[2],
        request.resolver_match.namespaces,
    ),
    "body": lambda request: request.body,
    "read": lambda request: request.read(),
    "readline": lambda request: request.readline(),
    "__iter__": lambda request: list(request),
    "get_host": lambda request: request.get_host(),
    "get_port": lambda request: request.get_port(),
    "get_full_path": lambda request: request.get_full_path(),
    "get_full_path force": lambda request: request.get_full_path(force_append_slash=True),
    "get_full_path_info": lambda request: request.get_full_path_info(),
    "build_absolute_uri": lambda request: request.build_absolute_uri(),
    "build_absolute_uri of": lambda request: request.build_absolute_uri("/x/?y=1"),
    "get_signed_cookie": lambda request: request.get_signed_cookie("seal", None),
    "is_secure": lambda request: request.is_secure(),
    "accepts": lambda request: (request.accepts("text/html"), request.accepts("image/png")),
    "accepted_types": lambda request: list(map(str, request.accepted_types)),
    "user": lambda request: (str(request.user), request.user.is_authenticated, request.user.get_username()),
    "session": lambda request: (request.session.get("basket"), request.session.session_key),
    "site": lambda request: (request.site, request.site.domain),
    "LANGUAGE_CODE": lambda request: request.LANGUAGE_CODE,
    "get_language": lambda request: translation.get_language(),
    "time zone": lambda request: timezone.get_current_timezone_name(),
    "script prefix": lambda request: get_script_prefix(),
    "urlconf": lambda request: (getattr(request, "urlconf", None), get_urlconf(settings.ROOT_URLCONF)),
    "reverse": lambda request: reverse("ordinary", kwargs={"n": 1}).replace("ordinary", "live"),
    "current_app": lambda request: getattr(request, "current_app", None),
    **{name: lambda request, name=name: evaluated(getattr(request, name)) for name in ATTRS},
}
if django.VERSION >= (5, 2):
    ROWS["get_preferred_type"] = lambda request: request.get_preferred_type(["application/json", "text/html"])
if django.VERSION >= (5, 0):
    ROWS["auser"] = lambda request: asyncio.iscoroutinefunction(request.auser.func)


def read(request, leave_out=()):
    """{row: repr} of a request."""
    return {name: repr(row(request)) for name, row in ROWS.items() if name not in leave_out}


def differing(live, plain):
    """{row: (on the live page, on the ordinary view)} where they differ."""
    plain = {name: text.replace("ordinary", "live") for name, text in plain.items()}
    return {name: (live[name], plain[name]) for name in plain if live[name] != plain[name]}
