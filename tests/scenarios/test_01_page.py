"""A page over HTTP: what a visitor without JavaScript sees, and what a page's socket needs."""

import pytest


def test_page_has_root_token_script_and_is_private(visitor):
    reply = visitor.get("/counter/5/")
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "private, no-cache"
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<output>5</output>" in reply.text
    roots = reply.roots
    assert len(roots.tokens) == 1
    assert [script["data-troupe-socket"] for script in roots.scripts] == ["/ws/troupe/"]
    assert roots.scripts[0]["type"] == "module"
    assert roots.scripts[0]["src"] in ("/static/troupe/troupe.js", "/static/troupe/dist/troupe.min.js")
    assert "csrftoken" in visitor.cookies


def test_document_keeps_what_is_outside_its_root(visitor):
    reply = visitor.get("/paper/")
    assert reply.text.startswith("<!doctype html><html><head><title>Paper 0</title>")
    assert "<header>outside</header>" in reply.text
    assert reply.text.index("data-troupe-socket") < reply.text.index("</body>")
    assert len(reply.roots.tokens) == 1


def test_as_view_keywords_reach_the_view(visitor):
    assert "<h1>from as_view</h1>" in visitor.get("/titled/").text


def test_head_has_no_body_and_leaves_no_session(fleet, visitor, client):
    from fleet import wait_until

    before = client.figures()["sessions"]
    reply = visitor.request("HEAD", "/counter/5/")
    assert (reply.status, reply.text) == (200, "")
    wait_until(lambda: client.figures()["sessions"] <= before, "the session of a HEAD to end")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_other_methods_are_not_allowed(fleet, visitor, method):
    fleet.expect_log("Method Not Allowed|Forbidden", times=1, name="web")
    assert visitor.request(method, "/counter/5/").status in (403, 405)  # 403: Django's CSRF check comes first


def test_address_that_does_not_match_is_404(visitor):
    assert visitor.get("/counter/minus/").status == 404


def test_page_that_is_not_joined_waits(client, waiting_session):
    from troupe import wire

    assert client.ask(wire.PING, session=waiting_session).kind == wire.PONG
