"""Classes, functions and lazy texts as keywords of as_view(), and any type from a path converter. See
sites/case_18_as_view.
"""

import signal

import pytest
from browser import Visitor
from fleet import wait_until

SITE = "/case_18_as_view/"
KEY = "6f2b9c3e-0c1d-4a55-9a3e-5b1f6f6f6f6f"
ROWS = "from case_18_as_view.models import Todo\nTodo.objects.create(title='tea')\n"
BOARD = "1 title DOWN Board 42 tuple"
PAGES = {
    "status/done/": "[&#x27;done at last&#x27;] [&#x27;Status&#x27;] ()",
    f"uuid/{KEY}/5/": f"[UUID(&#x27;{KEY}&#x27;), 5] [&#x27;UUID&#x27;, &#x27;int&#x27;] ()",
    "plus-one/5/": "[6] [&#x27;int&#x27;] ()",
    "large/123456789012345678901234567890/": "[123456789012345678901234567890] [&#x27;int&#x27;] ()",
    "unnamed/word/": "[] [] (&#x27;word&#x27;,)",
}


@pytest.fixture
def kept(make_fleet, tmp_path):
    quick = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]
    fleet = make_fleet(broker=[*quick, "--keep", str(tmp_path / "sessions")])
    fleet.shell(ROWS)
    return fleet


def kill_and_rejoin(fleet, page):
    """A worker dies, another one takes the page over."""
    worker = next(iter(fleet.workers.values()))
    worker.signal(signal.SIGKILL)
    worker.wait_exit()
    fleet.expect_log("event=worker_lost")
    wait_until(lambda: "event=worker_lost" in fleet.broker.text(), "the broker to notice")
    fleet.start_worker("w1")
    joined = page.reconnect()
    while joined["t"] == "error":
        joined = page.reconnect()
    assert joined["t"] == "joined" and joined["views"][0].get("html"), joined
    return joined


def test_keywords_of_any_type(kept):
    page = Visitor(kept.port).open(f"{SITE}board/")
    assert BOARD in page.html
    assert page.event("again")["a"]
    kill_and_rejoin(kept, page)
    assert "d" not in page.event("again") and BOARD in page.root()


def test_arguments_of_any_type(kept):
    pages = {}
    for path, shown in PAGES.items():
        pages[path] = page = Visitor(kept.port).open(SITE + path)
        assert f"<output>{shown}</output>" in page.html, path
        page.event("again")
        assert f"<output>{shown}</output>" in page.root(), path
    kill_and_rejoin(kept, pages.pop("status/done/"))
    for path, page in pages.items():
        assert page.reconnect()["t"] == "joined"
        page.event("again")
        assert f"<output>{PAGES[path]}</output>" in page.root(), path


def test_a_page_whose_session_is_lost_is_mounted_from_its_url(make_fleet):
    fleet = make_fleet(broker=["--heartbeat-ms", "100", "--worker-dead-ms", "1000"])  # keeps nothing
    fleet.shell(ROWS)
    visitor = Visitor(fleet.port)
    pages = {path: visitor.open(SITE + path) for path in ("board/", "status/done/", "plus-one/5/")}
    joined = kill_and_rejoin(fleet, pages["board/"])
    assert joined["fresh"] and BOARD in joined["views"][0]["html"]
    for path in ("status/done/", "plus-one/5/"):
        joined = pages[path].reconnect()
        assert joined["fresh"] and PAGES[path] in joined["views"][0]["html"]
