"""System checks of the ways in which a page is shown and never comes to life."""

import sys

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.management.commands import runserver
from django.db import OperationalError
from django.urls import path, re_path

from troupe import asgi_checks
from troupe.routing import websocket_urlpatterns
from troupe.web.consumer import LiveViewConsumer

pytestmark = pytest.mark.django_db  # Channels closes old connections around what it calls
SOCKETS = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


def project(websocket=SOCKETS, http=None):
    """An application as asgi.py makes it."""
    return ProtocolTypeRouter({"http": http or ASGIStaticFilesHandler(get_asgi_application()), "websocket": websocket})


async def turn_away(scope, receive, send):
    """A router of another framework."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.close", "code": 4001})


async def say_nothing(scope, receive, send):
    """An application that forgot to answer."""


async def ask_the_database(scope, receive, send):
    """A middleware, before `migrate`."""
    raise OperationalError("no such table: tenants")


async def fail(scope, receive, send):
    """A middleware with a mistake in it."""
    raise KeyError("tenant")


async def behind_a_mount(scope, receive, send):
    """A router that knows no Django, as Starlette's."""
    if scope["path"].startswith("/ws/"):
        await SOCKETS({**scope, "root_path": "/ws", "path": scope["path"]}, receive, send)


@pytest.fixture
def found(settings, monkeypatch):
    """A function: the ids and texts that `manage.py COMMAND` shows for an application."""

    def run(application, command="check", *words):
        monkeypatch.setattr(sys, "argv", ["manage.py", command, *words])
        monkeypatch.setattr(sys.modules[__name__], "application", application, raising=False)
        settings.ASGI_APPLICATION = f"{__name__}.application"
        return {message.id: f"{message.msg} {message.hint}" for message in asgi_checks.check_asgi()}

    return run


@pytest.mark.parametrize(
    "websocket",
    [
        SOCKETS,
        AllowedHostsOriginValidator(SOCKETS),
        AuthMiddlewareStack(URLRouter([path("other/", say_nothing), *websocket_urlpatterns])),
        AuthMiddlewareStack(URLRouter([re_path("^ws/", URLRouter([path("troupe/", LiveViewConsumer.as_asgi())]))])),
        behind_a_mount,
        ask_the_database,  # cannot be told yet
    ],
)
@pytest.mark.parametrize("hosts", [[], ["*"], [".example.com"], ["testserver"]])
def test_a_sound_application(settings, found, websocket, hosts):
    settings.DEBUG, settings.ALLOWED_HOSTS = True, hosts
    if hasattr(websocket, "allowed_origins"):
        websocket = AllowedHostsOriginValidator(SOCKETS)  # reads ALLOWED_HOSTS when it is made
    assert found(project(websocket)) == {}


@pytest.mark.parametrize(
    ("application", "code", "part"),
    [
        (get_asgi_application(), "troupe.W013", "README.md"),
        (ASGIStaticFilesHandler(get_asgi_application()), "troupe.W013", "README.md"),
        (ProtocolTypeRouter({"http": ASGIStaticFilesHandler(get_asgi_application())}), "troupe.W013", "README.md"),
        (project(URLRouter([])), "troupe.W014", "/ws/troupe/"),
        (project(AuthMiddlewareStack(URLRouter([path("chat/", say_nothing)]))), "troupe.W014", "websocket_urlpatterns"),
        (project(turn_away), "troupe.W015", "websocket.close (4001)"),
        (project(say_nothing), "troupe.W015", "without an answer"),
        (project(fail), "troupe.W015", "KeyError: 'tenant'"),
        (project(AllowedHostsOriginValidator(URLRouter([]))), "troupe.W014", "/ws/troupe/"),
        (project(URLRouter(websocket_urlpatterns)), "troupe.W016", "AuthMiddlewareStack"),
    ],
)
def test_no_way_to_the_consumer(settings, found, application, code, part):
    settings.ALLOWED_HOSTS = ["testserver"]
    messages = found(application)
    assert list(messages) == [code] and part in messages[code]


def test_a_session_without_users_will_do(found):
    assert found(project(SessionMiddlewareStack(URLRouter(websocket_urlpatterns)))) == {}


def test_another_socket_path(settings, found):
    settings.TROUPE = {**settings.TROUPE, "SOCKET_PATH": "/live/"}
    assert list(found(project())) == ["troupe.W014"]  # the patterns were made for the other one
    routes = [path("live/", LiveViewConsumer.as_asgi())]
    assert found(project(AuthMiddlewareStack(URLRouter(routes)))) == {}


def test_a_probe_touches_no_session(settings, found, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert found(project()) == {}


@pytest.mark.parametrize("name", ["no.such.application", "urls.missing", "application"])
def test_an_application_that_cannot_be_imported(settings, monkeypatch, name):
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver", "--noreload"])
    settings.ASGI_APPLICATION = name
    messages = [message for message in asgi_checks.check_asgi() if message.id == "troupe.E012"]
    assert len(messages) == 1 and name in messages[0].msg and "Error: " in messages[0].msg


def test_static_files_in_development(settings, found):
    bare = project(http=get_asgi_application())
    settings.DEBUG = False
    assert found(bare) == {}
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["testserver"]
    text = found(bare)["troupe.W017"]
    assert "GET /static/troupe/troupe.js with status 404" in text and "ASGIStaticFilesHandler" in text
    assert list(found(bare, "runserver")) == ["troupe.W018"]  # serves static files itself


async def any_page(scope, receive, send):
    """What a single-page application answers to everything."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<!doctype html>"})


def test_a_page_in_place_of_the_script(settings, found):
    settings.DEBUG = True
    assert "something of type text/html" in found(project(http=any_page))["troupe.W017"]


@pytest.mark.parametrize("url", ["https://cdn.example.com/static/", "/static/"])
def test_static_files_elsewhere(settings, found, monkeypatch, url):
    settings.DEBUG, settings.STATIC_URL = True, url
    if url == "/static/":  # a runserver that speaks ASGI is what runs in development
        monkeypatch.setattr(asgi_checks, "_is_wsgi", lambda command: False)
    assert found(project(http=any_page)) == {}


def test_a_404_of_the_probe_is_not_logged(settings, found, caplog):
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["testserver"]
    found(project(http=get_asgi_application()))
    assert caplog.records == []


def test_a_script_that_no_finder_finds(settings, found):
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert "AppDirectoriesFinder" in found(project())["troupe.W019"]
    settings.STATICFILES_FINDERS = ["no.such.Finder"]
    assert found(project()) == {}


def command(module, base=runserver.Command, **members):
    """A runserver command of another package."""
    return type("Command", (base,), {"__module__": module, **members})()


def test_runserver_without_daphne(found, monkeypatch):
    text = found(project(), "runserver")["troupe.W018"]
    assert "serves WSGI" in text and "`pip install daphne`" in text
    assert found(project(), "check") == {}
    here = {"daphne": object()}
    monkeypatch.setattr(asgi_checks, "find_spec", lambda name: here.get(name, name))
    assert 'Put "daphne" at the front' in found(project(), "runserver")["troupe.W018"]
    monkeypatch.setattr(asgi_checks.apps, "is_installed", lambda name: True)
    assert 'Move "daphne" to the front' in found(project(), "runserver")["troupe.W018"]


def test_a_runserver_that_speaks_asgi(found, monkeypatch):
    ours = command("daphne.management.commands.runserver", inner_run=lambda self, *args, **options: None)
    without_static = command("whitenoise.runserver_nostatic.management.commands.runserver", base=type(ours))
    for each in (ours, without_static):
        monkeypatch.setattr(asgi_checks, "get_commands", lambda each=each: {"runserver": each})
        assert found(project(), "runserver") == {}
        assert "Leave out --noasgi" in found(project(), "runserver", "--noasgi")["troupe.W018"]


def test_uvicorn_without_a_library_for_websockets(found, monkeypatch):
    here = {"uvicorn", "channels"}
    monkeypatch.setattr(asgi_checks, "find_spec", lambda name: name if name in here else None)
    assert "pip install websockets" in found(project())["troupe.W030"]
    for more in ("websockets", "wsproto", "daphne"):
        here = {"uvicorn", "channels", more}
        assert found(project()) == {}


@pytest.mark.parametrize("words", [["migrate"], ["test"], ["shell"], []])
def test_other_commands_call_nothing(settings, monkeypatch, words):
    settings.ASGI_APPLICATION = "no.such.application"
    monkeypatch.setattr(sys, "argv", ["manage.py", *words])
    assert asgi_checks.check_asgi() == []


def test_a_module_from_another_origin(settings):
    assert asgi_checks.check_static_origin() == []
    settings.STATIC_URL = "https://cdn.example.com/static/"
    [message] = asgi_checks.check_static_origin()
    assert message.id == "troupe.W045" and "https://cdn.example.com/static/troupe/" in message.msg
    assert "troupe.W045" in [each.id for each in run_checks(include_deployment_checks=True)]
    assert "troupe.W045" not in [each.id for each in run_checks()]


def test_it_is_registered(settings, monkeypatch):
    settings.ASGI_APPLICATION = "no.such.application"
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    assert "troupe.E012" in [message.id for message in run_checks()]
