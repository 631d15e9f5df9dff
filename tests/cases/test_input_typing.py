"""What is typed: where it goes, what stays of it, and who has the focus."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

SLOW = 0.15  # seconds each way


def open_page(site, path):
    site.open(path)
    site.wait(site.connected, "the page to join")


def value(site, css):
    return site.find(css).get_property("value")


def test_24_contenteditable_is_the_users(site):
    open_page(site, "case_24_contenteditable/Editable/")
    box = site.find("#e")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    site.wait_texts("output", [""])
    for at, letter in enumerate("new", 1):
        box.send_keys(letter)
        site.wait_texts("output", ["new"[:at]])
        assert box.text == "new"[:at]
    box.send_keys(" you", Keys.ENTER, "bye")
    site.wait_texts("output", ["new you\nbye"])
    assert box.text == "new you\nbye"
    for n in range(1, 8):
        site.run("document.querySelector('#more').click()")
        site.wait_texts("b", [str(n)])
    box.send_keys("!")
    site.wait_texts("output", ["new you\nbye!"])
    assert box.text == "new you\nbye!"
    site.click("#shout")
    site.wait(lambda: box.text.split() == ["NEW", "YOU", "BYE!"], "the server's text")
    box.send_keys(Keys.END, "?")
    site.wait(lambda: site.texts("output")[0].split() == ["NEW", "YOU", "BYE!?"], "what is typed then")


def test_25_back_without_bfcache(fleet, more_browsers):
    from chromium import Site

    site = Site(more_browsers("--disable-features=BackForwardCache"), fleet.url)
    open_page(site, "case_25_back/Filter/")
    site.click("#s option[value=b]")
    site.click("#c")
    site.find("#draft").send_keys("half a")
    site.wait_texts("output", ["b True 0"])
    site.open("case_25_back/elsewhere/")
    site.driver.back()
    site.wait(site.connected, "the page to join")
    site.click("#more")
    site.wait(lambda: site.texts("output")[0].endswith("1"), "the page to answer")
    shown = f"{value(site, '#s')} {site.find('#c').is_selected()} 1"
    assert site.texts("output") == [shown]
    assert value(site, "#draft") == "half a"  # nobody else knows of it
    assert not site.errors()


def test_26_autofocus(site):
    open_page(site, "case_26_autofocus/Edit/")
    site.click("#edit")
    site.wait(lambda: site.run("return document.activeElement.id") == "name", "the field to have the focus")
    open_page(site, "case_26_autofocus/Edit/")
    site.find("#other").send_keys("open")
    site.wait_texts("output", ["open"])
    assert site.all("#name")
    assert site.run("return document.activeElement.id") == "other"


def test_input_02_another_question_has_other_controls(site):
    open_page(site, "case_input_02_next_question/Quiz/")
    site.find("#q1").send_keys("secret one")
    site.click("#c1")
    site.click("#r1")
    site.click("#s1 option:last-child")
    site.find("textarea").send_keys("long")
    site.run("document.querySelector('#c1').indeterminate = true")
    site.find(".live").send_keys("mine")
    site.run("document.querySelector('#next').click()")
    site.wait(lambda: site.all("#q2"), "the second question")
    site.wait_texts("b", ["live1=mine"])
    assert [value(site, css) for css in ("#q2", "#s2", "textarea", ".live")] == ["", "a", "", ""]
    assert not site.run("return document.querySelector('#c2').indeterminate")
    site.click("#go")
    site.wait_texts("output", [repr([("q2", ""), ("s2", "a"), ("t", "")])])


def test_input_03_what_is_typed_on_over_a_slow_line(fleet, browse):
    site = browse(fleet, delay=SLOW)
    open_page(site, "case_input_03_typed_on/Chat/")
    field = site.find("#t")
    field.send_keys("first", Keys.ENTER, "more")
    site.wait_texts("li", ["first"])
    site.wait(lambda: value(site, "#t") == "more", "the rest to stay")
    field.send_keys(Keys.CONTROL, "a")
    words = ["one", "two", "three", "four", "five"]
    for word in words:
        field.send_keys(word, Keys.ENTER)
    site.wait_texts("li", ["first", *words])
    site.wait(lambda: value(site, "#t") == "", "the field to be empty")
    title = site.find("#title")
    title.send_keys(Keys.END, " one", Keys.ENTER, " two")
    site.wait_texts("output", ["Draft one"])
    assert value(site, "#title") == "Draft one two"
    assert not site.errors()


def test_input_03_what_was_not_accepted_is_kept(fleet, browse):
    site = browse(fleet)
    fleet.expect_log("handler_failed|bang")
    open_page(site, "case_input_03_typed_on/Chat/")
    field = site.find("#t")
    field.send_keys("no", Keys.ENTER)
    site.wait_texts(".errorlist", ["not that"])
    assert value(site, "#t") == "no"
    field.send_keys("t", Keys.ENTER)
    site.wait_texts("li", ["not"])
    assert value(site, "#t") == ""
    field.send_keys("bang", Keys.ENTER)
    site.wait(lambda: site.all(".troupe-note"), "the page to say so")
    assert value(site, "#t") == "bang"
    site.errors()


def test_input_04_enter_takes_what_is_typed(site):
    open_page(site, "case_input_04_enter/Composer/")
    site.find("#c").send_keys("hello", Keys.ENTER)
    site.wait_texts("li", ["hello"])
    assert value(site, "#c") == ""
    site.find("#c").send_keys("again", Keys.SHIFT, Keys.ENTER, Keys.NULL, "and again", Keys.ENTER)
    site.wait_texts("li", ["hello", "again\nand again"])
    site.find("#d").send_keys("third", Keys.ENTER)
    site.wait_texts("li", ["hello", "again\nand again", "third"])
    site.wait(lambda: value(site, "#d") == "", "the field to be empty")


def test_input_04_over_a_slow_line(fleet, browse):
    site = browse(fleet, delay=SLOW)
    open_page(site, "case_input_04_enter/Composer/")
    site.find("#c").send_keys("hello", Keys.ENTER, "more")
    site.wait_texts("li", ["hello"])
    site.wait(lambda: value(site, "#c") == "more", "the rest to stay")
    site.find("#c").send_keys(Keys.ENTER)
    site.wait_texts("li", ["hello", "more"])
    site.wait(lambda: value(site, "#c") == "", "the box to be empty")


def test_input_05_composed_text_is_heard(site):
    open_page(site, "case_input_05_composed/Search/")
    site.click("#t")
    for at in (1, 2, 3):
        text = {"text": "abc"[:at], "selectionStart": at, "selectionEnd": at}
        site.driver.execute_cdp_cmd("Input.imeSetComposition", text)
        site.wait_texts("output", [",".join("abc"[:n] for n in range(1, at + 1))])
        assert value(site, "#t") == "abc"[:at]
    site.driver.execute_cdp_cmd("Input.insertText", {"text": "abc"})
    site.find("#t").send_keys("d")
    site.wait_texts("output", ["a,ab,abc,abcd"])


def test_input_07_when_the_field_is_left(site):
    open_page(site, "case_input_07_blur/Draft/")
    for letter in "hello":
        site.find("#t").send_keys(letter)
    site.click("#other")
    site.wait_texts("output", ["hello"])


def test_input_09_which_control_it_was(site):
    open_page(site, "case_input_09_field/Field/")
    site.find("#e").send_keys("x", Keys.TAB)
    site.wait_texts("output", ["email x email"])
    ActionChains(site.driver).click(site.find("#k")).send_keys("q").perform()
    site.wait_texts("output", ["k q KeyQ"])


def test_input_10_a_script_that_a_patch_brings_does_not_run(site):
    open_page(site, "case_input_10_script/Late/")
    site.click("#go")
    site.wait_texts("p", ["1"])
    site.click("#go")
    site.wait_texts("p", ["2"])
    assert site.run("return [window.early, window.late, document.scripts.length]")[:2] == [1, None]
