"""Page tokens, and what a request tells a worker."""

import datetime
import uuid
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.test import RequestFactory
from django.utils import timezone, translation

from troupe import conf
from troupe.errors import TokenError
from troupe.snapshots.values import dumps
from troupe.web import page_token, request_facts

ADA = {"user": "7", "session_key": "k" * 32}


def facts(**changes):
    base = {"path": "/p/", "query": "", "attrs": {}, "language": "de", "time_zone": "UTC", **ADA}
    return {**base, **changes}


def signed(**changes):
    params = {"when": datetime.date(2024, 5, 1), "which": uuid.UUID(int=5), "s": "x" * 500}
    contents = page_token.make(b"s" * 16, b"v" * 16, "samples.Counter", params, {}, facts(**changes), 3)
    return page_token.sign(contents)


def test_contents_survive():
    text = signed(query="a=1")
    contents = page_token.read(text, ADA)
    assert contents["params"]["when"] == datetime.date(2024, 5, 1)
    assert contents["params"]["which"] == uuid.UUID(int=5)
    assert contents["url"] == "/p/?a=1" and contents["version"] == 3
    assert not set(text) & set("\"'<>& ") and len(text) < 500
    assert ADA["session_key"] not in repr(contents)


@pytest.mark.parametrize(
    "login",
    [
        {**ADA, "user": "8"},
        {**ADA, "user": None},
        {**ADA, "session_key": "other"},
        {**ADA, "session_key": None},
    ],
)
def test_a_foreign_token(login):
    with pytest.raises(TokenError) as error:
        page_token.read(signed(), login)
    assert error.value.reason == "foreign"


def test_an_expired_token():
    text = signed()
    with mock.patch("django.core.signing.time.time", return_value=9e9), pytest.raises(TokenError) as error:
        page_token.read(text, ADA)
    assert error.value.reason == "expired"


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: "A" + text,
        lambda text: "",
        lambda text: "x" * 60000,
        lambda text: "\ud800:\udfff:ü",
        lambda text: signing.dumps({"user": "7"}, salt="other"),
        lambda text: signing.dumps([1], salt=page_token.SALT),
    ],
    ids=["changed", "longer", "empty", "long", "odd", "salt", "contents"],
)
def test_a_forged_token(forge):
    with pytest.raises(TokenError) as error:
        page_token.read(forge(signed()), ADA)
    assert error.value.reason == "forged"


def test_a_token_of_another_site(settings):
    text = signed()
    settings.SECRET_KEY = "another"
    with pytest.raises(TokenError, match="forged"):
        page_token.read(text, ADA)


def asked(path="/p/", **extra):
    found = RequestFactory().get(path, **extra)
    found.user = AnonymousUser()
    return found


def test_what_a_request_tells(settings):
    settings.TROUPE = {"REQUEST_ATTRS": ["tenant", "absent"]}
    found = asked("/p/?x=%20y", HTTP_X_THING="a", HTTP_COOKIE="a=b", secure=True)
    found.tenant = uuid.UUID(int=1)
    with translation.override("fr"), timezone.override("Asia/Tokyo"):
        facts = request_facts.of_http(found)
    assert facts["path"] == "/p/" and facts["query"] == "x=%20y" and facts["scheme"] == "https"
    assert facts["headers"]["x-thing"] == "a" and "cookie" not in facts["headers"]
    assert facts["server"] == ["testserver", 443] and facts["remote_addr"] == "127.0.0.1"
    assert facts["attrs"] == {"tenant": dumps(uuid.UUID(int=1))}
    assert facts["language"] == "fr" and facts["time_zone"] == "Asia/Tokyo"
    assert facts["user"] is None and facts["session_key"] is None and facts["csrf"]


def test_headers_and_cookies_have_limits():
    found = asked(**{f"HTTP_X_{n}": "v" for n in range(100)})
    found.COOKIES = {f"c{n}": "v" for n in range(100)}
    found.COOKIES[django_settings.SESSION_COOKIE_NAME] = "kept"
    facts = request_facts.of_http(found)
    assert len(facts["headers"]) == 64 and len(facts["cookies"]) == 64
    assert facts["cookies"]["sessionid"] == "kept"
    found.COOKIES = {"big": "v" * (16 << 10), "odd": "\udcff"}
    assert request_facts.of_http(found)["cookies"] == {}
    found.META["SERVER_PORT"] = "unix"
    found.COOKIES = {"odd": "\udcff"}
    facts = request_facts.of_http(found)
    assert facts["cookies"] == {"odd": "?"} and facts["server"][1] == 0


@pytest.mark.django_db
def test_a_session_that_begins_with_this_page_is_kept_first():
    found = asked()
    found.session = SessionStore()
    found.session["basket"] = 1
    assert request_facts.of_http(found)["session_key"] == found.session.session_key is not None
    found.session = SessionStore()
    assert request_facts.of_http(found)["session_key"] is None


def scope(**extra):
    headers = [(b"cookie", b"sessionid=abc; csrftoken=t; theme=d"), (b"user-agent", b"x\xff")]
    return {"type": "websocket", "headers": headers, "scheme": "wss", "server": ["h", 1], **extra}


def contents():
    return page_token.make(b"s" * 16, b"v" * 16, "a.B", {}, {}, facts(query="q=1"), 1)


def test_what_a_socket_tells(settings):
    facts = request_facts.of_scope(scope(client=["10.0.0.1", 5]), {"user": "7"}, contents())
    assert (facts["path"], facts["query"], facts["scheme"], facts["csrf"]) == ("/p/", "q=1", "https", "t")
    assert facts["headers"] == {"user-agent": "xÿ"} and facts["cookies"]["theme"] == "d"
    assert facts["user"] == "7" and facts["language"] == "de" and facts["remote_addr"] == "10.0.0.1"
    settings.CSRF_USE_SESSIONS = True
    assert request_facts.of_scope(scope(), {}, contents())["csrf"] is None
    session = {"_csrftoken": "in session"}
    assert request_facts.of_scope(scope(session=session), {}, contents())["csrf"] == "in session"
    assert request_facts.of_scope({"type": "websocket", "headers": []}, {}, contents())["cookies"] == {}


@pytest.mark.django_db
def test_who_is_behind_a_socket(client, django_user_model, settings):
    ada = django_user_model.objects.create_user("ada", password="x")
    client.force_login(ada)
    key = client.session.session_key
    headers = [(b"cookie", f"sessionid={key}".encode())]
    alone = {"type": "websocket", "headers": headers}  # without AuthMiddlewareStack
    login = request_facts.login_of_scope(alone, False)
    assert login["user"] == str(ada.pk) and login["session_key"] == key and login["backend"]
    full = {**alone, "session": client.session, "user": ada, "cookies": {"sessionid": key}}
    assert request_facts.login_of_scope(full, False) == request_facts.login_of_scope(full, True) == login
    client.logout()
    assert request_facts.login_of_scope(full, False)["user"] == str(ada.pk)
    assert request_facts.login_of_scope(full, True)["user"] is None
    ada.backend = "site.Tokens"
    by_token = {**alone, "session": SessionStore(), "user": ada}
    assert request_facts.login_of_scope(by_token, True) == {
        "user": str(ada.pk),
        "backend": "site.Tokens",
        "session_key": None,
    }
    apps = [app for app in settings.INSTALLED_APPS if app != "django.contrib.auth"]
    settings.INSTALLED_APPS = [app for app in apps if app != "django.contrib.sessions"]
    nobody = {"user": None, "backend": None, "session_key": None}
    assert request_facts.login_of_scope(alone, False) == nobody
    settings.INSTALLED_APPS = apps
    assert request_facts.login_of_scope(alone, False)["user"] is None


def test_defaults_of_the_setting(settings, monkeypatch):
    monkeypatch.setattr(conf, "_is_test_run", lambda: False)
    settings.TROUPE = {}
    monkeypatch.setenv("TROUPE_FRONT", "tcp://127.0.0.1:1")
    assert conf.get("BROKER") == "tcp://127.0.0.1:1" and conf.get("MOUNT_TIMEOUT") == 10
    settings.TROUPE = None
    monkeypatch.delenv("TROUPE_FRONT")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    assert conf.get("BROKER").startswith("ipc:///run/mine/troupe/settings-") and not conf.is_inproc()
    for variable, value, expected in [
        ("TROUPE_STATE", "/var/fleet", "ipc:///var/fleet/front"),
        ("TROUPE_FRONT", "ipc:///a,tcp://127.0.0.1:1", "ipc:///a"),
    ]:
        monkeypatch.setenv(variable, value)
        assert conf.default_broker() == expected


def test_a_renewal_gives_an_old_token_its_generation_and_a_new_age():
    text = signed()
    contents = page_token.read(text, ADA)
    renewal = page_token.renew({**contents, "generation": 4})
    assert len(renewal) < 64
    assert page_token.read(text, ADA, renewal) == {**contents, "generation": 4}
    with mock.patch("django.core.signing.time.time", return_value=9e9):
        late = page_token.renew({**contents, "generation": 5})
        assert page_token.read(text, ADA, late)["generation"] == 5
        with pytest.raises(TokenError) as error:
            page_token.read(text, ADA, renewal)
    assert error.value.reason == "expired"
    for other in ({**contents, "view": b"w" * 16}, {**contents, "session": b"t" * 16}):
        with pytest.raises(TokenError) as error:
            page_token.read(text, ADA, page_token.renew(other))
        assert error.value.reason == "forged"
    with pytest.raises(TokenError) as error:
        page_token.read(text, {**ADA, "user": "8"}, renewal)
    assert error.value.reason == "foreign"
