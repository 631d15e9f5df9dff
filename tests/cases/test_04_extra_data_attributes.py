"""data-* that no handler takes never reaches one: of Bootstrap, of tests, of extensions in the visitor's browser."""


def test_buttons_controls_and_forms(site):
    site.open("case_04_extra_data_attributes/Counter/")
    site.wait(site.connected, "the page to join")
    site.click("#bs")
    site.wait_texts("output", ["1"])
    site.click("#testid")
    site.wait_texts("output", ["2"])
    site.run("document.querySelector('#dark').setAttribute('data-darkreader-inline-color', '')")
    site.click("#dark")
    site.wait_texts("output", ["3"])
    site.find("#word").send_keys("hello\t")
    site.wait_texts("b", ["hello"])
    site.find("[name=title]").send_keys("a title")
    site.click("#go")
    site.wait_texts("i", ["a title"])
