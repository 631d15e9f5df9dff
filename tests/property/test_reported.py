"""Pages that were reported, in Chromium: rendered from each state in turn, the page is what a fresh parse of Django's
own HTML would be. A row is a template and its states; jsdom has not what these are about.
"""

import pytest
from case import Case
from equivalence import Counts, check

TICKS = [{"a": a, "b": b} for a, b in ((0, 1), (1, 1), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1))]
RADIO = "<input type=radio name=r{% if a %} checked{% endif %}><input type=radio name=r{% if b %} checked{% endif %}>"
CHOICES = [{"rows": rows} for rows in ([1, 2], [2, 1], [1], [1, 3, 2], [3], [3, 1])]
RADIOS = "{% for x in rows %}<input type=radio name=r dj-key={{ x }} checked>{% endfor %}"

# name: (template, states)
PAGES = {
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
