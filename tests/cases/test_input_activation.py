"""What a click, Enter or a submit is for; what a form sends."""

from selenium.webdriver.common.keys import Keys


def open_page(site, path):
    site.open(path)
    site.wait(site.connected, "the page to join")


def test_10_a_group_of_checkboxes_is_a_list(site):
    open_page(site, "case_10_one_checkbox/Pizza/")
    expected = {"toppings": [], "sauces": [], "only": [], "agree": False}

    def sends(**changed):
        expected.update(changed)
        site.click("#go")
        site.wait_texts("output", [repr(dict(sorted(expected.items())))])

    sends()
    site.click("[value=ham]")
    sends(toppings=["ham"])  # the form is empty again
    site.click("[value=ham]")
    site.click("[value=corn]")
    site.click("[value=one]")
    site.click("[name=agree]")
    site.click("[name=sauces] option")
    sends(toppings=["ham", "corn"], only=["one"], agree=True, sauces=["hot"])


def test_14_an_int_is_exact_or_refused(fleet, browse):
    site = browse(fleet)
    open_page(site, "case_14_int_parameter/Ids/")
    exact, *others = site.all("button")
    exact.click()
    site.wait_texts("output", ["1234567890123456789"])
    for other in others:
        other.click()
        site.wait(lambda: site.all(".troupe-note"), "the page to say that it was refused")
        site.run("document.querySelector('.troupe-note').remove()")
        assert site.texts("output") == ["1234567890123456789"]
    site.errors()


def test_28_enter_presses_no_button_with_dj_click(site):
    open_page(site, "case_28_enter/Tags/")
    site.find("#tag").send_keys("three", Keys.ENTER)
    texts = "return document.querySelector('form').innerText.match(/one|two|three/g).join()"
    site.wait(lambda: site.run(texts) == "one,two,three", "the third tag")
    assert site.find("#tag").get_property("value") == ""
    site.click("form button")
    site.wait(lambda: site.run(texts) == "two,three", "the first one to go")
    site.run("document.querySelector('form button').focus()")
    site.driver.switch_to.active_element.send_keys(Keys.SPACE)
    site.wait(lambda: site.run(texts) == "three", "the second one to go")


def test_36_a_custom_element_is_a_control(site):
    open_page(site, "case_36_custom_element/Custom/")
    inside = "return document.querySelector(arguments[0]).shadowRoot.firstChild"
    site.run(inside, "#x").send_keys("Oslo")
    site.wait_texts("output", ["city Oslo"])
    site.run(inside, "#y").send_keys("Bergen")
    site.click("#go")
    site.wait_texts("b", ["Bergen"])
    site.wait(lambda: site.run(inside + ".value", "#y") == "", "the field to be emptied")


def test_41_a_file_is_refused_and_nothing_lost(fleet, browse, tmp_path):
    site = browse(fleet)
    open_page(site, "case_41_file/Upload/")
    file = tmp_path / "doc.txt"
    file.write_text("x")
    site.find("[name=title]").send_keys("t")
    site.find("[name=doc]").send_keys(str(file))
    site.click("#go")
    site.wait_texts(".troupe-note", ["Files cannot be sent."])
    assert site.errors()
    assert site.texts("output") == ["-"]
    assert site.find("[name=title]").get_property("value") == "t"
    assert site.find("[name=doc]").get_property("value").endswith("doc.txt")
    site.run("document.querySelector('[name=doc]').value = ''")
    site.click("#go")
    site.wait_texts("output", ["{'title': 't'}"])
