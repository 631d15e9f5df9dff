"""B: floods of joins from strangers. What they create is bounded, as docs/guide.md says under "What a stranger can
make", and other users notice nothing.

TROUPE_FLOOD_SECONDS: how long each flood lasts; 4 by default, as what it shows it shows at once.
"""

import os
import secrets
import threading
import time

import pytest
import raw
from browser import Page, Visitor
from fleet import wait_until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from troupe import wire

SECONDS = float(os.environ.get("TROUPE_FLOOD_SECONDS", "4"))
SOCKETS = 4
UNADOPTED = UNUSED = 1_000  # of a worker
STORED_UNUSED = 10_000
TOKEN_SESSIONS, TOKEN_SECONDS = 4, 15
EVICT_ROOM = 30  # --max-sessions of a fleet that a flood fills at once


class Flood:
    """Threads that each call attack(visitor, flood) again and again until the block ends. `loads`: the pages that they
    loaded; `joined`, `refused`: the answers to their joins.
    """

    def __init__(self, port, attack, threads=SOCKETS):
        self.port = port
        self.joined = self.refused = self.loads = 0
        self.failed = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._attack = attack
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()
        assert not self.failed, self.failed

    @property
    def over(self):
        """Whether it is to end."""
        return self._over.is_set()

    def count(self, frame):
        """Note what answered a join."""
        with self._lock:
            self.joined += frame["t"] == "joined"
            self.refused += frame["t"] == "error"

    def load(self, visitor):
        """The tokens of a page."""
        with self._lock:
            self.loads += 1
        return visitor.get("/counter/1/").roots.tokens

    def _run(self):
        while not self.over:
            try:
                self._attack(Visitor(self.port), self)
            except (ConnectionClosed, InvalidStatus, OSError):
                continue  # it was sent away, and comes back
            except Exception as error:
                self.failed.append(error)
                return


def same_socket(visitor, flood):
    """Join over one socket with the token of the page load, which is spent from the second time on."""
    with Page(visitor, flood.load(visitor)) as page:
        first = page.tokens
        while not flood.over:
            page.tokens, page.versions, page.renewals = list(first), [None], [None]
            flood.count(page.join())


def new_sockets(visitor, flood):
    """Join over a new socket each time, with each of the tokens that came so far."""
    tokens = list(flood.load(visitor))
    with Page(visitor, tokens[:1]) as holder:  # so that its token is spent for everybody else
        flood.count(holder.join())
        while not flood.over:
            for token in tokens[:]:
                with Page(visitor, [token]) as page:
                    flood.count(page.join())
                    if page.tokens[0] not in tokens:
                        tokens.append(page.tokens[0])


def new_tokens(visitor, flood):
    """Load a page, join it, and go."""
    with Page(visitor, flood.load(visitor)) as page:
        flood.count(page.join())


def new_tokens_with_an_event(visitor, flood):
    """The same, with something done on it: then it is not for nothing."""
    with Page(visitor, flood.load(visitor)) as page:
        joined = page.join()
        flood.count(joined)
        if joined["t"] == "joined":
            page.event("increment")


def loads(visitor, flood):
    """Load pages, and join none."""
    flood.load(visitor)


ATTACKS = [same_socket, new_sockets, new_tokens, new_tokens_with_an_event, loads]


def visit_until(port, deadline):
    """Load pages, join them, do something, come back; how many. AssertionError: one was not served."""
    visits = 0
    while not visits or time.monotonic() < deadline:
        with Visitor(port).open("/counter/1/") as page:
            assert ">2<" in page.shows("increment")
            assert page.reconnect()["t"] == "joined"
            assert ">3<" in page.shows("increment")
        visits += 1
    return visits


def listed(client):
    """The states of all sessions, those in the store included."""
    states, after = [], None
    while True:
        body = client.ask(wire.SESSIONS, {} if after is None else {"after": after}).body
        states += [row["state"] for row in body["sessions"]]
        if not body.get("more"):
            return states
        after = body["sessions"][-1]["session"]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_others_are_served_by_a_fleet_that_is_full(make_fleet, tmp_path, attack):
    """Two workers with little room, which any of these floods takes at once where nothing is evicted."""
    options = ("--max-sessions", str(EVICT_ROOM), "--keep", str(tmp_path / "store"))
    fleet = make_fleet(broker=options)
    before = time.monotonic()
    with raw.Client(fleet.front) as client:
        with Visitor(fleet.port).open("/counter/500/") as bystander, Flood(fleet.port, attack) as flood:
            visits = visit_until(fleet.port, before + SECONDS)
            assert ">501<" in bystander.shows("increment")
            assert client.figures()["sessions"] <= 2 * EVICT_ROOM
        took = time.monotonic() - before
        print(f"{attack.__name__}: {flood.joined} joins, {flood.refused} refused, {visits} visits in {took:.1f} s")


@pytest.mark.parametrize("attack", [same_socket, new_sockets], ids=lambda attack: attack.__name__)
def test_what_four_page_loads_make(make_fleet, tmp_path, attack):
    """However often their tokens are used."""
    fleet = make_fleet(broker=("--keep", str(tmp_path / "store")))
    with raw.Client(fleet.front) as client:
        before = time.monotonic()
        with Flood(fleet.port, attack) as flood:
            visits = visit_until(fleet.port, before + SECONDS)
        took = time.monotonic() - before
        each = 1 + TOKEN_SESSIONS + took / TOKEN_SECONDS + 1  # its own, at once, one now and then
        made = len(listed(client)) - visits
        print(f"{attack.__name__}: {made} sessions of {flood.joined} joins in {took:.1f} s, {flood.refused} refused")
        assert made <= flood.loads * each
        assert flood.refused


def test_what_gets_past_django(make_fleet, tmp_path):
    """Joins as fast as the broker takes them, from whoever may reach it: each page looks at a view, and goes."""
    fleet = make_fleet(workers=1, web=False, broker=("--keep", str(tmp_path / "store")))
    view = {"path": "house.views.Counter", "params": {"start": 1}}
    used = secrets.token_bytes(16)

    def join(client, session, ticket):
        views = [{**view, "view": secrets.token_bytes(16), "version": 0}]
        body = {"generation": ticket, "views": views, "request": {"path": "/counter/1/"}}
        return client.post(wire.JOIN, body, session)

    with raw.Client(fleet.front) as client:
        joined = client.answer_to(join(client, used, 0))
        event = {"view": joined.body["views"][0]["view"], "name": "increment", "params": {}}
        assert client.ask(wire.EVENT, event, used, sequence=1, epoch=joined.epoch).kind == wire.DONE
        client.post(wire.LEAVE, {}, used)
        for _ in range((STORED_UNUSED + UNUSED) // 50 + 10):
            sessions = [secrets.token_bytes(16) for _ in range(50)]
            for key in [join(client, session, 0) for session in sessions]:
                assert client.answer_to(key).kind == wire.JOINED
            for session in sessions:
                client.post(wire.LEAVE, {}, session)
        wait_until(lambda: client.figures()["sessions"] <= UNUSED + 1, "all but 1,000 sessions to be ended")
        states = listed(client)
        assert states.count("detached") <= UNUSED + 1
        assert STORED_UNUSED - 100 <= states.count("stored") <= STORED_UNUSED + 64  # those of one batch may be over
        again = client.answer_to(join(client, used, 1))
        assert again.kind == wire.JOINED and not again.body["fresh"] and again.body["last"] == 1
        assert client.answer_to(join(client, sessions[-1], 1)).body["fresh"] is False
