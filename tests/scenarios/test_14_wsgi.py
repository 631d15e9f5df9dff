"""Django under WSGI, and Python code without a loop."""

import threading

import pytest
from browser import Page, Visitor
from fleet import wait_until


@pytest.fixture(scope="module")
def wsgi_port(shared_fleet):
    """A threaded WSGI server on the shared fleet."""
    return shared_fleet.start_wsgi()


def test_page_over_wsgi_joins_over_asgi(fleet, wsgi_port):
    """The page from one server, its socket to the other, as sites run them."""
    visitor = Visitor(wsgi_port)
    visitor.get("/login/ann/")
    reply = visitor.get("/facts/colour/?q=1")
    assert reply.status == 200 and reply.headers["Cache-Control"] == "private, no-cache"
    assert "<dt>user</dt><dd>ann</dd>" in reply.text
    tokens = reply.roots.tokens
    visitor.port = fleet.port
    with Page(visitor, tokens) as page:
        joined = page.join()
        assert joined["fresh"] is False
        assert "<dt>looked</dt><dd>1</dd>" in page.shows("look")


def test_views_inside_pages_over_wsgi(fleet, wsgi_port):
    reply = Visitor(wsgi_port).get("/twice/")
    assert reply.status == 200 and len(reply.roots.tokens) == 2 and len(reply.roots.scripts) == 1


def test_many_pages_at_once_over_wsgi(fleet, wsgi_port):
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(Visitor(wsgi_port).get("/counter/3/").status))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20


def test_redirect_404_and_403_over_wsgi(fleet, wsgi_port):
    fleet.expect_log("Not Found", name="wsgi")
    fleet.expect_log("Forbidden", name="wsgi")
    visitor = Visitor(wsgi_port)
    assert visitor.get("/redirects/").status == 302
    assert visitor.get("/missing/").status == 404
    assert visitor.get("/denied/").status == 403


def test_failed_mount_over_wsgi(fleet, wsgi_port):
    fleet.expect_log("WARNING troupe event=mount_failed view=house.bad.MountRaises ", times=1, name="wsgi")
    fleet.expect_reports(1, "/bad/MountRaises/")
    assert Visitor(wsgi_port).get("/bad/MountRaises/").status == 500


def test_logout_over_wsgi_ends_pages(fleet, wsgi_port):
    visitor = Visitor(wsgi_port)
    visitor.get("/login/ann/")
    visitor.port = fleet.port
    with visitor.open("/members/") as page:
        visitor.port = wsgi_port
        visitor.get("/logout/")
        assert page.wait_type("reload")["reason"] == "logout"


def test_management_command(fleet):
    out = fleet.manage("poke", "house.views.Counter", "increment", "later", "increment").stdout
    assert [line.split("<output>")[1].split("<")[0] for line in out.splitlines()[:4]] == ["0", "1", "11", "12"]
    assert out.splitlines()[4] == "ping True"


def test_management_command_with_a_failing_handler(fleet):
    fleet.expect_reports(1, "house.bad.Handlers")
    out = fleet.manage("poke", "house.bad.Handlers", "boom").stdout
    assert "failed python: Error in house.bad.Handlers.boom(): boom" in out


def test_management_command_without_a_broker(fleet, tmp_path):
    out = fleet.manage("poke", "house.views.Counter", TROUPE_FRONT=f"ipc://{tmp_path}/nobody").stdout
    assert "not_executed unreachable: no broker answers" in out


def test_wsgi_server_leaves_no_threads_behind(fleet, wsgi_port):
    child = next(child for child in fleet.children if child.name == "wsgi")
    before = child.threads()
    for _ in range(20):
        Visitor(wsgi_port).get("/counter/3/")
    wait_until(lambda: child.threads() <= before + 2, "the threads of the requests to end")
