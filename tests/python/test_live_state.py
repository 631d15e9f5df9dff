"""What a turn of a live page evaluates: no more than what changed, and all of that."""

import datetime
import decimal
import operator
import types
import uuid

import pytest
from django.test import RequestFactory
from django.utils.safestring import SafeString

pytest.importorskip("troupe._native")
from live_page import Page, Shown, cost, native, of_list, without_anchors  # noqa: E402

MOMENT = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


class Counted:
    """Counts how often it is looked at; no plain value."""

    def __init__(self):
        self.seen = 0

    def __str__(self):
        self.seen += 1
        return "counted"


def test_what_did_not_change_is_not_evaluated():
    page = Page("<main dj-root>{{ c }}<b>{{ n }}</b>{% if n %}<i>{{ k }}</i>{% endif %}</main>", c=Counted(), n=1, k=1)
    before = page.view.data["c"].seen
    ops = native.figures()["ops"]
    assert page.changes() == {}
    assert page.view.data["c"].seen == before + 1  # who knows what it says now
    assert native.figures()["ops"] - ops <= 2
    assert page.view.asked == 2


def test_one_row_of_many_costs_one_row():
    template = "<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.a }}<b>{{ r.b }}</b></li>{% endfor %}</ul>"
    page = Page(template, rows=[{"id": i, "a": i, "b": i} for i in range(500)])
    assert cost(page) == 0
    page.view.data["rows"][250]["b"] = "new"
    assert cost(page) < 10
    page.view.data["rows"].insert(0, {"id": "x", "a": 1, "b": 2})
    assert cost(page) < 20


PLAIN = [
    *(None, True, False, 0, 1, -1, 2**62, 2**70, -(2**70), 1.0, 0.0, -0.0, float("inf")),
    *("", "a", "é", "€", "🎭", "a" * 600, "b" * 600, SafeString("a"), SafeString("é"), b"a", b""),
    *([], (), {}, [1], (1,), [[1]], [[], 1], [1, [2]], [[1], 2], ["ab", "c"], ["a", "bc"]),
    *({"a": 1}, {"b": 1}, {1: "a"}, {None: 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    *({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}),
    *(datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29), datetime.time(1, 2)),
    datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
    datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    datetime.datetime(2024, 10, 27, 2, 30),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1),
    *(datetime.timedelta(1), datetime.timedelta(0, 1)),
    *(decimal.Decimal("1"), decimal.Decimal("1.0"), decimal.Decimal("NaN")),
    *(uuid.UUID(int=5), uuid.UUID(int=2**61 + 4), uuid.UUID(int=5 + 2**64)),
]


def test_a_change_of_plain_data_is_seen_and_the_same_value_is_not():
    """All these show the same: nothing. What a turn evaluates tells what it took for changed."""
    page = Page("<main dj-root>{{ x.y.z }}</main>", x=object())
    for before in PLAIN:
        page.changes(x=before)
        assert cost(page) == 0, before
        for after in PLAIN:
            if after is before:
                continue
            assert cost(page, x=after) > 0, (before, after)
            assert cost(page, x=before) > 0, (after, before)


class Odd(dict):
    pass


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def loop():
    value = []
    value.append(value)
    return value


def wide():
    value = ["x" * 100] * 10
    for _ in range(20):
        value = [value] * 10
    return value


OPAQUE = [object(), Odd(), deep(100), loop(), {1, 2}, [Odd()], range(3), wide()]


@pytest.mark.parametrize("value", OPAQUE, ids=lambda value: type(value).__name__)
def test_what_is_not_plain_counts_as_changed(value):
    page = Page("<main dj-root>{% if x %}a{% endif %}</main>", x=value)
    assert cost(page) > 0 and page.changes() == {}


CHANGES = [
    lambda row: row.__setitem__("n", "B"),
    lambda row: row.update(n="B"),
    lambda row: row.__ior__({"n": "B"}),
    lambda row: (row.pop("n"), row.setdefault("n", "B")),
    lambda row: (row.clear(), row.update(id=2, n="B")),
    lambda row: (row.popitem(), row.__setitem__("n", "B")),
    lambda row: dict.__init__(row, n="B"),
    lambda row: operator.setitem(row, "n", "B"),
    lambda row: vars(types.SimpleNamespace(row=row))["row"].update([("n", "B")]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_changes_in_place(change):
    template = "<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.n }}{{ r.tags.0 }}</li>{% endfor %}</ul>"
    page = Page(template, rows=[{"id": i, "n": "a"} for i in range(5)])
    for _ in range(3):
        assert page.changes() == {}
    change(page.view.data["rows"][2])
    assert of_list(page.changes()) == {"r": {"2": {"2": "B"}}}
    assert page.changes() == {}
    page.view.data["rows"][3] = {"id": 3, "n": "new"}
    assert of_list(page.changes()) == {"r": {"3": {"2": "new"}}}
    del page.view.data["rows"][0]
    assert of_list(page.changes()) == {"-": ["0"]}


def test_a_row_that_holds_what_can_change():
    template = "<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.tags.0 }}{{ r.d.k.0 }}</li>{% endfor %}</ul>"
    page = Page(template, rows=[{"id": i, "tags": ["a"], "d": {"k": ("b",)}, "t": ([],)} for i in range(3)])
    assert page.changes() == page.changes() == {}
    page.view.data["rows"][1]["tags"][0] = "x"
    assert of_list(page.changes()) == {"r": {"1": {"2": "xb"}}}
    page.view.data["rows"][2]["d"]["k"] = "y"
    assert of_list(page.changes()) == {"r": {"2": {"2": "ay"}}}
    assert page.changes() == {}


def test_a_row_that_holds_a_dict():
    template = "<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.d.k }}</li>{% endfor %}</ul>"
    page = Page(template, rows=[{"id": i, "d": {"k": "a"}} for i in range(3)])
    assert page.changes() == page.changes() == {}
    page.view.data["rows"][1]["d"]["k"] = "b"
    assert of_list(page.changes()) == {"r": {"1": {"2": "b"}}}


def test_a_row_that_holds_an_object():
    template = "<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.o.n }}</li>{% endfor %}</ul>"
    objects = [types.SimpleNamespace(n=n) for n in range(3)]
    page = Page(template, rows=[{"id": n, "o": item} for n, item in enumerate(objects)])
    assert page.changes() == page.changes() == {}
    objects[1].n = "b"
    assert of_list(page.changes()) == {"r": {"1": {"2": "b"}}}


def test_a_row_that_is_not_plain_is_looked_at_again():
    page = Page("<ul dj-root>{% for r in rows %}<li id='{{ r.id }}'>{{ r.n }}</li>{% endfor %}</ul>", rows=[])

    class Row:
        def __init__(self, id, n):
            self.id, self.n = id, n

    data = [Row(1, "a"), {"id": 2, "n": "b"}, Row(3, "c")]
    page.changes(rows=data)
    data[2].n = "C"
    assert of_list(page.changes()) == {"r": {"3": {"2": "C"}}}


def test_generators_are_evaluated_once_a_turn():
    made = []

    class Fresh(Shown):
        def get_context_data(self):
            made.append(0)
            return {"xs": (x for x in self.data["xs"]), "a": self.data["a"]}

    page = Page("<main dj-root>{% for x in xs %}<b>{{ x }}</b>{% endfor %}{{ a }}</main>", xs=["1", "2"], a="a")
    page.view.__class__ = Fresh
    page.refresh()
    made.clear()
    assert page.changes(xs=["1", "3"]) == {"1": {"r": {"1": {"1": "3"}}}}
    assert len(made) == 1
    frame = page.turn(a=SafeString("</main>"))  # rendered again as a whole: with fresh generators
    assert without_anchors(frame["d"]["0"]["h"]).startswith("<main dj-root><b>1</b><b>3</b></main>")


def test_a_large_change_of_a_generator_is_no_reason_to_ask_it_again():
    page = Page("<main dj-root>{% for x in xs %}<b>{{ x }}</b>{% endfor %}</main>", xs=[])
    page.refresh()
    assert "0" not in page.changes(xs=(x for x in ["y" * 40] * 20))
    assert page.view.asked == 3


def test_what_is_left_alone_must_not_reach_beyond_itself():
    page = Page("<main dj-root><div dj-update='ignore'>{{ a|safe }}</div>{{ b }}</main>", a="<i>1</i>", b=1)
    assert "chunks" in page.joined
    page = Page("<main dj-root><div dj-update='ignore'>{{ a|safe }}</div>{{ b }}</main>", a="<i>", b=1)
    assert "chunks" not in page.joined


def test_a_newline_behind_pre():
    page = Page("<main dj-root><pre>\n{{ a }}</pre></main>", a=SafeString("<i>1</i>"))
    assert page.html == "<main dj-root><pre>\n<!--$t--><i>1</i><!--$--></pre></main>"


def test_positions_in_a_loop():
    template = (
        "<ul dj-root>{% for x in xs %}<li dj-key='{{ x }}'>{{ forloop.counter }}{% if forloop.last %} last{% endif %}"
        "</li>{% endfor %}</ul>"
    )
    page = Page(template, xs=["a", "b", "c"])
    value = of_list(page.changes(xs=["b", "c"]))
    assert value["-"] == ["a"]
    assert value["r"] == {"b": {"2": "1"}, "c": {"2": "2 last"}}
    assert of_list(page.changes(xs=["b", "c", "d"]))["r"] == {"c": {"2": "2"}}


def test_positions_of_rows_that_move():
    template = "<ul dj-root>{% for x in xs %}<li id='{{ x }}'>{{ forloop.counter }}</li>{% endfor %}</ul>"
    page = Page(template, xs=["a", "b", "c"])
    value = of_list(page.changes(xs=["c", "b", "a"]))
    assert value["r"] == {"c": {"2": "1"}, "a": {"2": "3"}}
    assert of_list(page.changes(xs=["b", "a"]))["r"] == {"b": {"2": "1"}, "a": {"2": "2"}}


def test_positions_of_the_rows_around():
    inner = "{% for y in x.ys %}<b>{{ forloop.parentloop.counter }}{{ y }}</b>{% endfor %}"
    page = Page("<ul dj-root>{% for x in xs %}<li id='{{ x.id }}'>" + inner + "</li>{% endfor %}</ul>", xs=[])
    xs = [{"id": 1, "ys": ["p", "q"]}, {"id": 2, "ys": ["r"]}]
    page.changes(xs=xs)
    value = of_list(page.changes(xs=xs[1:]))
    assert value["-"] == ["1"] and value["r"] == {"2": {"2": {"r": {"0": {"1": "1r"}}}}}


def test_outer_values_in_rows_of_rows():
    inner = "{% for y in x.ys %}<b>{{ y }}{{ a }}</b>{% endfor %}"
    page = Page("<ul dj-root>{% for x in xs %}<li id='{{ x.id }}'>" + inner + "</li>{% endfor %}</ul>", xs=[], a=1)
    page.changes(xs=[{"id": 1, "ys": ["p", "q"]}, {"id": 2, "ys": ["r"]}])
    assert cost(page) == 0
    rows = {"1": {"2": {"r": {"0": {"1": "p2"}, "1": {"1": "q2"}}}}, "2": {"2": {"r": {"0": {"1": "r2"}}}}}
    assert of_list(page.changes(a=2)) == {"r": rows}
    page.view.data["xs"][0]["ys"][1] = "Q"
    assert of_list(page.changes()) == {"r": {"1": {"2": {"r": {"1": {"1": "Q2"}}}}}}


def test_rows_that_are_not_one_element():
    page = Page("<p dj-root>{% for x in xs %}<b>{{ x }}</b>{{ x }}{% endfor %}</p>", xs=["a", "b"])
    assert page.html == "<p dj-root><!--$p1--><!--$,--><b>a</b>a<!--$,--><b>b</b>b<!--$--></p>"
    assert of_list(page.changes(xs=["a", "c"])) == {"r": {"1": {"1": "c", "2": "c"}}}


def test_language_and_time_zone():
    page = Page("<main dj-root>{{ t|date:'F' }} {{ t|time:'H:i' }}<b>{{ a }}</b></main>", t=MOMENT, a=1)
    assert page.html == "<main dj-root>February 13:00<b>1</b></main>"
    page.view.request = RequestFactory().get("/")
    page.view.request._troupe_language = "de"
    assert page.changes() == {"1": "Februar 13:00"}
    page.view.request._troupe_time_zone = "Asia/Tokyo"
    assert page.changes() == {"1": "Februar 21:00"}
    page.view.request = None
    assert page.changes(a=2) == {"1": "February 13:00", "2": "2"}


def test_keys_of_another_language():
    page = Page("<ul dj-root>{% for x in xs %}<li id=\"{{ x|date:'F' }}\">a</li>{% endfor %}</ul>", xs=[MOMENT])
    page.view.request = RequestFactory().get("/")
    page.view.request._troupe_language = "de"
    value = of_list(page.changes())
    assert value["-"] == ["February"] and value["m"] == [["Februar", None, {"1": "Februar"}]]
