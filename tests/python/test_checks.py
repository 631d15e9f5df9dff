"""System checks, the package's lazy names, and logging out."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import fake_worker
import pytest
from django.core.checks import run_checks
from django.test import Client, RequestFactory

import troupe
from troupe import checks, wire
from troupe.web import logout
from troupe.web.transport import client


def ids(found):
    return [message.id for message in found]


def test_a_sound_project_has_nothing_to_mend(settings, monkeypatch, tmp_path):
    settings.TROUPE = {"BROKER": f"ipc://{tmp_path}/x"}
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert [message for message in run_checks() if message.id.startswith("troupe")] == []


def test_channels_and_asgi(settings, monkeypatch):
    del settings.ASGI_APPLICATION
    assert ids(checks.check_channels()) == ["troupe.W002"]
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "channels"]
    monkeypatch.setattr(checks, "_importable", lambda name: False)
    monkeypatch.delitem(sys.modules, "channels")
    assert ids(checks.check_channels()) == ["troupe.E001", "troupe.W002"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        (None, []),
        ([], ["troupe.E004"]),
        ([1], ["troupe.E004"]),
        ({"BROKERS": 1}, ["troupe.W003"]),
        ({"BROKER": 5}, ["troupe.E004"]),
        ({"BROKER": "localhost:5"}, ["troupe.E004"]),
        ({"SOCKET_PATH": "ws/"}, ["troupe.E004"]),
        ({"MINIFIED": "yes"}, ["troupe.E004"]),
        ({"EVENT_RATE": 0, "EVENT_BURST": -1}, ["troupe.E004", "troupe.E004"]),
        (
            {"EVENT_BURST": None, "EVENT_RATE": None, "ADDRESS_RATE": float("nan")},
            ["troupe.E004", "troupe.E004", "troupe.W009"],
        ),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, ["troupe.E004"]),
        ({"TRUSTED_PROXIES": ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "unix"], "ADDRESS_SOCKETS": 5}, []),
        ({"TRUSTED_PROXIES": ["proxy.internal", 5, ["x"]]}, ["troupe.E004"]),
        ({"ADDRESS_SOCKETS": 5}, ["troupe.W009"]),
        ({"ORIGINS": "x", "STRICT_EVENTS": 1}, ["troupe.E004", "troupe.E004"]),
        ({"BROKER": "tcp://127.0.0.1:5", "SOCKET_PATH": "/x/", "MOUNT_TIMEOUT": 2.5, "MINIFIED": None}, []),
    ],
)
def test_the_setting(settings, given, expected):
    settings.TROUPE = given
    assert ids(checks.check_settings()) == expected


def test_the_secret_key(settings):
    assert checks.check_secret_key() == []
    settings.SECRET_KEY = ""
    assert ids(checks.check_secret_key()) == ["troupe.E005"]


class OwnSessions:
    """Not a middleware that Django knows."""


def test_middleware_and_static_files(settings):
    settings.MIDDLEWARE = ["test_checks.OwnSessions", "no.such.Thing"]
    assert ids(checks.check_middleware()) == ["troupe.W006", "troupe.W006"]
    settings.INSTALLED_APPS = ["troupe"]
    assert ids(checks.check_middleware()) == ["troupe.W007"]


def test_templates(settings):
    settings.TEMPLATES = []
    assert ids(checks.check_templates()) == ["troupe.E010"]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.dummy.TemplateStrings"}]
    assert checks.check_templates() == []
    settings.TEMPLATES = [{"BACKEND": "no.such.Engine"}]
    assert checks.check_templates() == []


def test_the_extension_module(settings, monkeypatch):
    settings.TROUPE = {"BROKER": "inproc://"}
    monkeypatch.setitem(sys.modules, "troupe._native", None)
    assert ids(checks.check_transport()) == ["troupe.E009"]
    monkeypatch.setitem(sys.modules, "troupe._native", fake_worker)
    assert checks.check_transport() == []
    settings.TROUPE = {"BROKER": 5}
    assert checks.check_transport() == []


def test_the_broker_is_asked_for_by_check_only(settings, monkeypatch, tmp_path, broker):
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    assert checks.check_transport() == []
    monkeypatch.setattr(checks.reach, "__defaults__", (None, 1))
    settings.TROUPE = {"BROKER": f"ipc://{tmp_path}/nobody"}
    assert ids(checks.check_transport()) == ["troupe.W008"]
    settings.TROUPE = {"BROKER": "tcp://127.0.0.1:no-port"}
    assert ids(checks.check_transport()) == ["troupe.W008"]
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert checks.check_transport() == []


def test_names_are_imported_when_used():
    code = (
        "import sys, troupe; assert 'django' not in sys.modules; print(troupe.__version__);"
        "from troupe import event_handler; assert 'channels' not in sys.modules"
    )
    path = {"PYTHONPATH": str(troupe.__path__[0]).rsplit("/", 1)[0]}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True)
    assert done.stdout == "0.1.0\n"
    assert {"LiveView", "event_handler", "create_session_actor", "ActorError"} <= set(dir(troupe))
    assert troupe.LiveViewConsumer.__name__ == "LiveViewConsumer"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = troupe.Nothing


@pytest.mark.django_db
def test_logging_out_of_a_wsgi_site(broker, django_user_model):
    browser = Client()
    browser.force_login(django_user_model.objects.create_user("ada"))
    key = browser.session.session_key
    browser.logout()
    assert broker.wait_for(wire.LOGOUT) == (wire.NO_SESSION, {"identity": wire.identity_of(key)})


def test_logging_out_without_a_session_tells_nobody(broker):
    logout._logged_out(request=RequestFactory().get("/"), user=None)
    logout._logged_out(request=None, user=None)
    assert broker.seen.empty()


@pytest.mark.asyncio
async def test_logging_out_is_told_twice(broker, monkeypatch):
    monkeypatch.setattr(logout, "REPEAT_AFTER", 0)
    logout.end_sessions(b"i" * 16)
    for _ in range(2):
        assert await asyncio.to_thread(broker.wait_for, wire.LOGOUT)


@pytest.mark.asyncio
async def test_a_logout_that_cannot_be_told_is_logged(settings, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(client, "MAX_WAITING", 0)
    for address, reason in ((f"ipc://{tmp_path}/nobody", str(tmp_path)), ("pigeon://", "TROUPE['BROKER']")):
        settings.TROUPE = {"BROKER": address}
        caplog.clear()
        logout._send(b"i" * 16)
        assert caplog.messages[-1].startswith("event=logout_not_sent") and reason in caplog.messages[-1]


def test_an_id_means_one_thing():
    # SILENCED_SYSTEM_CHECKS would silence two.
    places = {}
    for path in Path(troupe.__file__).parent.rglob("*.py"):
        for number in re.findall(r'id="(troupe\.[EW]\d+)"', path.read_text()):
            places.setdefault(number, set()).add(path.name)
    assert len(places) > 30
    assert {number: files for number, files in places.items() if len(files) > 1} == {}
