"""What ticks do to the request, and what views do that are embedded in an ordinary page: see sites/case_44_ticks."""

import json

import pytest
from browser import Visitor

SITE = "/case_44_ticks/"
NOTHING = {"messages": [], "session": {}, "user": "AnonymousUser", "tea": ""}
TICKET = "X-Troupe-Ticket"
URLS = "ROOT_URLCONF = 'case_44_ticks.with_urls'"

# What a tick does: who is logged in before; where the browser is sent; what the next page has then.
TICKS = {
    "go": (None, SITE + "stored/", NOTHING),
    "go_off_site": (None, "https://example.org/", NOTHING),
    "add": (None, None, NOTHING),
    "add_and_go": (None, SITE + "stored/", {**NOTHING, "messages": ["left by a tick"]}),
    "with_cookie": (None, SITE + "stored/", {**NOTHING, "tea": "hot"}),
    "write": (None, None, {**NOTHING, "session": {"ticked": 1}}),
    "cycle": ("ann", None, {**NOTHING, "user": "ann"}),
    "flush": ("ann", "", NOTHING),
    "log_in": (None, None, {**NOTHING, "user": "ann"}),
    "log_in_and_go": (None, SITE + "stored/", {**NOTHING, "user": "ann"}),
    "log_out": ("ann", "", NOTHING),
    "nothing": (None, None, NOTHING),
}


LOG_IN = """
from django.contrib.auth.models import User
from django.test import Client
for _ in range(20):
    client = Client()
    client.force_login(User.objects.get(username="ann"))
    print(client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def anns(shared_fleet):
    """Keys of sessions of ann's, to be popped."""
    return shared_fleet.shell(LOG_IN).split()


def exchange(visitor, script, path, frame):
    """As the page does with a frame's ticket."""
    where = script.get("data-troupe-cookies") or path
    assert visitor.get(where, **{TICKET: frame["ticket"]}).status == 204


@pytest.mark.parametrize("page_name", ["Ticking/", "TickingLater/"])
@pytest.mark.parametrize("act", TICKS)
def test_a_tick(fleet, visitor, anns, act, page_name):
    user, target, expected = TICKS[act]
    if user:
        visitor.cookies["sessionid"] = anns.pop()
    path = SITE + page_name
    with visitor.open(path) as page:
        page.event("then", {"what": act})
        frame = page.wait_for(lambda frame: frame.get("t") != "token")
        assert frame.get("redirect") == (path if target == "" else target), frame
        if "ticket" in frame:
            exchange(visitor, {}, path, frame)
        assert json.loads(visitor.get(SITE + "stored/").text) == expected
        if act == "add":
            assert "<li>of a tick</li>" in page.root()


REFUSED = {
    "strange": "ERROR django.security.SuspiciousOperation odd",
    "answer": "it returned a JsonResponse .* cannot be delivered",
    "text": "it returned a str, which no browser will see",
}


@pytest.mark.parametrize("page_name", ["Ticking/", "TickingLater/"])
@pytest.mark.parametrize("act", REFUSED)
def test_a_tick_that_is_refused_is_logged_and_the_page_lives_on(fleet, visitor, act, page_name):
    fleet.expect_log(REFUSED[act], name="w1")
    fleet.watch.allow("event=tick_failed .* kind=bad_request")
    with visitor.open(SITE + page_name) as page:
        start = len(fleet.workers["w1"].text())
        page.event("then", {"what": act})
        fleet.workers["w1"].wait_line(REFUSED[act], start)
        assert "<output>2 " in page.shows("more")


@pytest.mark.parametrize("page_name", ["Ticking/", "TickingLater/"])
def test_a_page_whose_tick_finds_nothing_is_loaded_again(fleet, visitor, page_name):
    fleet.expect_log("WARNING django.request Not Found: /case_44", name="w1")
    with visitor.open(SITE + page_name) as page:
        page.event("then", {"what": "missing"})
        assert page.wait_for(lambda frame: frame.get("t") == "reload")


@pytest.fixture(scope="module")
def with_urls(tmp_path_factory, database):
    """A fleet whose project includes troupe.urls, and keys of ann's sessions."""
    from conftest import CasesFleet

    with CasesFleet(tmp_path_factory.mktemp("with_urls"), settings=URLS, database=database) as fleet:
        yield fleet, fleet.shell(LOG_IN).split()


@pytest.mark.parametrize("event", ["then", "do"])
@pytest.mark.parametrize("act", TICKS)
def test_an_embedded_view_with_troupe_urls(with_urls, act, event):
    user, target, expected = TICKS[act]
    fleet, keys = with_urls
    visitor, path = Visitor(fleet.port), SITE + "around/"
    if user:
        visitor.cookies["sessionid"] = keys.pop()
    with visitor.open(path) as page:
        script = visitor.get(path).roots.scripts[0]
        assert script["data-troupe-cookies"] == "/live/cookies/"
        frame = page.event(event, {"what": act})
        if event == "then":
            frame = page.wait_for(lambda frame: frame.get("t") != "token")
        assert frame.get("redirect") == (path if target == "" else target), frame
        if "ticket" in frame:
            exchange(visitor, script, path, frame)
        assert json.loads(visitor.get(SITE + "stored/").text) == expected


@pytest.mark.parametrize("act", [name for name, row in TICKS.items() if row[2] != NOTHING or row[0]])
def test_without_them_what_needs_a_cookie_is_refused_before_anything_is_lost(fleet, visitor, anns, act):
    user, _, _ = TICKS[act]
    if user:
        visitor.cookies["sessionid"] = anns.pop()
    fleet.expect_log(r"add path\(.troupe/., include\(.troupe.urls.\)\) to the URLconf", name="w1")
    with visitor.open(SITE + "around/") as page:
        frame = page.event("do", {"what": act})
        assert frame["t"] == "failed" and "ticket" not in frame, frame
        left = json.loads(visitor.get(SITE + "stored/").text)
        assert left == {**NOTHING, "user": user or "AnonymousUser"}
        assert "a" in page.event("more")
