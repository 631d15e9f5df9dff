"""The HTTP side, through Django's own test clients: as_view, {% live_view %}, and what a mount can answer."""

import re

import fake_worker
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template, TemplateSyntaxError
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from samples import Counter

from troupe import ActorError, LiveView, wire
from troupe.web import page, page_token
from troupe.web.transport import client

ANYBODY = {"user": None, "session_key": None}


@pytest.fixture(params=["native", "broker"])
def either(request):
    return request.getfixturevalue(request.param)


def token_of(response):
    return re.search(r'<main data-troupe="([^"]+)" dj-root>', response.content.decode())[1]


def last_mount():
    return fake_worker.Session.made[-1].requests[0]


@pytest.mark.django_db
def test_a_page_over_wsgi(either):
    response = Client().get("/counter/5/?a=1&b=%C3%BC", HTTP_ACCEPT_LANGUAGE="de")
    text = response.content.decode()
    assert response.status_code == 200 and response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert 'data-troupe-socket="/ws/troupe/"></script><main data-troupe="' in text
    assert text.count("<script") == 2 and 'src="/static/troupe/' in text
    contents = page_token.read(token_of(response), ANYBODY)
    assert contents["path"] == "samples.Counter" and contents["params"] == {"start": 5}
    assert contents["init"] == {"step": 2} and contents["url"] == "/counter/5/?a=1&b=%C3%BC"
    assert contents["generation"] == 0 and contents["version"] == 1 and contents["language"] == "de"
    kind, flags, fields = last_mount()
    assert flags == wire.PAGE | wire.UNADOPTED and fields["identity"] == b""
    assert response.cookies["csrftoken"] and fields["request"]["csrf"]


@pytest.mark.asyncio
@pytest.mark.django_db
async def test_a_page_over_asgi(either):
    response = await AsyncClient().get("/counter/")
    assert response.status_code == 200 and b">0</main>" in response.content
    assert page_token.read(token_of(response), ANYBODY)["session"] == fake_worker.Session.made[-1].id


@pytest.mark.django_db
def test_a_person_is_bound_to_the_page(native, django_user_model):
    user = django_user_model.objects.create_user("ada", password="x")
    browser = Client()
    browser.force_login(user)
    response = browser.get("/counter/")
    facts = last_mount()[2]["request"]
    assert facts["user"] == str(user.pk) and facts["session_key"] == browser.session.session_key
    assert facts["backend"] == "django.contrib.auth.backends.ModelBackend"
    assert facts["cookies"]["sessionid"] == browser.session.session_key and "cookie" not in facts["headers"]
    login = {"user": str(user.pk), "session_key": browser.session.session_key}
    assert page_token.read(token_of(response), login)["user"] == str(user.pk)
    owner = wire.owner_of(wire.identity_of(browser.session.session_key), str(user.pk))
    assert last_mount()[2]["identity"] == owner and len(owner) == 32


@pytest.mark.django_db
def test_head_and_prefetch_leave_nothing_behind(either):
    browser = Client()
    assert browser.head("/counter/").status_code == 200
    for header in ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ", "HTTP_X_PURPOSE"):
        assert browser.get("/counter/", **{header: "prefetch;prerender"}).status_code == 200
    if isinstance(either, fake_worker.Broker):
        for _ in range(5):
            either.wait_for(wire.SHUTDOWN)
        assert not either.sessions
    else:
        assert len(fake_worker.Session.made) == 5 and len(either) == 0


@pytest.mark.django_db
def test_other_methods_and_long_addresses(native):
    response = Client().put("/counter/")
    assert response.status_code == 405 and response["Allow"] == "GET, HEAD, OPTIONS"
    # A form that was sent before the page's script was there: its fields go nowhere.
    response = Client(enforce_csrf_checks=True).post("/counter/?start=2", {"password": "secret"})
    assert (response.status_code, response["Location"]) == (303, "/counter/?start=2")
    assert Client().get("/counter/?" + "x" * (8 << 10)).status_code == 200
    assert Client().get("/counter/?" + "x" * (8 << 10) + "x").status_code == 414
    options = Client().options("/counter/")
    assert options.status_code == 200 and options["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.django_db
def test_what_the_url_has_and_the_wire_cannot_carry(native, rf):
    assert Client().get("/unnamed/5/").status_code == 200
    fields = last_mount()[2]
    assert fields["params"] == {} and fields["request"]["route"] == "url"
    assert Client().get("/counter/5/").status_code == 200
    fields = last_mount()[2]
    assert fields["params"] == {"start": 5} and fields["request"]["route"] == "call"
    with pytest.raises(ImproperlyConfigured, match="unnamed arguments"):
        Counter.as_view()(rf.get("/counter/"), 5)


@pytest.mark.django_db
def test_a_mount_that_answers_by_itself(either):
    response = Client().get("/moved/")
    assert response.status_code == 302 and response["Location"] == "/elsewhere/"
    cookie = response.cookies["seen"]
    assert (cookie.value, cookie["max-age"], cookie["httponly"]) == ("yes", "60", True)
    missing = Client().get("/missing/")
    assert missing.status_code == 404 and b"<title>" in missing.content  # Django's page, or the project's
    assert Client().get("/refusing/").status_code == 403


@pytest.mark.django_db
def test_a_mount_that_raises(native, settings, caplog):
    browser = Client(raise_request_exception=False)
    response = browser.get("/broken/")
    assert response.status_code == 500 and b"broken" not in response.content
    assert [record.getMessage().split(" path=")[0] for record in caplog.records if record.levelno >= 30] == [
        "event=mount_failed view=samples.Broken"  # and no ERROR: the worker has reported it
    ]
    settings.DEBUG = True
    caplog.clear()
    response = browser.get("/broken/")
    text = response.content.decode()  # of a worker without DEBUG
    assert response.status_code == 500 and response["Content-Type"].startswith("text/plain")
    assert "<b>broken</b> mount" in text and "raise <here>" in text
    lines = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert len(lines) == 1 and lines[0].getMessage().startswith("event=mount_failed view=samples.Broken")


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_where_coming_back_may_help(broker, settings, caplog, debug):
    settings.DEBUG = debug
    settings.TROUPE = {**settings.TROUPE, "MOUNT_TIMEOUT": 1}
    broker.answer = lambda *_: [(wire.NOT_EXECUTED, {"reason": "no_worker", "message": "none", "retry_ms": 2500})]
    response = Client().get("/counter/")
    assert response.status_code == 503 and response["Retry-After"] == "3"
    assert response["Cache-Control"] == "no-store"
    assert (b"none" in response.content) is debug
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [line.split()[0] for line in errors] == ["event=mount_failed"]


@pytest.mark.django_db
def test_a_refusal_that_passes_is_waited_for(broker):
    refusals = ["no_worker", "leaving", "busy"]
    usual = broker.answer

    def answer(*args):
        if refusals:
            return [(wire.NOT_EXECUTED, {"reason": refusals.pop(), "message": "not now", "retry_ms": 1})]
        return usual(*args)

    broker.answer = answer
    assert Client().get("/counter/").status_code == 200 and not refusals


@pytest.mark.django_db
def test_no_broker(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_WAIT", 0.01)
    settings.TROUPE = {"BROKER": f"ipc://{tmp_path}/none"}
    assert Client().get("/counter/").status_code == 503


@pytest.mark.django_db
def test_parameters_that_cannot_travel(native, rf):
    view = Counter.as_view(step=object())
    with pytest.raises(ActorError, match="cannot be sent to a worker"):
        view(rf.get("/"))


def test_as_view_is_checked_and_introspectable():
    with pytest.raises(TypeError, match="'speed'"):
        Counter.as_view(speed=1)
    view = Counter.as_view(step=3)
    assert view.view_class is Counter and view.view_initkwargs == {"step": 3}
    assert view.__name__ == "Counter" and view.__doc__ == "Counts." and view.__module__ == "samples"
    assert "default" in view._non_atomic_requests


@pytest.mark.django_db
def test_live_view_in_an_ordinary_page(either):
    response = Client().get("/embedding/")
    text = response.content.decode()
    tokens = [page_token.read(found, ANYBODY) for found in re.findall(r'data-troupe="([^"]+)"', text)]
    assert [token["params"] for token in tokens] == [{"start": 3}, {"start": 4}]
    assert tokens[0]["session"] == tokens[1]["session"] and tokens[0]["view"] != tokens[1]["view"]
    assert text.count("<script") == 2 and text.count("<body>") == 1
    assert last_mount()[1] == wire.EMBED | wire.UNADOPTED


@pytest.mark.asyncio
@pytest.mark.django_db
async def test_live_view_in_an_ordinary_page_over_asgi(either):
    response = await AsyncClient().get("/embedding/")
    assert response.content.count(b"data-troupe=") == 2


@pytest.mark.django_db
def test_live_view_that_does_not_work(native):
    browser = Client()
    with pytest.raises(ActorError, match="302"):
        browser.get("/embedding/samples.Moved/")
    with pytest.raises(ActorError, match="broken"):
        browser.get("/embedding/samples.Broken/")
    assert browser.get("/embedding/samples.Refusing/").status_code == 403


def test_live_view_where_it_cannot_be():
    source = Template('{% load troupe %}{% live_view "samples.Counter" %}')
    with pytest.raises(TemplateSyntaxError, match="needs `request`"):
        source.render(Context({}))
    asked = RequestFactory().get("/")
    asked._troupe_worker = True
    with pytest.raises(TemplateSyntaxError, match="ordinary templates only"):
        source.render(Context({"request": asked}))


def test_the_script_and_where_it_goes():
    asked = RequestFactory().get("/")
    tag = page.script_tag(asked).encode()
    assert page.with_script(b"<p>", asked) == b"<p>" + tag
    assert page.with_script(b"<BODY>x</BODY>", asked) == b"<BODY>x" + tag + b"</BODY>"
    assert page.with_script(b"</body></body>", asked) == b"</body>" + tag + b"</body>"
    assert page.with_script(tag, asked) == tag
    assert page.with_script(b"<head></HEAD></body>", asked) == b"<head>" + tag + b"</HEAD></body>"
    root = b'<main data-troupe="t" dj-root></main>'
    assert page.with_script(b"<p></p>" + root + b"</body>", asked) == b"<p></p>" + tag + root + b"</body>"
    asked.csp_nonce = 'a"b'
    assert 'nonce="a&quot;b"' in page.script_tag(asked)


@pytest.mark.parametrize("served", ["asgi", "wsgi", ""])
def test_the_script_that_explains_why_there_is_no_connection(settings, served):
    made = {"asgi": AsyncRequestFactory().get, "wsgi": RequestFactory().get, "": lambda path: None}
    asked = made[served]("/")
    assert page.script_tag(asked).count("<script") == 2
    settings.DEBUG = True
    first, second, third = page.script_tag(asked).split("</script>")[:3]
    assert "troupe/no-connection.js" in first and f'data-troupe-served="{served}"' in first
    assert "troupe/early.js" in second and "module" not in second
    assert "data-troupe-socket" in third


def test_use_actors_is_read():
    class Plain(LiveView):
        use_actors = False

    with pytest.warns(UserWarning, match="Plain.use_actors is false"):
        Plain.as_view()


@pytest.mark.parametrize(
    ("wanted", "debug", "there", "small"),
    [
        (None, False, True, True),
        (None, True, True, False),
        (None, False, False, False),
        (True, True, True, True),
        (False, False, True, False),
    ],
)
def test_pages_load_the_small_file_or_the_modules(settings, monkeypatch, tmp_path, wanted, debug, there, small):
    settings.DEBUG = debug
    settings.TROUPE = {"MINIFIED": wanted}
    file = tmp_path / "troupe.min.js"
    if there:
        file.touch()
    monkeypatch.setattr(page, "_MINIFIED_FILE", file)
    name = "dist/troupe.min.js" if small else "troupe.js"
    assert f'src="/static/troupe/{name}"' in page.script_tag()


def test_what_forms_need_is_loaded_along_with_a_page_that_has_one(settings):
    settings.TROUPE = {"MINIFIED": True}
    request = RequestFactory().get("/")
    request.csp_nonce = "abc"
    plain = page.with_script(b"<head></head><p>", request).decode()
    assert "modulepreload" not in plain and 'data-troupe-forms="/static/troupe/dist/forms.min.js"' in plain
    live = page.with_script(b'<head></head><form dj-submit="save">', request).decode()
    assert '<link rel="modulepreload" href="/static/troupe/dist/forms.min.js" nonce="abc">' in live
