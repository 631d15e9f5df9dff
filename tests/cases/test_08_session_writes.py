"""What live views do to the session: see sites/case_08_session_writes."""

from browser import Visitor
from survival import QUICK, repeat, replace_worker

CART = "case_08_session_writes/Cart/"
SHOW = "case_08_session_writes/show/"


def test_a_users_writes_are_there_after_a_reload(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open(CART)
    site.click("#inc")
    site.click("#inc")
    site.wait_texts("output", ["2"])
    site.open(CART)
    site.wait_texts("output", ["2"])
    assert not site.errors()


def cookie(site):
    """The session cookie's value; None without one."""
    found = site.driver.get_cookie("sessionid")
    return found and found["value"]


def test_an_anonymous_cart_is_seen_by_an_ordinary_view(site):
    site.open(CART)
    assert cookie(site) is None
    site.click("#inc")
    site.wait(lambda: cookie(site), "the session cookie")
    assert "sessionid" not in site.run("return document.cookie")
    site.click("#inc")
    site.wait_texts("output", ["2"])
    site.open(SHOW)
    assert site.texts("li") == ["n=2"]


def test_two_tabs_write_different_keys(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open(CART)
    site.click("#inc")
    site.wait_texts("output", ["1"])
    touch = "const done = arguments[0]; fetch('../touch/').then(r => r.text()).then(done)"
    assert site.driver.execute_async_script(touch) == "touched"
    assert site.driver.execute_async_script(touch) == "touched"
    site.click("#inc")
    site.wait_texts("output", ["2"])
    site.open(SHOW)
    assert site.texts("li") == ["n=2", "touched=2"]


def test_login_in_a_handler_then_a_redirect_to_a_private_page(site):
    site.open(CART)
    site.click("#inc")
    site.wait(lambda: cookie(site), "the session cookie")
    before = cookie(site)
    site.click("#log_in")
    site.wait_texts("p", ["private to ann"])
    assert cookie(site) != before
    site.open(SHOW)
    assert site.texts("li") == ["n=1"]


def test_login_in_a_handler_and_the_page_lives_on(site):
    site.open(CART)
    site.click("#log_in_here")
    site.wait_texts("b", ["ann"])
    site.wait(lambda: cookie(site), "the session cookie")
    site.click("#inc")
    site.wait_texts("output", ["1"])
    site.run("window.stays = true")
    # The user is checked at each event, and the page rejoins with the tokens of now.
    before = cookie(site)
    site.click("#cycle")
    site.wait_texts("output", ["2"])
    site.click("#inc")
    site.wait_texts("output", ["3"])
    assert site.run("return window.stays")
    site.wait(lambda: cookie(site) != before, "the new key's cookie")
    site.open(SHOW)
    assert site.texts("li") == ["n=3"]


def test_logout_in_a_handler_loads_the_page_again_for_nobody(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open(CART)
    site.wait_texts("b", ["ann"])
    site.click("#log_out")
    site.wait_texts("b", ["AnonymousUser"])
    site.wait(lambda: cookie(site) is None, "the cookie to go")
    site.open("case_08_session_writes/private/")
    assert "/accounts/login/" in site.driver.current_url


def test_logout_in_a_handler_of_a_private_page_leads_to_the_login_page(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open("case_08_session_writes/Private/")
    site.click("#log_out")
    site.wait(lambda: "/accounts/login/" in site.driver.current_url, "the login page")


def test_logout_ends_the_other_pages_of_the_session(fleet, browse):
    site = browse(fleet, log_in="ann")
    site.open(CART)
    site.wait_texts("b", ["ann"])
    first = site.driver.current_window_handle
    site.driver.switch_to.new_window("tab")
    site.open(CART)
    site.wait_texts("b", ["ann"])
    site.click("#log_out")
    site.wait_texts("b", ["AnonymousUser"])
    site.driver.close()
    site.driver.switch_to.window(first)
    site.wait_texts("b", ["AnonymousUser"])


def test_a_write_whose_answer_was_lost_with_the_worker(make_fleet, tmp_path):
    """The ticket is in the store with the answer: the visitor gets the cookie of the session that was written."""
    fleet = make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    visitor = Visitor(fleet.port)
    with visitor.open(f"/{CART}") as page:
        first = page.event("inc")
        replace_worker(fleet)
        again = repeat(page, 1, "inc")
        assert again["ticket"] == first["ticket"]
        assert visitor.get(f"/{CART}", **{"X-Troupe-Ticket": again["ticket"]}).status == 204
        assert visitor.cookies["sessionid"]
        assert "n=1" in visitor.get(f"/{SHOW}").text
