"""What a handler returns or raises: see sites/case_09_redirect."""

import pytest
from browser import Visitor
from survival import QUICK, repeat, replace_worker

PAGE = "case_09_redirect/Form/"


@pytest.mark.parametrize("button", ["#go", "#later"])
def test_the_browser_goes_where_the_handler_says(site, button):
    site.open(PAGE)
    site.click(button)
    site.wait_texts("p", ["thanks"])
    assert site.driver.current_url.endswith("/case_09_redirect/thanks/")


def test_a_download_leaves_the_page_alive(site):
    site.open(PAGE)
    site.click("#download")
    site.wait_texts("output", ["1"])
    site.click("#nothing")
    site.wait_texts("output", ["2"])


def test_a_redirect_to_a_fragment_of_the_page_loads_it_again(site):
    site.open(PAGE)
    site.click("#nothing")
    site.wait_texts("output", ["1"])
    site.click("#again")
    site.wait_texts("output", ["0"])
    assert site.driver.current_url.endswith("/Form/#end")


@pytest.mark.parametrize(
    ("button", "kind"), [("missing", "not_found"), ("denied", "forbidden"), ("strange", "bad_request")]
)
def test_a_refusal_is_said_and_the_page_lives_on(fleet, visitor, button, kind):
    if button == "strange":
        fleet.expect_log("django.security.SuspiciousOperation")
    if button == "denied":  # Django logs it with its traceback, too
        fleet.expect_log(r"WARNING django\.request Forbidden \(Permission denied\): /case_09", times=1, name="w1")
    with visitor.open(f"/{PAGE}") as page:
        failed = page.answer_to(page.post(button))
        assert (failed["t"], failed["error"]["kind"]) == ("failed", kind)
        assert page.answer_to(page.post("nothing"))["a"] == 2


@pytest.mark.parametrize("button", ["answer", "file"])
def test_a_response_that_cannot_be_delivered_is_an_error(fleet, visitor, button):
    fleet.expect_log("cannot be delivered")
    with visitor.open(f"/{PAGE}") as page:
        assert page.answer_to(page.post(button))["error"]["kind"] == "python"


def test_a_redirect_whose_answer_was_lost_with_the_worker(make_fleet, tmp_path):
    """It is in the store with the answer: the handler does not run again, and the browser goes where it said."""
    fleet = make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    with Visitor(fleet.port).open(f"/{PAGE}") as page:
        first = page.event("save", {"title": "a"})
        assert first["redirect"] == "/case_09_redirect/thanks/"
        replace_worker(fleet)
        assert repeat(page, 1, "save", {"title": "a"}) == first
