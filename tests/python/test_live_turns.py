"""Turns of live pages through troupe._native: what is sent, and that it is what Django renders."""

import gc
import json
import weakref

import pytest
from django.template.backends.django import DjangoTemplates
from django.utils.safestring import SafeString

from troupe import wire
from troupe.runtime import template_cache

pytest.importorskip("troupe._native")
from live_page import TABLE, Page, of_django, of_list, rows, without_anchors  # noqa: E402

# What is sent


def test_one_text_of_a_page():
    page = Page("<main dj-root>{{ a }} and <b>{{ b }}</b></main>", a=1, b=2)
    assert page.html == "<main dj-root>1 and <b>2</b></main>"
    assert page.joined["number"] == 0 and len(page.joined["chunks"]) == 1
    assert page.turn(b=3) == {"v": 0, "s": 2, "a": 1, "d": {"2": "3"}}
    assert page.turn() == {"v": 0, "s": 2, "a": 2}
    assert page.changes(a="<&>") == {"1": "<&> and "}


def test_one_cell_of_a_table():
    page = Page(TABLE, rows=rows("a", "b", "c"), total=1)
    data = rows("a", "B", "c")
    assert of_list(page.changes(rows=data)) == {"r": {"r1": {"2": "B"}}}
    data[2]["on"] = True  # the same list, changed in place
    assert of_list(page.changes()) == {"r": {"r2": {"3": "on"}}}
    assert of_list(page.changes(total=2)) == {"r": {f"r{i}": {"4": "2"} for i in range(3)}}


def test_rows_come_go_and_move():
    page = Page(TABLE, rows=rows("a", "b", "c"), total=1)
    data = page.view.data["rows"]
    frame = page.turn(rows=[data[2], {"id": 7, "name": "new", "on": True}, data[0]])
    value = of_list(frame["d"])
    assert value["-"] == ["r1"] and "r" not in value and "c" not in frame
    assert value["m"][0][:2] == ["r2", None] and value["m"][1][:2] == ["r7", "r2"]
    assert value["m"][1][2] == {"1": "r7", "2": "new", "3": "on", "4": "1"}
    assert len(value["m"]) == 2


def test_two_rows_with_one_key_are_known_by_position():
    page = Page(TABLE, rows=rows("a", "b"), total=1)
    value = of_list(page.changes(rows=[*rows("a"), *rows("x")]))
    assert value["x"] == "p"
    assert of_list(page.changes(rows=[*rows("a"), *rows("y")])) == {"r": {"1": {"2": "y"}}}
    assert of_list(page.changes(rows=rows("a", "y")))["x"] == "l"


def test_a_list_without_rows():
    page = Page(
        "<ul dj-root>{% for x in xs %}<li>{{ x }}</li>{% empty %}<li>{{ none }}</li>{% endfor %}</ul>", xs=[], none=1
    )
    assert "<!--$e1--><li>1</li><!--$-->" in page.html
    assert of_list(page.changes(none=2)) == {"e": {"1": "2"}}
    frame = page.turn(xs=["a"])
    assert len(frame["c"]) == 1 and of_list(frame["d"])["m"] == [["0", None, {"1": "a"}]]
    assert of_list(page.changes(xs=[]))["e"] == {"b": 1, "1": "2"}


def test_a_branch_that_is_not_shown_is_not_sent():
    page = Page("<main dj-root>{% if admin %}<b>secret {{ key }}</b>{% endif %}</main>", admin=False, key="k")
    assert "secret" not in page.html and len(page.joined["chunks"]) == 1
    frame = page.refresh(chunks=["whatever"])
    assert "c" not in frame
    frame = page.turn(admin=True)
    [[name, chunk]] = frame["c"]
    assert chunk["h"] == "<b></b>" and of_list(frame["d"]) == {"b": 1, "1": "secret k"}
    assert page.refresh(chunks=[name])["c"] == [[name, chunk]]
    assert of_list(page.changes(admin=False)) == {"b": None}


def test_everything_is_sent_when_that_is_shorter():
    page = Page("<main dj-root>{% for x in xs %}<b>{{ x }}</b>{% endfor %}</main>", xs=["x" * 40] * 20)
    frame = page.turn(xs=["y" * 40] * 20)
    assert list(frame["d"]) == ["0"] and len(frame["k"]) == 2
    assert without_anchors(frame["d"]["0"]["h"]) == of_django(page.view.template_string, **page.view.data)
    assert of_list(page.changes(xs=["y" * 40] * 19 + ["z"])) == {"r": {"19": {"1": "z"}}}


def test_markup_in_a_value():
    page = Page("<main dj-root><div>{{ a }}</div></main>", a="x")
    assert page.changes(a=SafeString("<i>1</i>")) == {"1": {"h": "<i>1</i>"}}
    frame = page.turn(a=SafeString("</div><i>"))  # it does not fit: the whole root, which nobody can adopt
    assert list(frame["d"]) == ["0"] and "k" not in frame
    frame = page.turn(a="y")
    assert list(frame["d"]) == ["0"] and "k" in frame
    assert page.changes(a="z") == {"1": "z"}


def test_the_title_is_told_with_a_whole_root():
    page = Page("<html><head><title>{{ t }}</title></head><body><p dj-root>{{ a }}</p></body></html>", t="1", a="2")
    assert page.changes(t="one") == {"1": "one"}
    assert page.refresh()["d"]["T"] == "one"
    frame = page.turn(a=SafeString("</p>"), t="two")
    assert frame["d"]["T"] == "two" and list(frame["d"]) == ["0", "T"]
    assert page.changes(t="three &amp; &eacute;")["T"] == "three &amp; &eacute;"
    assert page.changes(t="three")["T"] == "three"  # whole roots only, and the title alone changed


def test_a_page_that_cannot_be_adopted_stays_whole():
    page = Page("<main dj-root>{{ a }}{% if a %}<b></b>{% endif %}</main>", a=1)
    assert "$b" in page.html
    frame = page.refresh(whole=True)
    assert "k" not in frame and frame["d"] == {"0": {"h": "<main dj-root>1<b></b></main>"}}
    assert page.changes(a=2) == {"0": {"h": "<main dj-root>2<b></b></main>"}}
    assert page.changes() == {}


def test_html_is_what_django_renders():
    page = Page(TABLE, rows=rows("a", "<b>"), total=1.5)
    page.view.data["rows"][0]["name"] = "<!--$b3-->"
    kind, done = page.event(wire.HTML)
    assert done["html"].decode() == of_django(TABLE, **page.view.data)
    assert of_list(json.loads(done["patch"])) == {"r": {"r0": {"2": "<!--$b3-->"}}}
    kind, done = page.event(wire.HTML | wire.BROWSER)
    assert "patch" not in done and "d" not in json.loads(done["frame"])


def test_a_template_without_a_root_is_wrapped():
    page = Page("<p>{{ a }}</p>{{ b }}", a=1, b=2)
    assert page.html == "<div dj-root><p>1</p>2</div>"
    assert page.changes(a=3, b=4) == {"1": "3", "2": "4"}


def test_a_root_that_no_plan_saw():
    page = Page("{{ before|safe }}<main dj-root>{{ a }}</main>", before="", a=1)
    assert "chunks" in page.joined
    frame = page.refresh()
    assert "k" in frame
    page = Page("<p>{{ a|safe }}</p>", a="<b dj-root></b>")
    assert "chunks" not in page.joined


def test_lone_surrogates_and_nul():
    page = Page("<main dj-root title='{{ a }}'>{{ a }}</main>", a="x")
    assert page.changes(a="\ud800y\0") == {"1": "\ufffdy\ufffd", "2": "\ufffdy"}
    assert "\ufffd" in page.refresh()["d"]["0"]["h"]


# What goes wrong


class Bad:
    def __getattr__(self, name):
        raise ValueError("no " + name)


def test_a_template_that_fails_costs_the_page_one_whole_root():
    page = Page("<main dj-root>{{ n }}{% if n %}<b>{{ x.y }}</b>{% endif %}</main>", n=1, x=None)
    page.view.data.update(n=2, x=Bad())
    kind, failed = page.event()
    assert kind == wire.FAILED and failed["kind"] == "template" and failed["type"] == "ValueError", failed
    assert failed["message"] == "Error in template of shop.Shown: no y"
    frame = page.turn(x={"y": 1})
    assert without_anchors(frame["d"]["0"]["h"]) == "<main dj-root>2<b>1</b></main>" and "k" in frame
    assert page.changes(n=3) == {"1": "3"}


def test_a_plan_that_cannot_be_made_breaks_no_page(monkeypatch, caplog):
    from troupe.template import plan

    def fails(template, context):
        raise KeyError("a bug of ours")

    monkeypatch.setattr(plan, "compile_page", fails)
    page = Page("<main dj-root>{{ a }}{# no plan #}</main>", a=1)
    assert "chunks" not in page.joined and page.html == "<main dj-root>1</main>"
    assert page.changes(a=2) == {"0": {"h": "<main dj-root>2</main>"}}
    assert [record.getMessage() for record in caplog.records] == ['event=no_plan template="(a string)"']
    caplog.clear()


def test_a_plan_that_is_not_as_agreed_breaks_no_page(monkeypatch, caplog):
    from troupe.template import plan

    for number, block in enumerate([None, {}, {"items": [("what",)]}, {"items": [("leaf", 1)]}]):
        made = {"roots": ("a",), "block": block, "wrapped": False, "templates": (), "variant": ()}
        monkeypatch.setattr(plan, "compile_page", lambda template, context, made=made: made)
        page = Page("<main dj-root>{{ a }}{# wrong " + str(number) + " #}</main>", a=1)
        assert page.html == "<main dj-root>1</main>" and "chunks" not in page.joined
    assert len(caplog.records) == 4
    caplog.clear()


def test_nothing_is_kept_of_a_view_that_is_gone():
    page = Page(TABLE, rows=rows("a"), total=1)
    page.changes(total=2)
    view = weakref.ref(page.view)
    page.view.data["page"] = page  # a cycle through the view's own data
    page.session.close()
    del page
    gc.collect()
    assert view() is None


def test_templates_with_their_plans_are_collected():
    page = Page("<main dj-root>{{ a }}{# to be forgotten #}</main>", a=1)
    template = weakref.ref(template_cache.from_source(page.view.template_string).template)
    plan = template()._troupe_plans[0]
    assert plan.details["templates"] == ()
    page.session.close()
    del page, plan
    template_cache._by_source.clear()
    gc.collect()
    assert template() is None


VARYING = {
    "a.html": "<main dj-root>a {% block b %}{% endblock %}</main>",
    "b.html": "<main dj-root>b <i>{% block b %}{% endblock %}</i></main>",
    "c.html": "{% extends base %}{% block b %}{{ n }}{% endblock %}",
}


def test_template_names_that_vary():
    loaders = [("django.template.loaders.locmem.Loader", VARYING)]
    backend = DjangoTemplates({"NAME": "varying", "DIRS": [], "APP_DIRS": False, "OPTIONS": {"loaders": loaders}})
    template = backend.get_template("c.html")
    page = Page("", base="a.html", n=1)
    template_cache._by_source["{# varying #}"] = template
    page.view.template_string = "{# varying #}"
    assert page.refresh()["d"]["0"]["h"] == "<main dj-root>a 1</main>"
    assert page.changes(n=2) == {"1": "a 2"}
    frame = page.turn(base="b.html")  # another plan
    assert frame["d"]["0"]["h"] == "<main dj-root>b <i>2</i></main>"
    assert [frame["c"][0][0]] == frame["k"]  # the page cannot have it
    assert page.changes(n=3) == {"1": "3"}
    frame = page.turn(base="a.html", n=4)
    assert frame["d"]["0"]["h"] == "<main dj-root>a 4</main>"
    assert len(template.template._troupe_plans) == 2


class Fails:
    """Raises when it is shown, once told to."""

    def __init__(self, fail=False):
        self.fail = fail

    def __str__(self):
        if self.fail:
            raise ValueError("cannot be shown")
        return "shown"


def test_an_exception_behind_a_value_that_does_not_fit_is_the_one_reported():
    source = "<main dj-root>{{ a|safe }}<p>{{ b }}</p></main>"
    with pytest.raises(AssertionError, match="'message': 'Error in template of shop.Shown: cannot be shown'"):
        Page(source, a="<b>not closed", b=Fails(fail=True))
    value = Fails()
    page = Page(source, a="x", b=value)
    value.fail = True
    for call in (lambda: page.turn(a="<b>not closed"), page.refresh):
        with pytest.raises(AssertionError, match="cannot be shown"):
            call()
