"""One ticked checkbox, two, or none: a Django form is as valid as in an ordinary view."""

import pytest

CLEANED = "{{'toppings': {}, 'extra': {}, 'sizes': {}, 'agree': {}}}"
REQUIRED = '{"toppings": [{"message": "This field is required.", "code": "required"}]}'


@pytest.fixture
def page(site):
    site.open("case_10_forms/Pizza/")
    site.wait(site.connected, "the page to join")

    def send(form, *ticked):
        site.run("document.querySelectorAll('form').forEach(form => form.reset())")
        for css in ticked:
            site.click(f"#{form} {css}")
        site.click(f"#{form} button")

    site.send = send
    return site


def box(name, value):
    return f'[name={name}][value="{value}"]'


def test_fields_by_name(page):
    page.send("save", box("toppings", "ham"))
    page.wait_texts("output", [CLEANED.format(["ham"], [], [], False)])
    page.send("save", box("toppings", "ham"), box("toppings", "corn"), box("extra", "oil"), "[name=agree]")
    page.wait_texts("output", [CLEANED.format(["ham", "corn"], ["oil"], [], True)])
    page.send("save", "[name=sizes] option:nth-child(2)")
    page.wait_texts("output", [REQUIRED])


def test_fields_as_a_post_has_them(page):
    page.send("post", box("toppings", "corn"), "[name=agree]")
    page.wait_texts("output", [f"['corn'] {CLEANED.format(['corn'], [], [], True)}"])
    page.send("post", box("toppings", "corn"), box("toppings", "ham"), "[name=sizes] option:nth-child(1)")
    page.wait_texts("output", [f"['ham', 'corn'] {CLEANED.format(['ham', 'corn'], [], ['s'], False)}"])


def test_fields_by_hints(page):
    page.send("hinted")
    page.wait_texts("output", ["[] False"])
    page.send("hinted", box("toppings", "ham"), "[name=agree]")
    page.wait_texts("output", ["['ham'] True"])
