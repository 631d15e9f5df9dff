"""What a live page can read of its request, row by row, beside an ordinary view: in events, in a view that was restored
on another worker, after the broker and all workers were started again, and after a move. See sites/case_45_request.
"""

import ast
import html
import json

import pytest
from browser import Visitor
from survival import QUICK

SETTINGS = """
MIDDLEWARE.insert(2, "django.middleware.locale.LocaleMiddleware")
MIDDLEWARE.append("case_45_request.rows.ProjectMiddleware")
LANGUAGES = [("en", "English"), ("de", "German")]
TIME_ZONE = "Europe/Vienna"
TROUPE["REQUEST_ATTRS"] = "day at price key colour pairs large tenant word".split()
"""
GROUP = "from django.contrib.auth.models import Group; Group.objects.create(name='acme')"
QUERY = "?a=1&a=2&b=%C3%A9"
HEADERS = {
    "Accept": "text/html;q=0.9,application/json;q=0.5",
    "X-Thing": "1",
    "Accept-Language": "de",
    "Accept-Encoding": "identity",
    "User-Agent": "tests",
    "Referer": "http://127.0.0.1/before/",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Cache-Control": "max-age=0",
    "Upgrade-Insecure-Requests": "1",
}


class Browser(Visitor):
    """Sends the headers with everything: those of a page load with pages only."""

    def get(self, path, **headers):
        return super().get(path, **{**HEADERS, **headers})

    def handshake_headers(self):
        return {name: HEADERS[name] for name in ("X-Thing", "Accept-Language", "Accept-Encoding", "User-Agent")}


def seen(text):
    """What the live page shows of its request."""
    return json.loads(html.unescape(text.partition("<pre>")[2].partition("</pre>")[0]))


def differing(live, plain):
    """{row: (on the live page, on the ordinary view)} where they differ."""
    plain = {name: text.replace("ordinary", "live") for name, text in plain.items()}
    found = {name: (live[name], plain[name]) for name in plain if live[name] != plain[name]}
    if "META" in found:
        ours, theirs = (dict(ast.literal_eval(text)) for text in found.pop("META"))
        found.update((name, (ours.get(name), theirs.get(name))) for name in {*ours, *theirs})
    return {name: pair for name, pair in found.items() if pair[0] != pair[1] and name != "REMOTE_PORT"}


def kill_worker(fleet):
    fleet.expect_log(r"level=WARN .*event=worker_lost", times=1, name="broker")
    fleet.workers["w1"].signal(9)
    fleet.workers["w1"].wait_exit()
    fleet.start_worker("w1")


def restart_all(fleet):
    fleet.workers["w1"].signal(15)
    fleet.workers["w1"].wait_exit()
    fleet.broker.signal(15)
    fleet.broker.wait_exit()
    fleet.start_broker()
    fleet.start_worker("w1")


def leave_for_another(fleet):
    """As in a deploy: the session moves while its page is there."""
    fleet.start_worker("w2")
    fleet.workers["w1"].signal(15)
    fleet.workers["w1"].wait_exit()


# What only the page's own request had, and no token carries.
MISSING = {
    f"HTTP_{name}" for name in ("SEC_FETCH_MODE", "SEC_FETCH_DEST", "CACHE_CONTROL", "UPGRADE_INSECURE_REQUESTS")
}


@pytest.fixture
def fleet(make_fleet, tmp_path):
    fleet = make_fleet(settings=SETTINGS, broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    fleet.shell(GROUP)
    return fleet


@pytest.fixture
def visitor(fleet):
    """With a session, cookies, and a language of their own."""
    visitor = Browser(fleet.port, tea="green")
    visitor.get("/case_45_request/ordinary/7/")
    return visitor


@pytest.mark.parametrize("mishap", [kill_worker, restart_all])
def test_each_row_is_that_of_an_ordinary_view(fleet, visitor, mishap):
    plain = json.loads(visitor.get(f"/case_45_request/ordinary/7/{QUERY}").text)
    assert "ProjectMiddleware" not in str(plain) and "'acme'" in str(plain) and "'de'" in plain["get_language"]
    with visitor.open(f"/case_45_request/live/7/{QUERY}") as page:
        assert differing(seen(page.html), plain) == {}
        assert differing(seen(page.shows("look")), plain) == {}
        mishap(fleet)
        while page.reconnect()["t"] != "joined":
            pass
        assert "a" in page.event("look")
        restored = differing(seen(page.root()), plain)
        assert set(restored) == MISSING and not any(ours for ours, _ in restored.values()), restored


def test_after_a_session_has_moved_with_its_page(fleet, visitor):
    """No page joins again: the request moves along, all of it."""
    plain = json.loads(visitor.get(f"/case_45_request/ordinary/7/{QUERY}").text)
    with visitor.open(f"/case_45_request/live/7/{QUERY}") as page:
        leave_for_another(fleet)
        assert "a" in page.event("look")
        assert differing(seen(page.root()), plain) == {}
