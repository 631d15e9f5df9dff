"""A worker dies under a page: the person sees a short wait, and goes on."""

import time

from demo_fleet import START_SECONDS
from selenium.webdriver.common.keys import Keys
from slow_line import SlowLine


def test_a_page_survives_its_worker(fragile):
    site, fleet = fragile
    site.open("todo/")
    site.wait(site.connected, "the page to be joined")
    field = site.find("#text")
    field.send_keys("Find the prompter", Keys.ENTER)
    site.wait(lambda: len(site.texts(".tasks li")) == 4, "the fourth task")
    tasks = site.texts(".tasks li span")
    field.send_keys("half a wo")
    site.run("window.kept = document.querySelector('#text')")
    fleet.lose_workers()
    site.wait(lambda: not site.connected(), "the page to notice")
    site.wait(site.connected, "the page to join again")
    assert site.texts(".tasks li span") == tasks
    assert site.run("return window.kept === document.querySelector('#text')")
    assert field.get_property("value") == "half a wo"
    field.send_keys("rd", Keys.ENTER)
    site.wait(lambda: len(site.texts(".tasks li")) == 5, "the fifth task")
    assert site.texts(".tasks li span") == [*tasks, "half a word"]
    site.errors()


def test_a_click_while_nobody_is_there(fragile):
    """What is clicked meanwhile waits, and is done."""
    site, fleet = fragile
    site.open("counter/")
    site.wait(site.connected, "the page to be joined")
    more = "button[aria-label='One more']"
    for _ in range(3):
        site.click(more)
    site.wait_texts("output", ["3"])
    fleet.lose_workers()
    site.wait(lambda: not site.connected(), "the page to notice")
    site.click(more)
    site.wait_texts("output", ["4"])
    site.errors()


def test_clicks_that_are_under_way_when_a_worker_dies(fragile):
    """Over a long line: they meet a session that is gone, are refused, and are done once the page has joined, once."""
    site, fleet = fragile
    url, shown = site.url, 0

    def click(times):
        nonlocal shown
        script = "for (let i = 0; i < arguments[1]; i++) document.querySelector(arguments[0]).click()"
        site.run(script, "button[aria-label='One more']", times)
        shown += times

    with SlowLine(fleet.port) as line:
        site.url = f"http://127.0.0.1:{line.port}/"
        site.open("counter/")
        site.wait(site.connected, "the page to be joined")
        for _ in range(2):
            click(5)
            site.wait_texts("output", [str(shown)])
            broker = next(child for child in fleet.children if child.name == "broker")
            broker.lines.clear()
            for worker in [child for child in fleet.children if child.name.startswith("worker")]:
                worker.process.kill()
            broker.wait_line("event=worker_lost", time.monotonic() + START_SECONDS)
            click(5)  # the page does not know yet
            fleet.lose_workers()
            site.wait_texts("output", [str(shown)])
            click(1)
            site.wait_texts("output", [str(shown)])
        site.driver.get("about:blank")  # its socket would ask for the line again
    site.url = url
    site.errors()
