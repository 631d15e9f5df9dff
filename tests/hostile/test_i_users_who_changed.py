"""I: an open socket stops working once its user is deactivated, deleted, logged out, or replaced by another."""

import contextlib
import sqlite3

import pytest
from browser import Visitor
from fleet import wait_until


@pytest.fixture
def each_event(make_fleet):
    """A fleet that looks at the user for each event."""
    return make_fleet(workers=1, env={"SCENARIO_USER_CHECK": "0"})


def sql(fleet, *statements):
    """Change the database behind everybody's back."""
    with contextlib.closing(sqlite3.connect(fleet.database, timeout=30)) as database, database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


def ann(fleet):
    """Ann, logged in."""
    visitor = Visitor(fleet.port)
    assert visitor.get("/login/ann/").status == 200
    return visitor


def is_sent_away(page, name, params=None):
    """An event is not executed, and the page is told to load itself again."""
    number = page.post(name, params)
    frames = [page.receive(), page.receive()]
    assert {"t": "reload", "reason": "user_changed"} in frames
    (refused,) = [frame for frame in frames if frame["t"] == "refused"]
    assert (refused["n"], refused["reason"]) == (number, "unknown_session")


DEACTIVATED = "UPDATE auth_user SET is_active = 0 WHERE username = 'ann'"
ENDINGS = {
    "deactivated": DEACTIVATED,
    "another password": "UPDATE auth_user SET password = '!another' WHERE username = 'ann'",
    "deleted": "DELETE FROM auth_user WHERE username = 'ann'",
    "session deleted": "DELETE FROM django_session",
    "session expired": "UPDATE django_session SET expire_date = '2001-01-01 00:00:00'",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_event_after_it_is_not_executed(each_event, ending):
    fleet = each_event
    with ann(fleet).open("/rows/") as page, Visitor(fleet.port).open("/counter/0/") as bystander:
        assert "d" in page.event("write", {"text": "before"})
        sql(fleet, ENDINGS[ending])
        is_sent_away(page, "write", {"text": "after"})
        assert page.event("write", {"text": "after"})["reason"] == "unknown_session"
        assert page.join() == {"t": "reload", "reason": "foreign"}
        assert ">1<" in bystander.shows("increment")
    assert sql(fleet, "SELECT text FROM house_row") == [("before",)]
    fleet.expect_log("event=user_changed", times=1, name="web")


@pytest.mark.parametrize("engine", ["cached_db", "signed_cookies"])
def test_other_engines_of_sessions(make_fleet, engine):
    fleet = make_fleet(workers=1, env={"SCENARIO_USER_CHECK": "0", "SCENARIO_SESSIONS": engine})
    with ann(fleet).open("/members/") as page:
        assert "ann" in page.shows("increment")
        sql(fleet, DEACTIVATED)
        is_sent_away(page, "increment")


def test_who_changes_the_password_stays_and_loads_the_page_again(each_event):
    visitor = ann(each_event)
    with visitor.open("/members/") as page:
        assert ">1<" in page.shows("increment")
        assert visitor.get("/password/secret/").text == "changed"
        is_sent_away(page, "increment")
        with visitor.open("/members/") as again:
            assert "ann" in again.html and ">1<" in again.shows("increment")


def test_a_page_that_only_gets_pushes(each_event):
    """It is looked at when it pings, and nothing is pushed to it after that."""
    with ann(each_event).open("/ticking/") as page:
        page.receive()
        sql(each_event, DEACTIVATED)
        page.send(t="ping")
        page.wait_type("pong")
        assert page.wait_type("reload")["reason"] == "user_changed"
        page.send(t="ping")
        assert page.receive() == {"t": "pong"}
        page.send(t="refresh", v=page.views[0])
        page.send(t="ping")
        assert page.receive() == {"t": "pong"}


def test_all_pages_of_that_session_end(each_event):
    visitor = ann(each_event)
    with visitor.open("/members/") as page, visitor.open("/members/") as other:
        sql(each_event, DEACTIVATED)
        is_sent_away(page, "increment")
        assert other.wait_type("reload")["reason"] in ("logout", "user_changed")


def test_events_stay_in_order(each_event):
    """Each waits for a look at the user, and none is overtaken."""
    with ann(each_event).open("/history/") as page:
        for start in range(1, 17, 8):
            numbers = [page.post("append", {"number": number}) for number in range(start, start + 8)]
            for number in numbers:
                frame = page.answer_to(number)
                assert "d" in frame, frame
        assert " ".join(map(str, range(1, 17))) in page.root()


def test_a_database_that_is_away_is_waited_for(each_event):
    with ann(each_event).open("/members/") as page:
        sql(each_event, "ALTER TABLE auth_user RENAME TO auth_user_away")
        refused = page.event("increment")
        assert (refused["t"], refused["reason"]) == ("refused", "busy") and refused["retry_ms"]
        assert page.event("increment")["reason"] == "gap"
        page.number -= 2
        sql(each_event, "ALTER TABLE auth_user_away RENAME TO auth_user")
        assert ">1<" in page.shows("increment")
    each_event.expect_log("event=user_check_failed", name="web")


def test_once_a_second_is_the_default(make_fleet):
    fleet = make_fleet(workers=1)
    with ann(fleet).open("/rows/") as page:
        sql(fleet, DEACTIVATED)

        def sent_away():
            frame = page.event("write", {"text": "x"})
            return frame.get("t") == "reload" or frame.get("reason") == "unknown_session"

        wait_until(sent_away, "the user to be looked at")


def test_never(make_fleet):
    fleet = make_fleet(workers=1, env={"SCENARIO_USER_CHECK": "never"})
    with ann(fleet).open("/members/") as page:
        sql(fleet, DEACTIVATED)
        assert ">1<" in page.shows("increment")
