"""A handler awaits for long, and its page goes on meanwhile: its socket drops and comes back, its user clicks."""

import re
import signal
import time

import pytest
import raw
from browser import Page, Visitor
from fleet import wait_until

from troupe import wire

CLICKS = 5


@pytest.fixture
def folder(tmp_path):
    """Where handlers write what they did, and look for files that let them go on."""
    made = tmp_path / "long"
    made.mkdir()
    return made


def executed(folder):
    """How often each handler was executed."""
    log = folder / "log"
    words = log.read_text().split() if log.exists() else []
    return {word: words.count(word) for word in words}


def begun(folder, word="work"):
    """Wait until a handler runs."""
    wait_until(lambda: executed(folder).get(word), f"{word} to run")


def go_on(folder, step):
    """Let the handler make its next step."""
    (folder / str(step)).touch()


def is_push(frame, text=""):
    """Whether it is a patch that answers no event, and shows that."""
    return frame.get("a") == 0 and "d" in frame and text in str(frame["d"])


def shown(joined):
    """What the page shows that has just joined."""
    return re.sub(r"<!--.*?-->|<[^>]*>", " ", joined["views"][0]["html"]).split()


def resend(page, number, name, params=None):
    """The same event again, as a page does that has joined again."""
    page.send(t="event", n=number, v=page.views[0], e=name, p=params or {})


def settle(page, events):
    """The answers to events, by number; what is refused is sent again, in order, once nothing else is on its way, and
    not sooner than the refusal says. events: number → (name, parameters).
    """
    answers, refused, pause = {}, set(), 0
    while len(answers) < len(events):
        frame = page.receive()
        assert frame.get("t") != "closed", frame
        number = frame.get("n") or frame.get("a")
        if number not in events or number in answers:
            continue
        if frame.get("t") == "refused":
            assert frame["reason"] in ("busy", "gap"), frame
            pause = max(pause, frame.get("retry_ms", 0))
            refused.add(number)
        else:
            answers[number] = frame
            refused.discard(number)
        if refused and len(refused) + len(answers) == len(events):
            time.sleep(pause / 1000)
            for number in sorted(refused):
                resend(page, number, *events[number])
            refused.clear()
    return answers


def test_a_page_comes_back_while_its_handler_awaits(visitor, folder):
    with visitor.open(f"/long/?folder={folder}") as page:
        number = page.post("work", {"steps": 3})
        begun(folder)
        go_on(folder, 1)
        page.wait_for(lambda frame: is_push(frame, "1"))
        page.connection.close()
        go_on(folder, 2)  # shown to nobody
        joined = page.reconnect()
        assert joined["t"] == "joined"
        assert joined["n"] == number - 1  # it is not over
        assert not joined["fresh"]
        resend(page, number, "work", {"steps": 3})
        if "html" not in joined["views"][0] or shown(joined)[0] != "2":
            page.wait_for(lambda frame: is_push(frame, "2"))
        go_on(folder, 3)
        page.wait_for(lambda frame: is_push(frame, "3"))
        go_on(folder, "end")
        answer = page.answer_to(number)
        assert "100" in str(answer["d"])
        assert executed(folder) == {"work": 1}
        page.number = number
        assert "<b>100</b><i>0</i>" in page.root()


def test_many_times(visitor, folder):
    """Each time it sends again what it has no answer to. Nothing is executed twice, and nothing is lost."""
    with visitor.open(f"/long/?folder={folder}") as page:
        events = {page.post("work", {"steps": 0}): ("work", {"steps": 0})}
        begun(folder)
        events |= {page.post("click"): ("click", {}) for _ in range(CLICKS)}
        for _ in range(6):
            assert page.reconnect()["n"] == 0
            for number, event in events.items():
                resend(page, number, *event)
        go_on(folder, "end")
        assert all("d" in answer for answer in settle(page, events).values())
        page.number = max(events)
        assert f"<i>{CLICKS}</i>" in page.root()
    assert executed(folder) == {"work": 1, "click": CLICKS}


def test_by_way_of_another_web_process(make_fleet, folder):
    """The answer to the first sending goes to a socket that is gone; the repeat is answered from the reply cache."""
    fleet = make_fleet()
    web = fleet.start_web("web2")
    with Visitor(fleet.port).open(f"/long/?folder={folder}") as page:
        number = page.post("work", {"steps": 1})
        begun(folder)
        page.visitor.port = web
        assert page.reconnect()["n"] == number - 1
        resend(page, number, "work", {"steps": 1})
        go_on(folder, 1)
        page.wait_for(lambda frame: is_push(frame, "1"))
        go_on(folder, "end")
        assert "100" in str(page.answer_to(number)["d"])
        assert executed(folder) == {"work": 1}


def test_a_copy_of_the_page(visitor, folder):
    """It gets a session of its own, at once; the page keeps its handler."""
    with visitor.open(f"/long/?folder={folder}") as page:
        old = list(page.tokens), list(page.versions), list(page.renewals)
        page.reconnect()
        number = page.post("work", {"steps": 1})
        begun(folder)
        with Page(visitor, []) as copy:
            copy.tokens, copy.versions, copy.renewals = old
            joined = copy.join()
            assert joined["t"] == "joined"
            assert joined["fresh"]
        go_on(folder, 1)
        page.wait_for(lambda frame: is_push(frame, "1"))
        go_on(folder, "end")
        assert "100" in str(page.answer_to(number)["d"])


def test_the_user_may_not_have_it_any_more(fleet, visitor, folder):
    """The handler ends, and its page is told nothing of it."""
    with visitor.open(f"/long/?folder={folder}") as page:
        page.post("work", {"steps": 1})
        begun(folder)
        (folder / "forbidden").touch()
        assert page.reconnect()["t"] == "reload"
        go_on(folder, 1)
        go_on(folder, "end")
        page.connection.close()
    (folder / "forbidden").unlink()
    with visitor.open(f"/long/?folder={folder}") as page:  # the worker is well
        page.event("click")


def test_what_waits_does_not_expire(make_fleet, folder):
    """Its time to live passes several times over while the handler awaits, which its client hears of."""
    fleet = make_fleet(broker=["--hard-ms", "1000"], worker=["--hard-ms", "1000", "--soft-ms", "500"])
    with raw.Client(fleet.front) as client:
        params = {"request": {"method": "GET", "path": "/long/", "query": f"folder={folder}", "headers": {}}}
        session = client.mount("house.long.Long", **params)
        running = session.post("work", {"steps": 0})
        begun(folder)
        clicks = [session.post("click", ttl=2000) for _ in range(CLICKS)]
        client.wait_working(clicks[-1], 24)  # at most eight a second, each for the same turn
        go_on(folder, "end")
        for key in [running, *clicks]:
            assert client.answer_to(key).kind == wire.DONE
    assert executed(folder) == {"work": 1, "click": CLICKS}


@pytest.mark.parametrize("name", [None, "ann"])
def test_a_handler_keeps_its_request(visitor, folder, name):
    """What it writes to the session is saved, whether the session is a new one or not."""
    if name:
        visitor.get(f"/login/{name}/")
    with visitor.open(f"/long/?folder={folder}") as page:
        number = page.post("remembers")
        begun(folder, "remembers")
        assert page.reconnect()["t"] == "joined"
        resend(page, number, "remembers")
        go_on(folder, "end")
        assert "d" not in page.answer_to(number)
        page.number = number
        assert "1 2" in page.shows("recall")


def test_what_cannot_be_stored_meanwhile(make_fleet, folder, tmp_path):
    """The session is stored when the handler is over."""
    fleet = make_fleet(workers=1, broker=["--keep", str(tmp_path / "sessions")])
    fleet.expect_log(r"level=WARN .*event=snapshot_failed", times=1)
    fleet.expect_log(r"level=WARN .*event=worker_lost", times=1, name="broker")
    with Visitor(fleet.port).open(f"/long/?folder={folder}") as page:
        number = page.post("holds_a_lock")
        begun(folder, "holds")
        page.reconnect()
        resend(page, number, "holds_a_lock")
        go_on(folder, "end")
        assert "7" in str(page.answer_to(number)["d"])
        assert shown(die(fleet, page))[0] == "7"


def die(fleet, page):
    """The worker dies, and the page joins on another one; what answers."""
    fleet.workers["w1"].signal(signal.SIGKILL)
    fleet.workers["w1"].wait_exit()
    fleet.start_worker("w2")
    page.wait_type("lost")
    joined = page.join()
    while joined["t"] == "error" and joined["reason"] == "no_worker":
        joined = page.reconnect()
    assert joined["restored"] is True
    return joined


def test_a_long_progress_is_acknowledged(visitor, folder):
    """More steps than a page may leave unacknowledged: each is shown soon, and events find room."""
    with visitor.open(f"/long/?folder={folder}") as page:
        number = page.post("work", {"steps": 40})
        begun(folder)
        for step in range(1, 41):
            go_on(folder, step)
            frame = page.wait_for(lambda frame, step=step: is_push(frame, str(step)))
            page.send(t="ack", v=page.views[0], s=frame["s"])
        assert "<b>40</b>" in page.root()
        click = page.post("click")
        go_on(folder, "end")
        page.answer_to(number)
        page.answer_to(click)


@pytest.mark.parametrize("name", ["work", "again"])
def test_the_worker_dies(make_fleet, folder, tmp_path, name):
    """After the page has come back: what it showed then is stored, and the event is repeated only if it may be."""
    fleet = make_fleet(workers=1, broker=["--keep", str(tmp_path / "sessions")])
    fleet.expect_log(r"level=WARN .*event=worker_lost", times=1, name="broker")
    params = {"steps": 1} if name == "work" else {}
    with Visitor(fleet.port).open(f"/long/?folder={folder}") as page:
        number = page.post(name, params)
        begun(folder, name)
        go_on(folder, 1)
        page.wait_for(lambda frame: is_push(frame, "1"))
        page.reconnect()
        resend(page, number, name, params)
        joined = die(fleet, page)
        assert joined["n"] == number - 1
        assert shown(joined)[0] == "1"
        go_on(folder, "end")
        page.send(t="event", n=number, v=page.views[0], e=name, p=params, r=True)
        answer = page.answer_to(number)
        if name == "work":
            assert answer["t"] == "unknown"
        else:
            assert "2" in str(answer["d"])
        page.number = number
        page.event("click")
    assert executed(folder) == {name: 2 if name == "again" else 1, "click": 1}
