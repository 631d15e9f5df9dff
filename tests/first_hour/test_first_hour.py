"""The first hour: README.md's recipe, pasted, and each server of docs/guide.md. A click becomes a patch in each."""

import chromium
import pytest
import recipe
from conftest import README, get

SERVING = recipe.steps("docs/guide.md", "Serving a site")
SERVERS = {command.split()[0]: command for command in SERVING[0].commands}
ADDRESSES = {
    "uvicorn": "--port {port}",
    "daphne": "-p {port}",
    "hypercorn": "-b 127.0.0.1:{port}",
    "granian": "--port {port}",
}
WSGI = "python -c 'from wsgiref.simple_server import make_server as m; import mysite.wsgi as w; {run}'"
FAVICON = "favicon.ico"  # which Chromium asks for by itself


def visit(driver, url):
    """Loads the page, submits its form twice, and sees both patches."""
    site = chromium.Site(driver, url)
    site.errors()
    site.open()
    site.wait(site.connected, "the socket")
    for name in ("tea", "milk"):
        site.find("input").send_keys(name)
        site.click("button")
        site.wait_texts("li", ["tea", "milk"][: 1 + (name == "milk")])
    assert [error for error in site.errors() if FAVICON not in error] == []
    kind, text = get(url + "static/troupe/troupe.js")
    assert "javascript" in kind and "createPage" in text


def test_the_servers_are_those_that_are_tried():
    assert set(SERVERS) == set(ADDRESSES)
    assert README[-1].commands[-1] == SERVERS["uvicorn"]


def test_nothing_was_compiled_and_nothing_is_amiss(project):
    assert not project.compiled.exists(), project.compiled.read_text()
    assert "no issues" in project.run(["python", "manage.py", "check"])
    where = project.run(["python", "-c", "import troupe; print(troupe.__file__)"])
    assert where.startswith(str(project.folder / "env"))


def test_uvicorn_as_the_readme_starts_it(project, driver):
    with project.serve(README[-1].commands[-1], ADDRESSES["uvicorn"]) as (_, url):
        visit(driver, url)


@pytest.mark.parametrize("name", ["daphne", "hypercorn", "granian"])
def test_other_asgi_servers(servers, driver, name):
    with servers.serve(SERVERS[name], ADDRESSES[name]) as (_, url):
        visit(driver, url)


def test_runserver_with_daphne(servers, driver):
    settings = servers.mysite / "mysite" / "settings.py"
    before = settings.read_text()
    settings.write_text(before + SERVING[1].code)
    try:
        assert "no issues" in servers.run(["python", "manage.py", "check"])
        with servers.serve("python manage.py runserver", "{port}") as (child, url):
            visit(driver, url)
            assert "troupe.W" not in child.text()
    finally:
        settings.write_text(before)


def test_runserver_without_daphne_says_what_is_missing(project, driver):
    with project.serve("python manage.py runserver", "{port}") as (child, url):
        assert "(troupe.W018) This runserver serves WSGI" in child.text()
        site = chromium.Site(driver, url)
        site.errors()
        site.open()
        note = site.wait(lambda: site.texts(".troupe-note"), "the page to say why")
        complaints = [error for error in site.errors() if "troupe: No connection to ws://127.0.0.1:" in error]
        assert len(complaints) == 1 and "over WSGI, which has no WebSockets" in complaints[0], complaints
        assert "closed with code 1006" in note[0] and "daphne" in note[0]
        assert not site.connected()


def test_a_page_over_wsgi(project):
    run = "m(str(), {port}, w.application).serve_forever()"
    with project.serve(WSGI.replace("{run}", run)) as (_, url):
        kind, text = get(url)
        assert kind.startswith("text/html") and "data-troupe=" in text and "<ul>" in text
