"""Values that come to a slot by a way that is easily overlooked: none may stay behind.

After each change of the context there is a turn, and then one that evaluates everything (it asks for HTML): if that
one finds something to send, the first had left it out.
"""

import datetime
import json

import pytest

pytest.importorskip("troupe._native")
from live_page import Page, of_django  # noqa: E402

from troupe import wire  # noqa: E402

ONE, TWO = {"id": 1, "name": "tea"}, {"id": 2, "name": "milk"}
MAY = datetime.datetime(2024, 5, 1)
EQUAL = [{"n": 1}, {"n": 1}]

CASES = {
    "with in a row": (
        "{% for x in xs %}{% with i=x.product %}<li id='{{ i.id }}'>{{ i.name }}</li>{% endwith %}{% endfor %}",
        [
            {"xs": [{"id": 1, "product": TWO}, {"id": 2, "product": ONE}]},
            {"xs": [{"id": 1, "product": TWO}, {"id": 2, "product": {"id": 1, "name": "TEA"}}]},
        ],
    ),
    "with of a key": (
        "{% for x in xs %}{% with k=x.id %}<li id='r{{ k }}'>{{ x.name }}</li>{% endwith %}{% endfor %}",
        [{"xs": [ONE, TWO]}, {"xs": [TWO, ONE]}, {"xs": [TWO]}],
    ),
    "a name set in a row is its key": (
        "{% for x in xs %}{% firstof x.id as k %}<li id='r{{ k }}'>{{ x.name }}</li>{% endfor %}",
        [{"xs": [ONE, TWO]}, {"xs": [TWO, ONE]}, {"xs": [TWO]}],
    ),
    "a name set in {% empty %}": (
        "<ul>{% for x in xs %}<li>{{ x }}</li>{% empty %}{% firstof a as z %}{% endfor %}</ul><p>{{ z }}</p>",
        [{"xs": [1], "a": "a", "z": 1}, {"xs": [1], "a": "a", "z": 2}, {"xs": [], "a": "a", "z": 2}],
    ),
    "a name set on a condition, inside a tag": (
        "{% spaceless %}{% if a %}{% firstof b as z %}{% endif %}<b>x</b>{% endspaceless %}<p>{{ z }}</p>",
        [{"a": 0, "b": 1, "z": 1}, {"a": 0, "b": 1, "z": 2}, {"a": 1, "b": 1, "z": 2}],
    ),
    "cycle sets upwards": (
        "<ul>{% for x in xs %}{% cycle 'a' 'b' as c silent %}<li>{{ x }}</li>{% endfor %}</ul><p>{{ c }}</p>",
        [{"xs": [1], "c": "r"}, {"xs": [1, 2], "c": "r"}, {"xs": [1, 2, 3], "c": "r"}],
    ),
    "a loop variable called forloop": (
        "<ul>{% for forloop in xs %}<li>{{ forloop }}</li>{% endfor %}</ul>",
        [{"xs": [1, 2]}, {"xs": [1, 3]}],
    ),
    "a root called forloop": (
        "<ul>{% for x in xs %}<li>{{ forloop.parentloop.n }}</li>{% endfor %}</ul>",
        [{"xs": [1], "forloop": {"n": 1}}, {"xs": [1], "forloop": {"n": 2}}],
    ),
    "identity": (
        "<ul>{% for r in xs %}<li>{% if r is sel %}x{% endif %}</li>{% endfor %}</ul>",
        [{"xs": EQUAL, "sel": EQUAL[0]}, {"xs": EQUAL, "sel": EQUAL[1]}],
    ),
    "a distance in time": (
        "<p>{{ when|timesince:other }}</p>",
        [{"when": MAY, "other": MAY.replace(day=day)} for day in (2, 9)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_stays_behind(name):
    template, states = CASES[name]
    template = f"<div dj-root>{template}</div>"
    page = Page(template, **states[0])
    for state in states[1:] + states[:1]:
        page.turn(**state)
        _, done = page.event(wire.BROWSER | wire.HTML)
        assert "d" not in json.loads(done["frame"])
        assert done["html"].decode() == of_django(template, **state)


def test_a_key_is_found_in_the_scopes_of_its_row():
    """The row of item 1 shows product 2: its key is the product's, as it stands in the page."""
    template, states = CASES["with in a row"]
    page = Page(f"<div dj-root>{template}</div>", **states[0])
    (changes,) = page.turn(**states[1])["d"].values()
    assert changes == {"r": {"1": {"2": "TEA"}}}
