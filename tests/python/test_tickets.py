"""Tickets: for one browser, and for one request of it."""

import pytest

from troupe import session_engine, tickets

pytestmark = pytest.mark.django_db(transaction=True)

COOKIES = ["sessionid=new; HttpOnly"]
CSRF = {"csrftoken": "a secret of this browser's"}
ENGINES = ["db", "cached_db", "cache", "file"]


@pytest.fixture(autouse=True)
def engine(request, settings, tmp_path):
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{getattr(request, 'param', 'db')}"


def begin():
    """The key of a session that exists."""
    store = session_engine.store_class()()
    store["n"] = 1
    store.save()
    return store.session_key


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.parametrize("browser", [{}, CSRF, {"sessionid": "s"}, {"sessionid": "s", **CSRF}])
def test_it_is_redeemed_once(browser):
    ticket = tickets.make(COOKIES, browser)
    assert tickets.redeem(ticket, {**browser, "other": "cookie"}).cookies == COOKIES
    assert tickets.redeem(ticket, browser) is None
    assert tickets.redeem("no such ticket", browser) is None


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.parametrize("moment", ["_is_for", "_create"])
def test_two_requests_at_once(moment, monkeypatch):
    """The second one comes after the first has read the ticket, or has claimed it."""
    ticket, usual, answers = tickets.make(COOKIES, CSRF), getattr(tickets, moment), []

    def meet(*args):
        result = usual(*args)
        monkeypatch.setattr(tickets, moment, usual)
        answers.append(tickets.redeem(ticket, CSRF))
        return result

    monkeypatch.setattr(tickets, moment, meet)
    answers.append(tickets.redeem(ticket, CSRF))
    assert len(answers) == 2 and (COOKIES, []) in answers and None in answers
    assert tickets.redeem(ticket, CSRF) is None


@pytest.mark.parametrize(
    ("made_for", "shown_by"),
    [
        ({"sessionid": "s"}, {}),
        ({"sessionid": "s"}, {"sessionid": "t"}),
        ({"sessionid": "s", **CSRF}, {"sessionid": "t", **CSRF}),
        ({"sessionid": "s", **CSRF}, CSRF),
        (CSRF, {}),
        (CSRF, {"csrftoken": "another browser's"}),
    ],
)
def test_another_browser_gets_nothing(made_for, shown_by):
    ticket = tickets.make(COOKIES, made_for)
    assert tickets.redeem(ticket, shown_by) is None
    assert tickets.redeem(ticket, made_for).cookies == COOKIES  # nor takes it from the one that it is for


@pytest.mark.parametrize("made_for", [{}, CSRF])
def test_a_session_that_another_tab_began_keeps_its_place(made_for):
    ticket = tickets.make(COOKIES, made_for)
    assert tickets.redeem(ticket, {"sessionid": begin(), **CSRF}) is None
    assert tickets.redeem(ticket, {"sessionid": "of a session that is over", **CSRF}).cookies == COOKIES


def test_nothing_is_left_in_the_store():
    from django.contrib.sessions.models import Session

    ticket = tickets.make(COOKIES, CSRF)
    assert Session.objects.count() == 1
    tickets.redeem(ticket, CSRF)
    assert Session.objects.count() == 0
