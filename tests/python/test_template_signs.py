"""Signs of units: what a browser compares its elements with (PROTOCOL.md 9.5)."""

import json
from pathlib import Path

import pytest
from test_template_plan import items, plan

from troupe.template import block_signs

VECTORS = Path(__file__).resolve().parents[2] / "proto" / "vectors" / "signs.json"


@pytest.mark.parametrize(("text", "sign"), json.loads(VECTORS.read_text())["signs"].items())
def test_a_sign(text, sign):
    assert block_signs.sign(text) == sign


def signs(*parents):
    """What `u` must be: for each parent, what is signed of its units."""
    return ",".join("".join(map(block_signs.sign, units)) for units in parents)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("<b>{{ a }}</b>", [["main|"], ["b|"]]),
        ("<b></b><i id=x>{{ a }}</i><!--c--><hr name='y'>", [["main|"], ["b|", "i|id=x", "!", "hr|name=y"]]),
        ("<b id='{{ a }}' name=n></b>", [["main|"], ["b|name=n"]]),
        ("<b id='{{ a }}'></b><i id='&amp;'></i><u id=é></u>", [["main|"], ["b|*", "i|*", "u|*"]]),
        ("<b {{ a }}></b><P></P>", [["main|"], ["b|*", "p|"]]),
        ("{% if a %}<p></p>{% endif %}<p>{{ a }}</p>", [["main|"], ["$b", "p|"]]),
        ("<p><b>{{ a }}</b></p><i>{{ b }}</i>", [["main|"], ["p|", "i|"], ["b|"]]),
        ("<table><tr><td>{{ a }}</table>", [["main|"], ["table|"], ["tbody|"], ["tr|"], ["td|"]]),
    ],
)
def test_the_signs_of_a_page(source, wanted):
    page = plan(f"<main dj-root>{source}</main>")
    assert json.loads(page["block"]["chunk"])["u"] == signs(*wanted)


def test_the_signs_of_a_row():
    page = plan("<main dj-root>{% for r in rows %}<li dj-key='{{ r }}'><b>{{ r }}</b></li>{% endfor %}</main>")
    (row,) = [item[12] for item in items(page["block"], "list")]
    assert json.loads(row["chunk"])["u"] == signs(["li|*"], ["b|"])
