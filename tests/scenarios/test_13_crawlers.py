"""10,000 page loads that never open a socket: they cost nothing that lasts."""

import secrets

import raw
from browser import Visitor
from fleet import wait_until

from troupe import wire

LOADS = 10_000
CAP = 1_000  # unadopted sessions of a worker
GROWTH = 48 << 20  # bytes that a worker may keep for 1,000 small sessions


def load(client, count, window=100):
    """Mount so many unadopted sessions, a few at a time; how many were not mounted."""
    open_keys, failed = [], 0
    for _ in range(count):
        body = {"path": "house.views.Counter", "params": {"start": 1}, "request": {"path": "/counter/1/"}}
        flags = wire.PAGE | wire.UNADOPTED
        open_keys.append(client.post(wire.MOUNT, body, secrets.token_bytes(16), flags=flags))
        if len(open_keys) == window:
            failed += client.answer_to(open_keys.pop(0)).kind != wire.MOUNTED
    return failed + sum(client.answer_to(key).kind != wire.MOUNTED for key in open_keys)


def test_ten_thousand_page_loads(make_fleet):
    fleet = make_fleet(workers=1)
    worker = fleet.workers["w1"]
    with Visitor(fleet.port).open("/counter/1/") as page, raw.Client(fleet.front) as client:
        assert load(client, CAP) == 0
        full = worker.memory()
        assert load(client, LOADS - CAP) == 0
        wait_until(lambda: client.figures()["sessions"] <= CAP + 1, "all but 1,000 sessions to be dropped")
        wait_until(lambda: client.figures()["workers"][0]["views"] <= CAP + 1, "the worker to say that it dropped them")
        assert worker.memory() - full < GROWTH
        assert ">2<" in page.shows("increment")  # a page with a socket is not dropped for them
        assert Visitor(fleet.port).get("/counter/1/").status == 200


def test_pages_over_http_that_are_never_joined(fleet, visitor, client):
    for _ in range(100):
        assert visitor.get("/counter/1/").status == 200
    with visitor.open("/counter/7/") as page:
        assert ">8<" in page.shows("increment")


def test_prefetches_leave_no_session(fleet, visitor, client):
    before = client.figures()["sessions"]
    for _ in range(5):
        assert visitor.request("GET", "/counter/1/", {"Sec-Purpose": "prefetch;prerender"}).status == 200
    wait_until(lambda: client.figures()["sessions"] <= before, "the sessions of prefetches to end")


def test_new_sessions_go_first_when_there_are_too_many(make_fleet):
    """The oldest that waits is evicted, and its page is mounted afresh when its socket comes after all."""
    fleet = make_fleet(workers=1)
    visitor = Visitor(fleet.port)
    tokens = visitor.get("/counter/1/").roots.tokens
    with raw.Client(fleet.front) as client:
        load(client, CAP + 50)
    from browser import Page

    with Page(visitor, tokens) as page:
        joined = page.join()
        assert joined["fresh"] is True
        assert ">2<" in page.shows("increment")
