"""Messages of ordinary views and of live ones: see sites/case_07_messages."""

import pytest
from survival import QUICK, replace_worker


def test_before_a_redirect_to_a_live_page(site):
    site.open("case_07_messages/add/")
    site.wait_texts("li", ["x"])
    site.wait(site.connected, "the page to join")
    assert site.texts("li") == ["x"]
    site.click("#count")
    site.wait_texts("output", ["1"])
    assert site.texts("li") == []
    site.open("case_07_messages/list/")
    assert site.texts("li") == []


@pytest.mark.parametrize("button", ["save", "later"])
def test_in_a_handler(site, button):
    site.open("case_07_messages/Page/")
    site.click(f"#{button}")
    site.wait_texts("li", ["saved"])
    site.click("#count")
    site.wait_texts("output", ["1"])
    assert site.texts("li") == []


def test_of_mount_stays_while_the_page_ticks(site):
    site.open("case_07_messages/Welcome/")
    site.wait(lambda: int(site.texts("output")[0]) > 3, "some ticks")
    assert site.texts("li") == ["welcome"]


def test_before_a_redirect_of_a_handler(site):
    site.open("case_07_messages/Page/")
    site.click("#leave")
    site.wait_texts("p", ["ordinary"])
    assert site.texts("li") == ["left"]
    site.open("case_07_messages/list/")
    assert site.texts("li") == []


def test_outlives_its_worker(make_fleet, browse, tmp_path):
    fleet = make_fleet(broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    site = browse(fleet)
    site.open("case_07_messages/Page/")
    site.click("#save")
    site.wait_texts("li", ["saved"])
    site.run("document.documentElement.className = ''")
    replace_worker(fleet)
    site.wait(site.connected, "the page to join again")
    assert site.texts("li") == ["saved"]
    site.click("#count")
    site.wait_texts("output", ["1"])
    assert site.texts("li") == []
