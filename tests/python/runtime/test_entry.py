"""troupe.runtime.entry: classes, handlers, requests' answers and faults, as the C code calls them."""

import asyncio
import contextvars

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import connection, connections, transaction
from django.db.backends.signals import connection_created
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template import TemplateDoesNotExist, engines
from django.template.response import TemplateResponse
from django.utils import timezone, translation

from troupe import LiveView, event_handler
from troupe.runtime import entry, faults, housekeeping, locale, template_cache, view_class


class Base(LiveView):
    def inherited(self):
        pass


class Shop(Base):
    template_string = "{{ n }}"
    attribute = 3

    @event_handler
    def add(self, n=1):
        self.n = n

    def helper(self):
        pass

    @property
    def total(self):
        return 1

    @staticmethod
    def static():
        pass

    @classmethod
    def of_class(cls):
        pass

    def mount(self, request, **kwargs):
        self.kwargs = kwargs
        answer = kwargs.get("answer")
        if isinstance(answer, Exception):
            raise answer
        return answer


class Inner:
    class View(LiveView):
        pass


def found(name, browser=True, cls=Shop):
    try:
        return entry.find_handler(cls(), "shop.Shop", name, browser)
    except faults.Refused as refused:
        assert refused.kind == "handler_not_found"
        assert str(refused) == f"Handler '{name}' not found on shop.Shop"
        return None


@pytest.mark.parametrize(
    "name",
    ["__init__", "mount", "_x", "get_context_data", "authorize", "as_view", "total", "a.b", "", "template_string"]
    + ["attribute", "static", "of_class", "nothing", "add ", "class", "__class__", "request", "é.x"]
    + ["handle_tick", "request_update"],
)
def test_what_is_no_handler(name):
    assert found(name, browser=True) is None
    assert found(name, browser=False) is None


def test_only_decorated_handlers_run_for_a_browser(settings):
    assert found("add") is not None
    assert found("helper") is None and found("inherited") is None
    assert found("helper", browser=False) is not None and found("inherited", browser=False) is not None
    settings.TROUPE = {**settings.TROUPE, "STRICT_EVENTS": False}
    assert found("helper") is not None


def test_a_handler_of_the_instance_is_none():
    view = Shop()
    view.sneaky = lambda: None
    with pytest.raises(faults.Refused):
        entry.find_handler(view, "shop.Shop", "sneaky", False)


@pytest.mark.parametrize(
    "path",
    [
        "os.path.join",
        "Shop",
        "",
        ".",
        "samples.",
        "samples.nothing",
        "samples.no.module",
        "troupe.LiveView",
        "troupe.views.LiveView",
    ]
    + ["django.contrib.auth.models.User", "samples.event_handler", "samplesx.Counter", "django.contrib.auth.nothing.X"],
)
def test_classes_that_may_not_be_mounted(path):
    with pytest.raises(faults.Refused) as refused:
        entry.open_view(path, None)
    assert refused.value.kind == "view_refused"


def test_a_listed_class_is_loaded_with_its_keywords():
    view = entry.open_view("samples.Counter", {"step": 7})
    assert view.step == 7


def test_nothing_is_imported_before_the_path_is_allowed():
    import sys

    assert "antigravity" not in sys.modules
    with pytest.raises(faults.Refused):
        view_class.load_class("antigravity.X")
    assert "antigravity" not in sys.modules


def mounted(**params):
    return entry.mount_view(Shop(), "shop.Shop", {"path": "/shop/"}, "", params)


def test_mount_gives_the_keywords_and_the_request():
    view = Shop()
    assert entry.mount_view(view, "shop.Shop", {"path": "/shop/", "query": "a=1"}, "", {"n": 2}) is None
    assert view.kwargs == {"n": 2} and view.request.GET["a"] == "1"
    assert entry.mount_view(view, "shop.Shop", None, "", {}) is None
    assert view.request is None


def test_mount_may_answer_by_itself():
    page = TemplateResponse(None, engines["django"].from_string("{{ n }}"), {"n": 5}, status=404)
    assert mounted(answer=page)["body"] == b"5"
    redirect = mounted(answer=HttpResponseRedirect("/login/"))
    assert redirect["status"] == 302 and ["Location", "/login/"] in redirect["headers"]
    response = HttpResponse(b"teapot", status=418)
    response.set_cookie("tea", "green")
    answer = mounted(answer=response)
    assert answer["status"] == 418 and answer["body"] == b"teapot"
    assert any(name == "Set-Cookie" and value.startswith("tea=green") for name, value in answer["headers"])
    assert mounted(answer="garbage") is None


@pytest.mark.parametrize(
    ("error", "kind"), [(Http404("gone"), faults.NOT_FOUND), (PermissionDenied("no"), faults.FORBIDDEN)]
)
def test_mount_may_refuse(error, kind):
    with pytest.raises(faults.Refused) as refused:
        mounted(answer=error)
    assert (refused.value.kind, str(refused.value)) == (kind, str(error))


def test_mount_must_be_a_plain_function():
    async def later():
        pass

    class Late(LiveView):
        def mount(self, request):
            return later()

    with pytest.raises(TypeError, match="returned a coroutine, whose body did not run: later"):
        entry.mount_view(Late(), "shop.Late", None, "", {})


def test_authorize_is_asked_first():
    class Closed(LiveView):
        def authorize(self, request):
            return request.path == "/open/"

        def mount(self, request):
            self.mounted = True

    view = Closed()
    with pytest.raises(faults.Refused) as refused:
        entry.mount_view(view, "shop.Closed", {"path": "/closed/"}, "", {})
    assert refused.value.kind == "forbidden" and not hasattr(view, "mounted")
    entry.mount_view(view, "shop.Closed", {"path": "/open/"}, "", {})
    with pytest.raises(faults.Refused):
        entry.join_view(view, "shop.Closed", {"path": "/ws/"}, "/closed/")
    entry.join_view(view, "shop.Closed", {"path": "/ws/"}, "/open/?q=2")
    assert view.request.GET["q"] == "2"

    class Denying(LiveView):
        def authorize(self, request):
            raise PermissionDenied("members only")

    with pytest.raises(faults.Refused, match="members only"):
        entry.mount_view(Denying(), "shop.Denying", None, "", {})


@pytest.mark.django_db
def test_a_session_begun_in_mount_is_told_to_the_pages_request():
    class Remembering(LiveView):
        def mount(self, request):
            request.session["seen"] = True
            return HttpResponseRedirect("/next/")

    answer = entry.mount_view(Remembering(), "shop.R", {"path": "/"}, "", {})
    assert answer["headers"] == [["Content-Type", "text/html; charset=utf-8"], ["Location", "/next/"]]
    assert answer["effects"]["session"] is True and answer["effects"]["login"]["session_key"]


def test_sync_wants_a_dict():
    class Odd(LiveView):
        def get_context_data(self):
            return ["n"]

    with pytest.raises(TypeError, match="must return a dict, not list"):
        entry.get_context(Odd())
    view = Shop()
    view.n, view._hidden = 1, 2
    assert entry.get_context(view) == {"n": 1, "view": view}


def render(view, data):
    """What a turn gets from rendering() where no plan is made."""
    generator = entry.rendering(view, "shop.Shop", data, True, None)
    try:
        return next(generator)
    finally:
        generator.close()


def test_render():
    view = Shop()
    assert render(view, {"n": "<b>"}) == "&lt;b&gt;"
    view.template_string = None
    with pytest.raises(ImproperlyConfigured, match="neither template_name nor template_string"):
        render(view, {})
    view.template_name = "nowhere.html"
    with pytest.raises(TemplateDoesNotExist, match="nowhere.html"):
        render(view, {})


def test_render_uses_context_processors():
    view = Shop()
    view.template_string = "{{ request.path }}"
    entry.mount_view(view, "shop.Shop", {"path": "/here/"}, "", {})
    assert render(view, {}) == "/here/"


def test_a_rendering_with_a_plan_has_its_context_bound():
    view = Shop()
    view.template_string = "<main dj-root>{{ request.path }}{{ n }}</main>"
    entry.mount_view(view, "shop.Shop", {"path": "/here/"}, "", {})
    seen = []

    class Plan:
        def __init__(self, description):
            self.details = description
            seen.append(description)

    for n in (1, 2):
        generator = entry.rendering(view, "shop.Shop", {"n": n}, False, Plan)
        context, plan, locale = next(generator)
        assert isinstance(plan, Plan) and context.template and context["request"].path == "/here/"
        assert context["n"] == n and locale[0] == translation.get_language()
        generator.close()
        assert context.template is None
    assert len(seen) == 1  # a plan is made once
    assert all(template is not plan for template in seen[0]["templates"])


def test_templates_made_at_run_time_do_not_pile_up():
    view = Shop()
    for n in range(1100):
        view.template_string = f"{n}"
        render(view, {})
    assert len(template_cache._by_source) <= 1000


@pytest.fixture
def as_worker(monkeypatch):
    monkeypatch.setattr(housekeeping, "_thread", housekeeping._ThreadState())
    entry.set_housekeeping(True)
    yield
    entry.set_housekeeping(False)


def test_locale_of_the_person(as_worker):
    view = Shop()

    def turn(facts):
        entry.begin()
        entry.mount_view(view, "shop.Shop", facts, "", {})
        entry.get_context(view)
        seen = translation.get_language(), timezone.get_current_timezone_name()
        entry.end()
        return seen

    german = {"path": "/", "language": "de", "time_zone": "Asia/Tokyo"}
    assert contextvars.Context().run(turn, german) == ("de", "Asia/Tokyo")
    # The next turn is another user's.
    assert contextvars.Context().run(turn, {"path": "/"}) == ("en", "Europe/Vienna")


@pytest.mark.django_db(transaction=True)
def test_dead_connections_are_closed_and_the_query_log_forgotten(as_worker, settings):
    settings.DEBUG = True
    connection.ensure_connection()
    housekeeping._note_connection(connection=connections["default"])
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    assert connection.queries
    entry.begin()
    assert not connection.queries
    closed = []
    connection.close_if_unusable_or_obsolete, before = (
        lambda: closed.append(1),
        connection.close_if_unusable_or_obsolete,
    )
    try:
        entry.end()
    finally:
        connection.close_if_unusable_or_obsolete = before
    assert closed == [1]


def test_opening_a_connection_is_noticed():
    housekeeping._thread.connections.clear()
    connection_created.send(sender=None, connection=connections["default"])
    assert list(housekeeping._thread.connections.values()) == [connections["default"]]


def test_parameters_that_are_no_python():
    with pytest.raises(faults.Refused, match="cannot be read: a key") as refused:
        entry.refuse_params(TypeError("a key"))
    assert refused.value.kind == "params"


class Hidden(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def raised(error, where="shop.Shop.add()"):
    try:
        raise error
    except BaseException as caught:
        return entry.describe(caught, where)


def test_faults_in_the_words_of_the_seed():
    kind, message, type_, frames, _ = raised(ValueError("no\udc80"))
    assert (kind, message, type_) == ("python", "Error in shop.Shop.add(): no?", "ValueError")
    file, line, function, source = frames[-1]
    assert file.endswith("test_entry.py") and function == "raised" and source == "raise error" and line > 0
    assert raised(ValueError(), "template of shop.Shop")[0] == "template"
    assert raised(KeyboardInterrupt())[1] == "Error in shop.Shop.add(): KeyboardInterrupt"
    assert "cannot be shown" in raised(Hidden())[1]
    assert raised(faults.Refused("forbidden", "no"))[:3] == ("forbidden", "no", "")
    assert len(raised(ValueError("x" * 100000))[1]) < 5000


def test_a_recursion_shows_both_ends():
    def down(n):
        return down(n - 1) if n else 1 / 0

    try:
        down(200)
    except ZeroDivisionError as error:
        frames = entry.describe(error, "x()")[3]
    assert len(frames) == 40
    assert frames[0][2] == "test_a_recursion_shows_both_ends" and frames[-1][3] == "return down(n - 1) if n else 1 / 0"


def test_guard_lets_nothing_through():
    async def exits():
        raise SystemExit(3)

    async def well():
        return 5

    assert asyncio.run(entry.await_handler(well())) == (True, 5)
    ok, error = asyncio.run(entry.await_handler(exits()))
    assert not ok and isinstance(error, SystemExit)


@pytest.mark.django_db(transaction=True)
def test_atomic_requests_wrap_the_handler(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    seen = []

    class Atomic(LiveView):
        def write(self):
            seen.append(transaction.get_connection().in_atomic_block)

        async def late(self):
            pass

        handle_tick = write

    view = Atomic()
    entry.find_handler(view, "shop.Atomic", "write", False)(view, {})
    entry.find_tick(view)(view, {})
    assert seen == [True, True] and not transaction.get_connection().in_atomic_block
    with pytest.raises(RuntimeError, match="You cannot use ATOMIC_REQUESTS with async"):
        entry.find_handler(view, "shop.Atomic", "late", False)(view, {})
    plain = type("Plain", (LiveView,), {"handle_tick": LiveView.handle_tick})()
    queries = len(connection.queries)
    entry.find_tick(plain)(plain, {})
    assert len(connection.queries) == queries  # nothing to be undone: no transaction


def test_the_locale_of_a_turn_is_what_is_active_in_it(settings):
    def looks(*activate):
        for function in activate:
            function()
        return locale.current_locale()

    def turn(*activate):
        return contextvars.Context().run(looks, *activate)

    settings.LANGUAGE_CODE, settings.TIME_ZONE = "en-gb", "Europe/Rome"
    assert [str(part) for part in turn()] == ["en-gb", "Europe/Rome"]
    settings.LANGUAGE_CODE = "de"  # as a test's settings do
    assert turn()[0] == "de"
    assert turn(lambda: translation.activate("fr"))[0] == "fr"
    assert str(turn(lambda: timezone.activate("Asia/Tokyo"))[1]) == "Asia/Tokyo"
    assert turn(lambda: translation.activate("fr"), translation.deactivate)[0] == "de"
