"""Live turns in which user code, or a browser, does what nobody expects."""

import datetime
import gc

import pytest
from django.utils import timezone
from django.utils.safestring import SafeString

pytest.importorskip("troupe._native")
from live_page import VIEW, Page, Shown, of_django, of_list, without_anchors  # noqa: E402

from troupe import wire  # noqa: E402
from troupe.template import plan  # noqa: E402


class Emptying:
    """A row that takes all rows away while it is unpacked."""

    rows = []

    def __init__(self, n):
        self.n = n

    def __len__(self):
        Emptying.rows.clear()
        gc.collect()
        self.junk = [bytearray(64) for _ in range(100)]
        return 2

    def __iter__(self):
        return iter((self.n, 2))


def test_a_row_that_takes_itself_out_of_its_list():
    template = "<ul dj-root>{% for a, b in rows %}<li>{{ a }}</li>{% endfor %}</ul>"
    for _ in range(10):
        Emptying.rows[:] = [Emptying(n) for n in range(5)]
        page = Page(template, rows=Emptying.rows)
        Emptying.rows[:] = [Emptying(n) for n in range(5)]
        assert without_anchors(page.html) == of_django(template, rows=Emptying.rows) == "<ul dj-root><li>0</li></ul>"


def test_a_row_whose_key_takes_it_out_of_its_list():
    template = "<ul dj-root>{% for a, b in rows %}<li id='{{ a }}'>{{ a }}</li>{% endfor %}</ul>"
    for _ in range(10):
        Emptying.rows[:] = [Emptying(n) for n in range(5)]
        page = Page(template, rows=Emptying.rows)
        assert without_anchors(page.html) == "<ul dj-root></ul>"  # the look at the first key took them all


class Popping:
    """A row that takes the last one away each time it is shown."""

    def __init__(self, rows, n):
        self.rows, self.n = rows, n

    def __str__(self):
        self.rows.pop()
        return f"row {self.n}"


def popping(count):
    rows = []
    rows.extend(Popping(rows, n) for n in range(count))
    return rows


def test_a_list_that_shrinks_while_it_is_shown():
    template = "<main dj-root><ul>{% for x in xs %}<li>{{ x }}</li>{% endfor %}</ul><p>{{ n }}</p></main>"
    page = Page(template, xs=popping(4), n=1)
    assert without_anchors(page.html) == of_django(template, xs=popping(4), n=1)
    assert "chunks" not in page.joined
    frame = page.turn(xs=[1, 2], n=2)  # what the page has is not known: all of it
    assert without_anchors(frame["d"]["0"]["h"]) == of_django(template, xs=[1, 2], n=2) and frame["k"]
    assert list(page.changes(n=3).values()) == ["3"]
    changes = page.changes(xs=popping(8))  # in a turn of patches: shown again, of what was left
    assert without_anchors(changes["0"]["h"]) == of_django(template, xs=popping(4), n=3)
    assert list(changes) == ["0"]


class Name(str):
    """A zone's name with code of its own."""

    repr_ran = 0

    def __repr__(self):
        Name.repr_ran += 1
        return "'name'"


class Hour(datetime.timedelta):
    def __repr__(self):
        Name.repr_ran += 1
        return "hour"


@pytest.mark.parametrize(
    "zone",
    [
        datetime.timezone(datetime.timedelta(hours=1), Name("x")),
        datetime.timezone(Hour(hours=1)),
        datetime.timezone(Hour(hours=1), "x"),
    ],
)
def test_hashing_runs_no_code_of_a_time_zone(zone):
    moments = [datetime.datetime(2020, 1, 1, tzinfo=zone)]
    page = Page("<p>{{ r|length }}</p>", r={"a": moments, "b": moments})
    Name.repr_ran = 0
    assert page.changes() == {}
    assert Name.repr_ran == 0


def test_fixed_zones_that_differ():
    page = Page("<main dj-root>{{ x.tzinfo }}</main>", x=None)
    zones = [datetime.timezone(datetime.timedelta(hours=h), *name) for h in (1, 2) for name in ((), ("a",), ("b",))]
    for zone in zones:
        assert page.changes(x=datetime.datetime(2020, 1, 1, tzinfo=zone)) == {"1": str(zone)}
        assert page.changes() == {}


def test_dicts_in_dicts_with_keys_that_are_no_text():
    """Hashed once, or given up when the budget is used up; hashed twice at each level this would not end."""
    data = {"x": 1}
    for _ in range(20):
        data = {"a": data, "b": data, 1: 0}
    page = Page("<p dj-root>{{ d|length }}{{ n }}</p>", d=data, n=1)
    assert page.changes(n=2) == {"1": "32"}


def test_mixed_keys_are_told_apart():
    page = Page("<p dj-root>{{ d.a }}{{ d.b }}</p>", d={"a": 1, 1: 0})
    assert page.changes() == {}
    assert page.changes(d={"b": 1, 1: 0}) == {}
    assert page.changes(d={"a": 2, 1: 0}) == {"1": "2"}


class Counting:
    """No plain value; counts who looks."""

    looks = 0

    @property
    def next(self):
        self.looks += 1
        return self.looks


def test_a_large_change_beside_an_object_is_rendered_once():
    counting = Counting()
    page = Page("<main dj-root>{{ c.next }}{% for x in xs %}<p>{{ x }}</p>{% endfor %}</main>", c=counting, xs=[])
    assert "0" not in page.changes(xs=["z" * 2000])
    counting.looks = page.view.asked = 0
    assert "0" not in page.changes(xs=["y" * 2000])
    assert (counting.looks, page.view.asked) == (1, 1)


def test_a_large_change_of_plain_data_is_sent_as_the_root():
    page = Page("<main dj-root>{% for x in xs %}<p>{{ x }}</p>{% endfor %}</main>", xs=[])
    assert "0" in page.changes(xs=["z" * 2000])


@pytest.mark.parametrize("wrap", [lambda xs: xs, lambda xs: {"xs": xs}, lambda xs: [[xs]], lambda xs: (xs,)])
def test_a_generator_that_is_used_up_before_a_patch_did_not_fit(wrap):
    expression = {dict: "g.xs", list: "g.0.0", tuple: "g.0"}.get(type(wrap(iter(()))), "g")
    template = f"<main dj-root>{{% for x in {expression} %}}<i>{{{{ x }}}}</i>{{% endfor %}}<p>{{{{ s }}}}</p></main>"
    page = Page(template, g=wrap(x for x in "ab"), s="")
    page.view.asked = 0
    frame = page.turn(g=wrap(x for x in "cd"), s=SafeString("</p>"))
    assert frame["d"]["0"]["h"] == "<main dj-root><i>c</i><i>d</i><p></p></p></main>" and "k" not in frame
    assert page.view.asked == 1
    assert "0" in page.changes(g=wrap(x for x in "ef"), s="")
    assert len(of_list(page.changes(g=wrap(x for x in "gf"), s=""))["r"]) == 1  # and patches again


ZONES = [datetime.timezone(datetime.timedelta(hours=2), name) for name in ("CEST", "EET")]


class InZone(Shown):
    def get_context_data(self):
        timezone.activate(self.zone)
        return dict(self.data)


def test_a_time_zone_of_another_name():
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    page = Page("<p>{{ d|date:'T' }}</p>", d=moment)
    page.view.__class__, page.view.zone = InZone, ZONES[0]
    assert ZONES[0] == ZONES[1]
    assert "CEST" in str(page.changes())
    page.view.zone = ZONES[1]
    assert "EET" in str(page.changes())
    page.view.zone = datetime.timezone(datetime.timedelta(hours=2), "EET")
    assert page.changes() == {}


class Boom:
    def __str__(self):
        raise ValueError("boom")


BRANCH = "<main dj-root>{% if admin %}<b title='secret'>{{ k }}</b>{% endif %}<p>{{ z }}</p></main>"


def test_a_branch_that_was_never_shown_has_no_chunk():
    page = Page(BRANCH, admin=False, k=1, z=1)
    page.view.data.update(admin=True, z=Boom())
    assert page.event()[0] == wire.FAILED
    frame = page.turn(admin=False, z=1)
    assert len(frame["k"]) == 1 and "secret" not in str(frame)
    frame = page.turn(admin=True)
    [(known, chunk)] = frame["c"]
    assert frame["d"]["1"]["b"] == 1 and "secret" in chunk["h"]
    assert page.refresh(chunks=[known])["c"] == [[known, chunk]]


def test_a_branch_of_an_answer_that_was_too_large_has_no_chunk():
    page = Page(BRANCH, admin=False, k=1, z=1)
    page.view.data.update(admin=True, k="\x01" * (4 << 20))  # six bytes each, as JSON
    assert page.event()[0] == wire.FAILED
    assert len(page.turn(admin=False, k=1)["k"]) == 1


class Fickle:
    """Is there at its first look only, and then does not fit."""

    def __init__(self):
        self.looks = 0

    def __bool__(self):
        self.looks += 1
        return self.looks == 1


def test_a_branch_of_a_try_that_was_given_up_has_no_chunk():
    page = Page(BRANCH, admin=False, k=1, z=1)
    frame = page.turn(admin=Fickle(), z=SafeString("</p>"))
    assert "secret" not in str(frame) and "k" not in frame
    frame = page.turn(admin=False, z=1)
    assert len(frame["k"]) == 1


def test_a_chunk_that_is_asked_for_many_times_is_sent_once():
    page = Page("<main dj-root>{% if a %}<b>" + "x" * 5000 + "{{ x }}</b>{% endif %}</main>", a=1, x=1)
    known = page.joined["chunks"]
    assert [each for each, _ in page.refresh(chunks=[known[1]] * 200 + [known[0], known[1]])["c"]] == known[::-1]


def test_what_is_left_alone_stays_alone_when_html_is_asked_for():
    page = Page(
        "<main dj-root>{% if a %}<div dj-update='ignore'>{{ b }}</div><p>{{ b }}</p>{% endif %}</main>", a=1, b=1
    )
    page.view.data["b"] = 2
    page.number += 1
    body = {"view": VIEW, "name": "nothing", "params": {}}
    _, done = page.ask(wire.EVENT, body, wire.HTML, page.number)
    assert b"<div dj-update='ignore'>2</div><p>2</p>" in done["html"]
    assert done["patch"] == b'{"1":{"2":"2"}}'


LEAF_QUIET = 1 << 30  # worker/py/live/plan.h
IMPURE = 1 << 63
SETS = "<div dj-update='ignore'>{% firstof x as z %}{{ z }}</div><p>{{ z }}</p>"


@pytest.fixture
def quiet_leaves(monkeypatch):
    """Plans in which every leaf that is told once is one that sets variables."""

    def quiet(inside):
        if isinstance(inside, dict):
            return {**inside, "items": quiet(inside["items"])} if "items" in inside else inside
        if not isinstance(inside, (list, tuple)):
            return inside
        if inside and inside[0] == "leaf":
            kind, slot, letter, flags, mask, ops = inside
            return (kind, slot, letter, flags | (LEAF_QUIET if mask in (0, IMPURE) else 0), mask, ops)
        return type(inside)(map(quiet, inside))

    def compiled(*args):
        page = compile_page(*args)
        return {**page, "block": quiet(page["block"])}

    compile_page = plan.compile_page
    monkeypatch.setattr(plan, "compile_page", compiled)


def test_what_is_left_alone_but_sets_variables(quiet_leaves):
    page = Page("<main dj-root>{% if x %}" + SETS + "{% endif %}</main>", x=1)
    assert page.changes(x=2) == {"1": {"2": "2"}}
    assert page.changes() == {}
    assert page.changes(x=0) == {"1": {"b": None}}
    assert page.changes(x=3) == {"1": {"b": 1, "1": {"h": "3"}, "2": "3"}}


def test_rows_with_what_is_left_alone_but_sets_variables(quiet_leaves):
    page = Page("<main dj-root>{% for x in xs %}<div>" + SETS + "</div>{% endfor %}</main>", xs=[1])
    assert of_list(page.changes(xs=[2])) == {"r": {"0": {"2": "2"}}}
    assert of_list(page.changes(xs=[2, 3])) == {"b": 1, "m": [["1", "0", {"1": {"h": "3"}, "2": "3"}]]}
