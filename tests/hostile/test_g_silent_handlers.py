"""No handler answers DONE without having run: where that shows in the class, nothing starts with it; else it fails."""

import sys

import pytest
from fleet import BUILD, ROOT

from troupe import wire

SETTINGS = """
SECRET_KEY = "of this test"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "channels", "troupe", "shop"]
ROOT_URLCONF = "shop.urls"
TROUPE = {"BROKER": "inproc://"}
"""
URLS = """
from django.urls import path
from . import views
urlpatterns = [path("", views.Cart.as_view())]
"""
VIEWS = """
from troupe import LiveView, event_handler

class Cart(LiveView):
    template_string = "<p dj-root>{{ n }}</p>"

    @event_handler
    def add(self):
        self.n = 1

"""
BODIES = {
    "generator": ("    @event_handler\n    def refill(self):\n        yield 1\n", "shop.views.Cart.refill", 11),
    "async generator": (
        "    @event_handler\n    async def refill(self):\n        yield\n",
        "shop.views.Cart.refill",
        11,
    ),
    "async authorize": ("    async def authorize(self, request):\n        return False\n", "Cart.authorize", 11),
    "private": ("    @event_handler\n    def _refill(self):\n        pass\n", "shop.views.Cart._refill", 11),
    "override": ("class Sale(Cart):\n    def add(self):\n        pass\n", "shop.views.Sale.add", 12),
}


@pytest.fixture
def site(tmp_path):
    """A function that writes a project whose views end in these lines; its folder."""

    def write(body):
        folder = tmp_path / "site"
        (folder / "shop").mkdir(parents=True)
        (folder / "site_settings.py").write_text(SETTINGS)
        (folder / "shop" / "__init__.py").touch()
        (folder / "shop" / "urls.py").write_text(URLS)
        (folder / "shop" / "views.py").write_text(VIEWS + body)
        return folder

    return write


def place(folder, line):
    """How an error names a line of the views."""
    return f"({folder / 'shop' / 'views.py'}:{line})"


@pytest.mark.parametrize("name", BODIES)
def test_a_worker_does_not_start_with_it(make_fleet, site, name):
    body, method, line = BODIES[name]
    folder = site(body)
    fleet = make_fleet(workers=0, web=False)
    command = [BUILD / "worker" / "troupe-worker", "--back", fleet.back, "--settings", "site_settings"]
    command += ["--path", folder, "--path", ROOT / "python", "--python", sys.executable]
    worker = fleet.spawn("w1", command, env=fleet.environment(DJANGO_SETTINGS_MODULE="site_settings"))
    fleet.expect_log(r"Traceback.*TypeError: ", times=1, name="w1")
    fleet.expect_log("event=project_failed", times=1, name="w1")
    worker.signalled = True  # that it fails is what is wanted
    assert worker.wait_exit(60) != 0
    assert method in worker.text() and place(folder, line) in worker.text()


@pytest.mark.parametrize("name", BODIES)
def test_nor_does_django(make_fleet, site, name):
    body, method, line = BODIES[name]
    folder = site(body)
    fleet = make_fleet(workers=0, web=False)
    done = fleet.manage(
        "check", check=False, DJANGO_SETTINGS_MODULE="site_settings", PYTHONPATH=f"{folder}:{ROOT / 'python'}"
    )
    assert done.returncode != 0
    assert f"TypeError: {'shop.views.' if not method.startswith('shop') else ''}{method} " in done.stderr
    assert place(folder, line) in done.stderr


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("gives_generator", "a generator", "_generate"),
        ("gives_async_generator", "an async generator", "_generate_later"),
        ("gives_generator_later", "a generator", "_generate"),
        ("gives_coroutine", "a coroutine", "_count_later"),
        ("gives_map", "a map object", ""),
    ],
)
def test_what_comes_back_unused_fails_the_event(fleet, client, bystander, name, kind, code):
    fleet.expect_reports(1, "it returned")
    session = client.mount("house.bad.Handlers")
    answer = session.event(name, flags=wire.HTML | wire.BROWSER)
    assert (answer.kind, answer.body["type"]) == (wire.FAILED, "TypeError"), answer
    message = answer.body["message"]
    assert message.startswith(f"Error in house.bad.Handlers.{name}(): it returned {kind}")
    assert code in message and ("bad.py:" in message or not code)
    assert b"<output>1<" in session.event("increment").body["html"]
    session.shutdown()


def test_what_can_be_awaited_is(client):
    session = client.mount("house.bad.Handlers")
    assert b"<output>1<" in session.event("gives_coroutine_to_await").body["html"]
    session.shutdown()


@pytest.mark.parametrize("path", ["/bad/AuthorizeAsync/", "/bad/MountAsync/", "/bad/ContextAsync/"])
def test_hooks_that_nobody_awaits_show_nothing(fleet, visitor, bystander, path):
    fleet.expect_reports(1, "returned a coroutine")
    page = visitor.get(path)
    assert page.status == 500 and "secret" not in page.text
