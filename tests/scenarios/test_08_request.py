"""What a view knows of the request, in its worker: before and after its socket joined."""

import re

import pytest
import raw
from browser import Visitor
from fleet import wait_until

from troupe import wire


def facts(html):
    """{name: value} of what house.views.Facts shows."""
    return dict(re.findall(r"<dt>(\w+)</dt><dd>(.*?)</dd>", html, re.DOTALL))


def test_request_facts_on_the_page_and_after_the_join(fleet):
    visitor = Visitor(fleet.port, fruit="pear", tenant="acme", zone="Asia/Tokyo", django_language="de")
    visitor.get("/login/ann/")
    with visitor.open("/facts/colour/?q=a%20b&x=1") as page:
        on_page = facts(page.html)
        later = facts(page.shows("look"))
    assert on_page["looked"] == "0" and later["looked"] == "1"
    for seen in (on_page, later):
        assert seen["user"] == "ann"
        assert seen["what"] == "colour"
        assert seen["path"] == "/facts/colour/"
        assert seen["query"] == "q=a%20b&amp;x=1"
        assert seen["full"] == f"http://127.0.0.1:{fleet.port}/facts/colour/?q=a%20b&amp;x=1"
        assert seen["q"] == "a b"
        assert seen["match"] == "facts {&#x27;what&#x27;: &#x27;colour&#x27;}"
        assert seen["cookie"] == "pear"
        assert seen["tenant"] == "acme"
        assert seen["zone"] == "Asia/Tokyo"
        assert seen["number"] == "1.234,5" or seen["number"] == "1234,5"
        assert seen["method"] == "GET" and seen["secure"] == "False"


def test_one_person_s_language_and_zone_are_not_the_next_one_s(fleet):
    german = Visitor(fleet.port, zone="Asia/Tokyo", django_language="de")
    plain = Visitor(fleet.port)
    with german.open("/facts/a/") as page, plain.open("/facts/a/") as other:
        for _ in range(20):  # threads of the pool in any order
            assert facts(page.shows("look"))["zone"] == "Asia/Tokyo"
            seen = facts(other.shows("look"))
            assert seen["zone"] != "Asia/Tokyo" and seen["number"].endswith(".5")


def test_anonymous(visitor):
    seen = facts(visitor.get("/facts/a/").text)
    assert seen["user"] == "AnonymousUser" and seen["tenant"] == ""


def test_hostile_headers_and_addresses(fleet):
    visitor = Visitor(fleet.port)
    reply = visitor.request("GET", "/facts/a/?q=%00%ff<b>", {"User-Agent": "a\x01b<script>", "X-Long": "y" * 20_000})
    assert reply.status in (200, 400)
    if reply.status == 200:
        assert "<script>" not in facts(reply.text)["agent"]
    assert visitor.get("/facts/a/?q=" + "x" * 9000).status == 414
    many = {f"X-Header-{number}": "v" for number in range(90)}
    assert visitor.request("GET", "/facts/a/", many).status == 200
    cookies = "; ".join(f"c{number}={'v' * 100}" for number in range(200))
    assert visitor.request("GET", "/facts/a/", {"Cookie": cookies}).status == 200


def test_csrf_token_in_a_form_is_the_cookie_s(visitor):
    reply = visitor.get("/form/")
    secret = visitor.cookies["csrftoken"]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', reply.text)[1]
    assert unmask(token) == secret
    with visitor.open("/form/") as page:
        html = page.shows("increment")
        assert unmask(re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)[1]) == secret


def unmask(token):
    """The secret inside a CSRF token (Django's _unmask_cipher_token)."""
    import string

    characters = string.ascii_letters + string.digits
    pairs = zip((characters.index(c) for c in token[32:]), (characters.index(c) for c in token[:32]), strict=True)
    return "".join(characters[(x - y) % len(characters)] for x, y in pairs)


def test_authorize(fleet):
    visitor = Visitor(fleet.port)
    fleet.expect_log("Forbidden.*/members/", times=1, name="web")
    assert visitor.get("/members/").status == 403
    visitor.get("/login/bob/")
    with visitor.open("/members/") as page:
        assert "welcome bob" in page.shows("increment")


def test_logout_ends_the_person_s_pages(fleet, bystander):
    visitor = Visitor(fleet.port)
    visitor.get("/login/ann/")
    with visitor.open("/members/") as page, visitor.open("/counter/1/") as other:
        assert ">2<" in other.shows("increment")
        assert visitor.get("/logout/").text == "goodbye"
        assert page.wait_type("reload")["reason"] == "logout"
        assert other.wait_type("reload")["reason"] == "logout"
        fleet.expect_log("event=bad_token reason=foreign", times=1, name="web")
        assert page.join() == {"t": "reload", "reason": "foreign"}
    fleet.expect_log("Forbidden.*/members/", times=1, name="web")
    assert visitor.get("/members/").status == 403


def test_logout_of_one_person_is_not_the_other_s(fleet):
    ann, bob = Visitor(fleet.port), Visitor(fleet.port)
    ann.get("/login/ann/")
    bob.get("/login/bob/")
    with ann.open("/members/") as hers, bob.open("/members/") as his:
        ann.get("/logout/")
        assert hers.wait_type("reload")["reason"] == "logout"
        assert "welcome bob" in his.shows("increment")
        assert not his.unasked


def test_page_of_before_the_login_is_foreign_after_it(fleet):
    visitor = Visitor(fleet.port)
    tokens = visitor.get("/counter/1/").roots.tokens
    visitor.get("/login/ann/")
    from browser import Page

    fleet.expect_log("event=bad_token reason=foreign", times=1, name="web")
    with Page(visitor, tokens) as page:
        assert page.join() == {"t": "reload", "reason": "foreign"}


def test_mount_that_redirects(visitor):
    reply = visitor.get("/redirects/")
    assert (reply.status, reply.headers["Location"]) == (302, "/plain/?from=mount")
    assert reply.roots.tokens == []


def test_mount_that_raises_404_and_403(fleet, visitor):
    fleet.expect_log("Not Found: /missing/", name="web")
    fleet.expect_log("Forbidden.*/denied/", name="web")
    missing, denied = visitor.get("/missing/"), visitor.get("/denied/")
    assert missing.status == 404 and "<title>" in missing.text  # Django's page, or the project's
    assert denied.status == 403


def test_refused_mounts_leave_no_session(fleet, visitor, client):
    fleet.expect_log("Forbidden.*/denied/", name="web", times=5)
    before = client.figures()["sessions"]
    for path in ("/redirects/", "/missing/", "/denied/") * 5:
        visitor.get(path)
    wait_until(lambda: client.figures()["sessions"] <= before, "the sessions of refused mounts to end")


def test_mount_that_writes_into_the_session(fleet):
    visitor = Visitor(fleet.port)
    visitor.get("/login/ann/")
    for visits in (1, 2, 3):
        with visitor.open("/remembers/") as page:
            assert f">{visits}</p>" in page.html


@pytest.mark.parametrize("path", ["/remembers/", "/remembers/?go"])
def test_mount_that_begins_a_session_sends_its_cookie(fleet, path):
    visitor = Visitor(fleet.port)
    visitor.get(path)
    assert "sessionid" in visitor.cookies
    assert ">2</p>" in visitor.get("/remembers/").text


def test_page_of_a_mount_that_begins_a_session_can_be_joined(fleet):
    with Visitor(fleet.port).open("/remembers/") as page:
        assert page.views


def test_redirect_inside_a_page_is_an_error(fleet, visitor):
    fleet.expect_log("ERROR django.request Internal Server Error: /embed-redirects/.*status 302", times=1, name="web")
    assert visitor.get("/embed-redirects/").status == 500


def test_atomic_requests_wrap_the_handler(make_fleet):
    fleet = make_fleet(workers=1, env={"SCENARIO_ATOMIC": "1"})
    with Visitor(fleet.port).open("/rows/") as page:
        assert ">1<" in page.shows("write", {"text": "kept"})
        fleet.expect_log("event=failed view=.* name=write_and_fail ", times=1, name="web")
        fleet.expect_reports()
        assert page.event("write_and_fail", {"text": "undone"})["t"] == "failed"
        assert rows(fleet) == ["kept"]
        assert ">2<" in page.shows("write", {"text": "kept too"})
        assert rows(fleet) == ["kept", "kept too"]
    with raw.Client(fleet.front) as client:
        answer = client.mount("house.views.Counter").event("later")
        assert answer.kind == wire.FAILED and "ATOMIC_REQUESTS" in answer.body["message"]


def test_without_atomic_requests_what_was_written_stays(make_fleet):
    fleet = make_fleet(workers=1)
    with Visitor(fleet.port).open("/rows/") as page:
        fleet.expect_log("event=failed view=.* name=write_and_fail ", times=1, name="web")
        fleet.expect_reports(1)
        assert page.event("write_and_fail", {"text": "stays"})["t"] == "failed"
        assert rows(fleet) == ["stays"]


def rows(fleet):
    """The texts in the database."""
    import sqlite3

    with sqlite3.connect(fleet.database) as connection:
        return [text for (text,) in connection.execute("select text from house_row order by id")]
