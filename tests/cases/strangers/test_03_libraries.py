"""Widgets of libraries in a live page: they stand and work after patches beside them, whole roots and a new join."""

import pytest

HERE = "case_03_libraries/"
TEXTS = ".map((each) => each.textContent)"
SELECTED = f"return [...document.querySelectorAll('.select2-selection__rendered')]{TEXTS}"
ITEMS = "return [...document.querySelectorAll('.ts-control .item')].map((each) => each.textContent)"
ALPINE = "return [[...document.querySelectorAll('[x-data] h1, [x-data] p')].map((each) => each.textContent).join()]"
EDITORS = "return document.querySelectorAll('.tox-tinymce').length == 1 && tinymce.get('w')?.initialized"
PARTS = "return document.querySelectorAll('.part').length"
BEFORE = "document.getElementById(id)?.previousElementSibling?.id ?? id"
BY_HAND = f"return ['icon', 'box', 'banner', 'last'].map((id) => {BEFORE})"
# name: what is asked of the page, and what it says as long as the widget is there
STANDS = {
    "select2": (SELECTED, ["a"]),
    "tom-select": (ITEMS, ["a"]),
    "flatpickr": ("return [w.type, w.nextElementSibling?.type]", ["hidden", "text"]),
    "alpine": (ALPINE, ["mine,x,y"]),
    "chart": ("return Chart.getChart('w')?.canvas.isConnected && w.style.display == 'block'", True),
    "tinymce": (EDITORS, True),
    "htmx": (PARTS, 1),
    "turbo": (PARTS, 1),
    "by hand": (BY_HAND, ["w", "icon", "banner", ""]),
}


def use(site, name):
    """What the user does with the widget."""
    if name == "select2":
        site.run("$('#w').select2('open')")
        site.find(".select2-results__option:not([aria-selected=true])").click()
        site.wait_texts("output", ["b"])
        assert site.run(SELECTED) == ["b"]
    elif name == "tom-select":
        site.run("w.tomselect.open()")
        site.click(".ts-dropdown [data-value=b]")
        site.wait_texts("output", ["b"])
        assert site.run(ITEMS) == ["b"]
    elif name == "flatpickr":
        site.run("w._flatpickr.setDate('2026-02-03', true)")
        site.wait_texts("output", ["2026-02-03"])
        assert site.run("return w._flatpickr.altInput.value") == "3.2.2026"
    elif name == "alpine":
        site.click("#w")
        assert site.run(ALPINE) == ["x,y"]
        site.click("#w")
        assert site.run(ALPINE) == ["mine,x,y"]
    elif name == "tinymce":
        site.run("tinymce.get('w').setContent('<p>new</p>')")
        assert site.run("return tinymce.get('w').getBody().textContent") == "new"
    elif name == "htmx":
        site.click("#w")
        site.wait(lambda: site.run("return document.querySelectorAll('#to .part').length") == 1, "the part")


@pytest.mark.parametrize("view", ["Page", "Whole"])
@pytest.mark.parametrize("name", STANDS)
def test_a_widget_stays_and_works(site, name, view):
    question, answer = STANDS[name]

    def shows(n):
        """The server's values are where they belong; the widget is there."""
        site.wait_texts(f"h1[title='{n}'], p.k{n}, p.k{n} + b", [str(n)] * (3 if n else 2))
        assert site.texts("ul:not([class],[id]) > li:not([class],[id])") == [str(each) for each in rows(n)]
        assert site.texts("div > h1 + p")[:1] == ([str(n)] if n else [])
        assert site.run(question) == answer

    site.open(f"{HERE}{view}/?widget={name.replace(' ', '%20')}")
    site.wait(site.connected, "the page to join")
    site.wait(lambda: site.run(question) == answer, "the widget")
    shows(0)
    for n, button in enumerate(("#inc", "#whole", "#inc", "#inc", "#whole", "#whole"), 1):
        site.click(button)
        shows(n)
        if n == 4:
            site.run("for (const type of ['pagehide', 'pageshow']) window.dispatchEvent(new Event(type))")
    use(site, name)
    site.click("#inc")
    site.wait_texts("h1[title='7']", ["7"])


def rows(n):
    """The rows after n events."""
    found = [1, 2]
    for each in range(1, n + 1):
        found = [*found[1:], found[0], each + 2]
    return found
