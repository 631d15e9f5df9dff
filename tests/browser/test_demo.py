"""A person clicks through the demo: every page does in a real browser what it says it does."""

import pytest
from selenium.webdriver.common.keys import Keys

PAGES = [
    "counter/", "todo/", "table/", "guestbook/", "survive/", "seed/", "twice/", "clock/", "burn/", "sleep/",
]  # fmt: skip
MORE, LESS, RESET = "button[aria-label='One more']", "button[aria-label='One less']", "button.quiet"


def test_the_index_leads_to_every_page(site):
    site.open()
    paths = site.run("return [...document.querySelectorAll('a.card')].map(a => a.getAttribute('href'))")
    assert paths == [f"/{page}" for page in PAGES]
    for path in paths:
        site.open()
        site.click(f"a.card[href='{path}']")
        heading = site.wait(lambda: site.all("main h1"), "the page's heading")[0]
        assert heading.is_displayed()
        assert site.find("nav a[aria-current=page]").get_attribute("href").endswith(path)


def test_a_click_becomes_a_patch(site):
    site.open("counter/")
    site.wait_texts("output", ["0"])
    site.run("window.kept = document.querySelector('output')")
    site.click(MORE)
    site.wait_texts("output", ["1"])
    site.click(MORE)
    site.click(MORE)
    site.wait_texts("output", ["3"])
    site.click(LESS)
    site.wait_texts("output", ["2"])
    site.click(RESET)
    site.wait_texts("output", ["0"])
    assert site.run("return window.kept === document.querySelector('output')"), "the element was replaced"


def test_a_new_visit_is_a_new_view(site):
    site.open("counter/")
    site.click(MORE)
    site.wait_texts("output", ["1"])
    site.open("counter/")
    site.wait_texts("output", ["0"])


def test_a_sent_form_empties_and_keeps_the_focus(site):
    site.open("todo/")
    field = site.find("#text")
    field.send_keys("Light <b>the</b> stage & go", Keys.ENTER)
    site.wait(lambda: len(site.texts(".tasks li")) == 4, "the fourth task")
    assert site.texts(".tasks li span")[-1] == "Light <b>the</b> stage & go"
    site.wait(lambda: field.get_property("value") == "", "the field to be empty")
    assert site.run("return document.activeElement.id") == "text"
    assert site.texts(".status") == ["3 of 4 left to do"]


def test_tasks_are_done_filtered_and_deleted(site):
    site.open("todo/")
    site.click(".tasks li:nth-child(2) input")
    site.wait_texts(".tasks li.done span", ["Learn the lines", "Find the props"])
    site.click("[dj-value-which=open]")
    site.wait_texts(".tasks li span", ["Sweep the stage"])
    site.click("[dj-value-which=done]")
    site.wait_texts(".tasks li span", ["Learn the lines", "Find the props"])
    assert [box.is_selected() for box in site.all(".tasks input")] == [True, True]
    site.click(".tasks li:first-child button")
    site.wait_texts(".tasks li span", ["Find the props"])
    site.click("[dj-value-which=all]")
    site.wait_texts(".tasks li span", ["Find the props", "Sweep the stage"])
    assert [box.is_selected() for box in site.all(".tasks input")] == [True, False]


def test_typing_keeps_the_focus_and_the_caret(site):
    site.open("todo/")
    site.find("#search").send_keys("the")
    site.find("#text").send_keys("half a thought")
    search = site.find("#search")
    search.send_keys(" s", Keys.LEFT, "prop")
    site.wait_texts(".tasks li span", ["Find the props"])
    caret = "const e = document.activeElement; return [e.id, e.value, e.selectionStart]"
    assert site.run(caret) == ["search", "the props", len("the prop")]
    assert site.find("#text").get_property("value") == "half a thought"


def test_one_row_of_a_thousand_changes(site):
    site.open("table/")
    rows = "return [...document.querySelectorAll('tbody tr')].map(row => row.textContent)"
    before = site.run(rows)
    assert len(before) == 1000
    site.run(
        "document.querySelector('.scroll').scrollTop = 4000;window.kept = [...document.querySelectorAll('tbody tr')]"
    )
    site.click(".primary")
    site.wait(lambda: "1 change so far" in site.texts(".status")[0], "the change")
    after = site.run(rows)
    changed = [number for number, (old, new) in enumerate(zip(before, after, strict=True), 1) if old != new]
    assert changed == [int(site.find("tr.changed td").get_property("textContent"))]
    assert f"(row {changed[0]})" in site.texts(".status")[0]
    assert site.run("return document.querySelector('.scroll').scrollTop") == 4000
    same = "return [...document.querySelectorAll('tbody tr')].every((row, n) => row === window.kept[n])"
    assert site.run(same), "rows were made anew"


def test_a_row_is_clicked(site):
    site.open("table/")
    site.click("[dj-value-row='7']")
    site.wait_texts("tr.changed td:nth-child(3)", ["1"])
    site.click("[dj-value-row='7']")
    site.wait_texts("tr.changed td:nth-child(3)", ["2"])
    assert site.texts("tr.changed th") == ["A7"]


def test_the_seeds_view_counts(site):
    site.open("seed/")
    site.wait_texts(".seed [dj-root] > div", ["0"])
    site.click(".seed button")
    site.wait_texts(".seed [dj-root] > div", ["1"])


def test_two_views_of_one_class_are_apart(site):
    site.open("twice/")
    site.wait_texts("output", ["0", "100"])
    site.click(f"#second {MORE}")
    site.wait_texts("output", ["0", "101"])
    site.click(f"#first {MORE}")
    site.wait_texts("output", ["1", "101"])
    site.click(f"#second {RESET}")
    site.wait_texts("output", ["1", "100"])


# What shows in the frame's counter and in the busy view, in the order in which it came to be shown.
WATCH = """
window.order = [];
const watch = (root, css, name) => new root.defaultView.MutationObserver(() => {
  const text = name + root.querySelector(css).textContent.trim();
  if (window.order.at(-1) !== text) window.order.push(text);
}).observe(root.body, {subtree: true, childList: true, characterData: true});
watch(document, arguments[0], 'busy ');
watch(document.querySelector('iframe').contentDocument, 'output', 'counter ');
"""

# Keeps one page busy, and clicks in the frame as soon as it shows the click before: by the page's own clock, since a
# driver may take longer for three clicks than a page is busy.
CLICK = """
document.querySelector(arguments[0]).click();
const frame = document.querySelector('iframe').contentDocument;
const more = frame.querySelector(arguments[1]);
const count = () => Number(frame.querySelector('output').textContent);
let clicked = count();
new frame.defaultView.MutationObserver(() => {
  if (count() > clicked && count() < 4) {
    clicked = count();
    more.click();
  }
}).observe(frame.body, {subtree: true, childList: true, characterData: true});
more.click();
"""


@pytest.mark.parametrize(
    ("path", "button", "figure"),
    [
        ("burn/", "[dj-click=burn]", "#finished"),
        ("sleep/", "[dj-click=wait]", "#waits"),
        ("sleep/", "[dj-click=wait_async]", "#awaits"),
    ],
    ids=["burn", "sleep", "await"],
)
def test_a_busy_page_holds_up_no_other(site, path, button, figure):
    site.open(path)
    site.click("[dj-value-seconds='3']")
    site.wait_texts("[aria-pressed=true]", ["3"])
    frame = site.find("iframe")
    site.driver.switch_to.frame(frame)
    site.wait_texts("output", ["0"])
    site.click(MORE)  # so that its socket is open before anything is busy
    site.wait_texts("output", ["1"])
    site.driver.switch_to.default_content()
    site.run(WATCH, figure)
    site.run(CLICK, button, MORE)
    site.wait_texts(figure, ["1"])
    site.wait(lambda: len(site.run("return window.order")) >= 4, "every change")
    shown = [text for text in site.run("return window.order") if text != "busy 0"]
    assert shown == ["counter 2", "counter 3", "counter 4", "busy 1"]


LOOK = """
const style = (css) => getComputedStyle(document.querySelector(css));
return {
  rules: document.styleSheets[0].cssRules.length,
  paper: style('body').backgroundColor,
  ink: style('h1').color,
  soft: style('.intro p').color,
  font: style('body').fontFamily,
  heading: parseFloat(style('h1').fontSize),
  text: parseFloat(style('body').fontSize),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  nameless: [...document.querySelectorAll('button, input:not([type=hidden]), iframe')].filter(e => !(
    e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.labels?.length)).length,
}
"""


def brightness(color):
    """Relative luminance (WCAG) of a computed color, "rgb(r, g, b)"."""
    parts = [int(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio (WCAG) of two computed colors: 1 to 21."""
    dark, light = sorted([brightness(one), brightness(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", ["", *PAGES], ids=lambda path: path.strip("/") or "index")
def test_the_page_looks_cared_for(site, path, tmp_path):
    shots, papers = {}, {}
    for scheme in ("light", "dark"):
        for width in (1100, 390):
            site.color_scheme(scheme)
            site.width(width)
            site.open(path)
            look = site.run(LOOK)
            assert look["rules"] > 30
            assert contrast(look["paper"], look["ink"]) > 7
            assert contrast(look["paper"], look["soft"]) > 4.5
            assert "system-ui" in look["font"]
            assert look["heading"] > 1.5 * look["text"]
            assert look["wide"] <= 0, f"scrolls sideways at {width} pixels"
            assert look["nameless"] == 0, "a control without a name"
            name = tmp_path / f"{path.strip('/') or 'index'}-{scheme}-{width}.png"
            assert site.driver.save_screenshot(str(name))
            shots[scheme, width] = name.read_bytes()
        papers[scheme] = look["paper"]
    assert brightness(papers["light"]) > 0.8 > 0.05 > brightness(papers["dark"])
    assert len(set(shots.values())) == len(shots), "two screenshots are the same"


def test_without_javascript_the_page_reads_well(site):
    site.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        site.open("todo/")
        assert [task.text for task in site.all(".tasks span")][1] == "Find the props"
        site.click(".segments button:last-child")
        assert len(site.all(".tasks span")) == 3
    finally:
        site.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
