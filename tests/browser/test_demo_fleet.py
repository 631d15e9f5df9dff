"""The demo's pages about more than one user, and about workers that die."""

from pathlib import Path

import pytest
from chromium import Site
from demo_fleet import DemoFleet, free_port

ROOT = Path(__file__).resolve().parents[2]


def sign(site, name, text):
    for css, value in (("#name", name), ("#text", text)):
        site.find(css).clear()
        site.find(css).send_keys(value)
    site.click("button.primary")


def test_what_one_signs_the_other_sees(site):
    site.open("guestbook/")
    site.wait(site.connected, "the socket")
    other = site.run("return window.location.href")
    first = site.driver.current_window_handle
    site.driver.switch_to.new_window("tab")
    try:
        site.driver.get(other)
        site.wait(site.connected, "the socket of the second page")
        sign(site, "Ann", "Good evening")
        site.wait(lambda: "Good evening" in site.texts(".lines span"), "the own line")
        assert site.find("#name").get_attribute("value") == "Ann"
        assert site.find("#text").get_attribute("value") == ""
        site.driver.close()
    finally:
        site.driver.switch_to.window(first)
    site.wait(lambda: "Good evening" in site.texts(".lines span"), "the other's line")


def test_a_mistake_is_named_and_nothing_typed_is_lost(site):
    site.open("guestbook/")
    site.wait(site.connected, "the socket")
    before = site.texts(".lines li")
    site.find("#text").send_keys("abc")
    site.wait(lambda: site.texts("#text-error"), "the mistake while typing")
    assert not site.all("#name-error"), "the other field was not used yet"
    site.click("button.primary")
    site.wait(lambda: site.texts("#name-error"), "the missing name")
    assert site.find("#text").get_attribute("value") == "abc"
    assert site.texts(".lines li") == before


@pytest.fixture
def two_workers(driver):
    """(Site, DemoFleet) of a demo with two workers, whose end the broker notices within a second."""
    quick = ("--heartbeat-ms", "100", "--worker-dead-ms", "1000")
    with DemoFleet(ROOT, free_port(), workers=2, broker=quick) as fleet:
        yield Site(driver, fleet.url), fleet


def test_a_page_outlives_the_worker_that_it_kills(two_workers):
    site, fleet = two_workers
    site.open("survive/")
    site.wait(site.connected, "the socket")
    site.click("#click")
    site.click("#click")
    site.find("#note").send_keys("still here")
    site.wait_texts("#clicks", ["2"])
    (home,) = site.texts("#worker")
    site.run("window.kept = document.querySelector('#note')")
    site.click("#kill")
    site.wait(lambda: site.texts("#worker") != [home], "another worker")
    assert site.texts("#clicks") == ["2"]
    site.click("#click")
    site.wait_texts("#clicks", ["3"])
    assert site.find("#note").get_attribute("value") == "still here"
    assert site.run("return window.kept === document.querySelector('#note')"), "the page was loaded again"
    site.errors()
    dead = fleet.wait()
    assert dead.process.pid == int(home)
    fleet.replace_worker(dead)  # as scripts/up does
