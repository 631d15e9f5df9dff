"""Pages that come and go leave nothing in a worker: what a round of them needs, the next one uses again."""

import html
import json
import re
import secrets

import raw
from fleet import wait_until

from troupe import wire

SESSIONS = 960  # a round
WINDOW = 32
ROUNDS = 5
VIEWS = ["house.views.Counter", "house.views.Paper", "house.bad.Handlers", "house.views.Form"]
EVENTS = {"house.views.Counter": ["increment", "later"], "house.bad.Handlers": ["boom", "increment", "exits_async"]}

BLOCKS = 300  # of CPython's allocator; a leak of one object a page is 960 a round
MALLOC = 256 << 10  # bytes
RESIDENT = 2 << 20  # bytes


def figures(session):
    """What the worker says of its memory; see house.memory."""
    answer = session.event("measure", {"most": 60})
    assert answer.kind == wire.DONE, answer
    text = answer.body["html"].decode()
    return json.loads(html.unescape(re.search(r"<p[^>]*>(.*)</p>", text, re.DOTALL)[1]))


def visit(client, paths):
    """Join a page of each path at once, send what it can do, and leave; the sessions, which live on for a while."""
    pages = [(secrets.token_bytes(16), secrets.token_bytes(16), path) for path in paths]

    def join(session, view, path):
        views = [{"view": view, "version": 0, "path": path, "params": {}}]
        request = {"path": "/page/", "headers": {"user-agent": "none"}, "cookies": {"a": "b"}}
        return client.post(wire.JOIN, {"generation": 0, "views": views, "request": request}, session)

    keys = [join(*page) for page in pages]
    epochs = []
    for key in keys:
        joined = client.answer_to(key)
        assert joined.kind == wire.JOINED and "error" not in joined.body["views"][0], joined
        epochs.append(joined.epoch)
    keys = []
    for (session, view, path), epoch in zip(pages, epochs, strict=True):
        for number, name in enumerate(EVENTS.get(path, ()), 1):
            body = {"view": view, "name": name, "params": {}}
            keys.append(client.post(wire.EVENT, body, session, epoch=epoch, sequence=number, flags=wire.BROWSER))
    assert all(client.answer_to(key).kind in (wire.DONE, wire.FAILED) for key in keys)
    for session, _, _ in pages:
        client.send(raw.header(wire.LEAVE, session, sequence=0), raw.pack({}))
    return [session for session, _, _ in pages]


def end(client, sessions):
    """End them, as their time would, and wait until the worker has none of them."""
    for start in range(0, len(sessions), WINDOW):
        keys = [client.post(wire.SHUTDOWN, session=session) for session in sessions[start : start + WINDOW]]
        assert all(client.answer_to(key).kind == wire.ENDED for key in keys)
    wait_until(lambda: client.figures()["workers"][0]["sessions"] == 1, "all but the measuring session to be gone")
    client.unasked.clear()


def test_memory_of_a_worker_does_not_grow_with_the_pages_it_had(make_fleet):
    # Without malloc's caches by thread, so that what is allocated can be told from what they keep.
    fleet = make_fleet(workers=1, web=False, env={"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"})
    fleet.watch.allow(r"ERROR django\.request Internal Server Error: ")  # of the views that raise
    worker, rounds = fleet.workers["w1"], []
    with raw.Client(fleet.front) as client:
        measuring = client.mount("house.memory.Memory")
        for _ in range(ROUNDS):
            sessions = []
            for _ in range(SESSIONS // WINDOW):
                sessions += visit(client, VIEWS * (WINDOW // len(VIEWS)))
            end(client, sessions)
            rounds.append({**figures(measuring), "resident": worker.memory()})
    first, last = rounds[1], rounds[-1]
    grown = {kind: count - first["kinds"].get(kind, 0) for kind, count in last["kinds"].items()}
    story = f"{rounds}\n{grown}"
    assert last["blocks"] - first["blocks"] < BLOCKS, story
    assert last["objects"] - first["objects"] < BLOCKS, story
    assert last["used"] - first["used"] < MALLOC, story
    assert last["resident"] - first["resident"] < RESIDENT, story
    print([{key: value for key, value in figures.items() if key != "kinds"} for figures in rounds])
