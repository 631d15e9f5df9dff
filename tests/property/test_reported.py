"""Pages that were reported, in Chromium: rendered from each state in turn, the page is what a fresh parse of Django's
own HTML would be. A row is a template and its states; jsdom has not what these are about.
"""

import json
import re
from itertools import cycle

import pytest
from browser import CLIENT
from case import Case
from equivalence import Counts, check

AB = [{"c": "a"}, {"c": "b"}, {"c": "<div>"}, {"c": "a"}]
DIVS = [{"c": ("safe", f"<div>{text}</div>")} for text in ("a", "b")]
TICKS = [{"a": a, "b": b} for a, b in ((0, 1), (1, 1), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1))]
RADIO = "<input type=radio name=r{% if a %} checked{% endif %}><input type=radio name=r{% if b %} checked{% endif %}>"
CHOICES = [{"rows": rows} for rows in ([1, 2], [2, 1], [1], [1, 3, 2], [3], [3, 1])]
RADIOS = "{% for x in rows %}<input type=radio name=r dj-key={{ x }} checked>{% endfor %}"

# name: (template, states)
PAGES = {
    "a field that is called firstChild": (
        '<form><b title="{{ c }}">x</b><input name="firstChild"></form>',
        AB,
    ),
    "a field that is called matches": ('<form><b title="{{ c }}">x</b><input name="matches"></form>', AB),
    "a field that is called attributes, in whole roots": (
        '<p>{{ c|safe }}<form class="a"><input name="attributes"><i>{{ c }}</i></form>',
        DIVS,
    ),
    "a field that is called attributes, of a form with slots": (
        '<form class="{{ c }}"><input name="attributes"><i>{{ c }}</i></form>',
        AB,
    ),
    "two radio buttons": (RADIO, TICKS),
    "two radio buttons of a form": (f"<form>{RADIO}</form>", TICKS),
    "radio buttons of two forms": (f"<form>{RADIO}</form><form><input type=radio name=r checked></form>", TICKS),
    "two radio buttons in a region": ("{{ a|yesno:'<i>,<b>'|safe }}" + RADIO, TICKS),
    "rows with ticked radio buttons": (RADIOS, CHOICES),
    "rows with ticked radio buttons, and one before them": (f"<input type=radio name=r checked>{RADIOS}", CHOICES),
    "a branch with a ticked radio button": (
        "{% if a %}<input type=radio name=r checked>{% endif %}<input type=radio name=r{% if b %} checked{% endif %}>",
        TICKS,
    ),
    "radio buttons without a name": (RADIO.replace("name=r", ""), TICKS),
    "several selected options": (
        "<select><option{% if a %} selected{% endif %}>1<option{% if b %} selected{% endif %}>2<option>3</select>",
        TICKS,
    ),
    "another type": (
        "<input type={{ a }} value='{{ b }}'>",
        [{"a": a, "b": b} for a, b in (("text", "x"), ("number", "x"), ("number", "5"), ("text", "y"), ("color", "y"))],
    ),
    "a progress bar": ("<progress max={{ a }} value={{ b }}></progress>", [{"a": 1, "b": 2}, {"a": 3, "b": 2}]),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page(chromium, name):
    template, states = PAGES[name]
    run(chromium, template, states)


def run(chromium, template, states, lost=False, root="main"):
    """Brings a page through its states. lost: its socket goes before each."""
    source = f"<!doctype html><body><{root} dj-root class='{{{{ c }}}}'>{template}</{root}></body>"
    losses = [False, *[lost] * (len(states) - 1)]
    counts = Counts()
    check(Case({"main.html": source}, states, [False] * len(states), losses, kind="fragment"), chromium, counts)
    assert not [name for name in counts.all if name.startswith(("asked: whole", "asked: give up"))]


# Names that shadow members of their form, or of the document: every one that a browser or our own code could ask for.

NAMES = """
const names = new Set()
for (const start of [document.createElement('form'), document]) {
  for (let at = start; at; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
}
return [...names]
"""
FIELDS = [
    "<input {} value=1>",
    "<fieldset {}></fieldset>",
    "<output {}>1</output>",
    "<object {}></object>",
    "<img {} alt=''>",
    "<button {}>1</button>",
    "<select {}><option>1</select>",
    "<textarea {}>1</textarea>",
    "<input type=radio {} checked>",
]
ON_DOCUMENT = ["<img {} alt=''>", "<form {}></form>", "<object {}></object>", "<iframe {}></iframe>", "<embed {}>"]
CHANGES = [
    {"c": c, "flag": flag, "rows": rows, "html": ("safe", html)}
    for c, flag, rows, html in (
        ("a", False, [1, 2], "<i>x</i>"),
        ("b", True, [2, 1, 3], "<form><input name=nextSibling><b>x</b></form>"),
        ("b", True, [3], "<form><input name=nextSibling><b>y</b><input name=remove></form><p>y</p>"),
        ("", False, [], ""),
        ("c", True, [5], "<table><tr><td>x"),
    )
]
INSIDE = """<b title="{{ c }}">{{ c }}</b>{% if flag %}<p>{{ c }}</p>{% endif %}<textarea>{{ c }}</textarea>
{% for x in rows %}<li dj-key="{{ x }}">{{ x }}</li>{% endfor %}{% for x in rows %}<u>{{ x }}</u>{% endfor %}"""
WAYS = {"patches": ("", False), "regions and whole roots": ("{{ html }}", False), "joins": ("{{ html }}", True)}


@pytest.fixture(scope="module")
def names(chromium):
    ours = {name for file in CLIENT.glob("*.js") for name in re.findall(r"(?<=\.)[a-zA-Z]\w+", file.read_text())}
    theirs = chromium.driver.execute_script(NAMES)
    return sorted(name for name in {*ours, *theirs} if re.fullmatch(r"[a-zA-Z]\w*", name))


@pytest.mark.parametrize("attribute", ["name", "id"])
@pytest.mark.parametrize("way", WAYS)
def test_no_field_shadows_its_form(chromium, names, attribute, way):
    pairs = zip(names, cycle(FIELDS), strict=False)
    fields = "".join(field.format(f"{attribute}={name}") for name, field in pairs)
    more, lost = WAYS[way]
    form = f'<form class="{{{{ c }}}}" dj-submit="go" dj-change="go">{fields}{INSIDE}{more}</form>{{{{ c }}}}'
    run(chromium, f"{more}{form}{{% if flag %}}{form}{{% endif %}}", CHANGES, lost)
    run(chromium, fields + INSIDE + more, CHANGES, lost, root="form")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_shadows_the_document(chromium, names, way):
    pieces = (piece.format(f"name={name} id={name}") for name, piece in zip(names, cycle(ON_DOCUMENT), strict=False))
    more, lost = WAYS[way]
    run(chromium, "".join(pieces) + INSIDE + more, CHANGES, lost)


DONE = [
    ("form", ["submit"], "submit"),
    ("form", ["change"], "change"),
    ("form", ["click"], "click"),
    ("form", ["focusin"], "focus"),
    ("form", ["keydown"], "keydown"),
    ("form i", ["click"], "click"),
    ("form i", ["keydown"], "keydown"),
    ("form input", ["change"], "change"),
    ("form input", ["focusin"], "focus"),
    ("form input", ["focusout"], "blur"),
    ("form textarea", ["change"], "change"),
    ("label", ["change"], None),
]
ATTRIBUTES = " ".join(f'dj-{name}="{name}"' for name in ("submit", "change", "click", "focus", "blur", "keydown"))


@pytest.mark.parametrize("attribute", ["name", "id"])
def test_events_of_a_form_come_through(chromium, names, attribute):
    fields = "".join(f"<input {attribute}={name} value=1>" for name in names)
    page = f"<!doctype html><main dj-root data-troupe=t><form {ATTRIBUTES} data-a=1 tabindex=0>{fields}<i>x</i>"
    page += "<textarea></textarea></form><label>x</label></main>"
    assert chromium.order(open=page, cached=False)["error"] is None
    joined = {"t": "joined", "n": 0, "views": [{"v": "a", "i": 0, "s": 1, "token": "t"}]}
    assert chromium.order(say=[json.dumps(joined)], expect=page, title=False)["error"] is None
    for selector, types, handler in DONE:
        told = chromium.order(act=selector, types=types)
        assert told["error"] is None and not told["said"]
        sent = [frame["e"] for frame in told["sent"] if frame["t"] == "event"]
        assert sent == ([handler] if handler else []), selector
        for frame in told["sent"]:
            answer = {"v": 0, "s": 1, "a": frame["n"]}
            assert frame["p"].get("a") == "1"
            assert chromium.order(say=[json.dumps(answer)], expect=page, title=False)["error"] is None
