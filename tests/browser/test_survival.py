"""A worker dies under a page: the person sees a short wait, and goes on."""

from selenium.webdriver.common.keys import Keys


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
