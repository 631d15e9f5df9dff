"""Case 02: nodes that other scripts put into the page, before the join and after. See sites/case_02_strangers."""

import pytest

SITE = "case_02_strangers"
THEIRS = "return document.querySelectorAll(arguments[0]).length"


@pytest.fixture
def page(site):
    """A function that opens a page of the site, joined."""

    def open_page(name):
        site.open(f"{SITE}/{name}/")
        site.wait(site.connected, "the socket")
        return site

    return open_page


def increase(page, **texts):
    """Clicks once; then the elements of these ids have these texts."""
    page.click("#inc")
    for name, text in texts.items():
        page.wait_texts(f"#{name}", [text])


def whole_roots(page):
    """How often the page said that it had to start over."""
    return [entry["message"] for entry in page.driver.get_log("browser") if "troupe:" in entry["message"]]


def test_a_banner_in_front(page):
    page = page("Ads")
    increase(page, balance="1")
    increase(page, balance="2", other="42", banner="Cookies?")
    assert page.texts("body > div") == ["", "Cookies?", "2", "", "42"]
    assert not whole_roots(page)


def test_icons_behind_fields_and_copies_of_a_template(page):
    page = page("Fields")
    increase(page, balance="1", server="1")
    assert page.texts("[data-lastpass-icon-root]") == [""]
    assert page.run("return document.querySelectorAll('[data-lastpass-icon-root].error').length") == 0
    assert page.texts("p") == ["y", "x", "1", "b1", "", "c1", "a1", "r11"]
    assert not whole_roots(page)


def test_document_write(page):
    page = page("Written")
    increase(page, balance="1", inside="1", last="1")
    increase(page, balance="2")
    assert page.texts("p.theirs") == ["one", "two"] and page.run(THEIRS, "section.theirs #inside") == 1
    assert page.texts("li") == ["b2", "c2", "a2", "r12", "r22"]
    assert not whole_roots(page)


def test_a_table_that_was_sorted_and_wrapped(page):
    page = page("Table")
    increase(page, balance="1")
    assert page.texts("#wrapper tr") == ["name", "", "a1", "r11", "b1", "c1"]  # behind the one that it followed
    assert page.run("return document.querySelector('#wrapper').textContent.includes('Showing 3')")
    assert not whole_roots(page)


def test_custom_elements_and_a_dialog_that_was_moved(page):
    page = page("Elements")
    increase(page, balance="1", second="1", inside="1", new="1")
    assert page.run(THEIRS, "p.theirs") == 2 and page.run(THEIRS, "body > #dialog") == 1
    increase(page, balance="2", second="2", new="2")
    assert page.run(THEIRS, "p.theirs") == 2 and page.run(THEIRS, "#dialog") == 0
    assert not whole_roots(page)


def test_others_change_the_page_after_the_join(page):
    page = page("Ads")
    page.run("document.querySelector('#balance').before(document.createElement('div'))")
    page.run("const wrapper = document.createElement('span'); document.body.append(wrapper); wrapper.append(balance)")
    increase(page, balance="1")
    assert page.run(THEIRS, "span > #balance") == 1
    assert not whole_roots(page)
