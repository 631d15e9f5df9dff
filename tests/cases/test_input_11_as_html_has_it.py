"""Dialogs, buttons that send forms elsewhere, popovers, resets, editors: as HTML has it, beside their events."""

import pytest
from selenium.webdriver.common.keys import Keys

SITE = "input_11_as_html_has_it"


@pytest.fixture
def page(site):
    def open_page(name="Noted"):
        site.open(f"{SITE}/{name}/")
        site.wait(site.connected, "the page to join")
        return site

    return open_page


def noted(site, *wanted):
    site.wait_texts("li", list(wanted))


def test_a_form_closes_its_dialog(page):
    site = page()
    site.run("document.querySelector('#d').showModal()")
    site.find("#d input").send_keys("x")
    site.click("#ok")
    noted(site, "a='x' how='yes'")
    assert site.run("const d = document.querySelector('#d'); return [d.open, d.returnValue]") == [False, "yes"]
    site.run("document.querySelector('#e').showModal()")
    site.click("#cancel")
    assert not site.run("return document.querySelector('#e').open")
    site.click("#opens")
    noted(site, "a='x' how='yes'", "at='outside'")


def test_a_button_sends_its_form_elsewhere(page):
    site = page()
    site.find("textarea").send_keys("two\nlines")
    site.click("#save")
    noted(site, r"text='two\r\nlines'")  # as request.POST has it
    site.click("#export")
    site.wait(lambda: "/ordinary/?" in site.driver.current_url, "the other address")
    assert site.driver.current_url.endswith("/ordinary/?text=&do=export")


def test_a_button_opens_a_popover_and_a_link_a_tab(page):
    site = page()
    site.click("#opens")
    site.click("#inside")
    noted(site, "at='outside'", "at='inside'")
    site.run("document.querySelector('#p').hidePopover()")
    before = site.driver.current_window_handle
    site.click("#tab")
    noted(site, "at='outside'", "at='inside'", "at='link'")
    (other,) = set(site.driver.window_handles) - {before}
    site.driver.switch_to.window(other)
    site.driver.close()
    site.driver.switch_to.window(before)


def test_a_reset_is_told(page):
    site = page()
    site.find("[name=q]").send_keys("x")
    site.click("#reset")
    noted(site, "q='x'", "q=''")


def test_a_custom_element_without_a_value(page):
    site = page()
    site.run("document.querySelector('x-secret').pick('Oslo')")
    noted(site, "value='Oslo'")


def test_what_is_typed_before_the_script_is_there(fleet, browse):
    site = browse(fleet)
    # Before the modules run.
    early = (
        "new MutationObserver((_, observer) => { const el = document.querySelector('#early')\n"
        "if (el) { el.value = 'early'; observer.disconnect() } }).observe(document, { childList: true, subtree: true })"
    )
    script = site.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": early})
    try:
        site.open(f"{SITE}/Noted/")
        noted(site, "value='early'")
    finally:
        site.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert not site.errors()


def test_an_editor_keeps_its_markup(page):
    site = page("Rich")
    html = "return document.querySelector(arguments[0]).innerHTML.replace(/<!--.*?-->/g, '')"
    box = site.find("#html")
    box.send_keys(Keys.END, " two ", Keys.CONTROL, "b", Keys.NULL, "bold")
    wanted = "<i>one two <b>bold</b></i>"
    site.wait_texts("output", [wanted])
    assert site.run(html, "#html") == wanted
    site.click("#underline")
    wanted = "<i>one two <u>bold</u></i>"
    site.wait(lambda: site.run(html, "#html") == wanted, "the server's own markup")


def test_an_editor_whose_text_is_kept_keeps_its_look(page):
    site = page("Rich")
    box = site.find("#text")
    box.send_keys(Keys.END, Keys.CONTROL, "b", Keys.NULL, "bold")
    site.wait_texts("main > b", ["plainbold"])
    assert "<b>" in site.run("return document.querySelector('#text').innerHTML")
    draft = site.find("#draft")
    draft.send_keys(Keys.END, " mine")
    for n in ("1", "2"):
        site.click("#count")
        site.wait_texts("#n", [n])
    assert draft.text == "draft mine"


def test_an_editor_is_emptied_by_enter(page):
    site = page("Rich")
    box = site.find("#say")
    box.send_keys("hello", Keys.ENTER)
    site.wait_texts("p", ["hello"])
    site.wait(lambda: box.text == "", "the box to be empty")
    box.send_keys("again", Keys.ENTER)
    site.wait_texts("p", ["hello", "again"])


def test_fields_that_are_called_like_members_of_elements(page):
    site = page("Named")
    names = [button.text for button in site.all("button")]
    assert len(names) > 10
    for count, name in enumerate(names, 1):
        field = site.find(f"form [name={name}]")
        field.send_keys("v", Keys.ENTER)  # two keys, a change, a submit
        site.wait(lambda count=count: len(site.texts("li")) == 4 * count, f"{name} to be sent")
        site.wait(lambda field=field: field.get_property("value") == "", f"{name} to be emptied")
