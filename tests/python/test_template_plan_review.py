"""What a plan depends on in odd corners: turns after which a page must say what Django would.

A turn patches what it takes for changed. A rendering of everything right after it must find nothing to add.
"""

import json

import pytest

pytest.importorskip("troupe._native")

from django.template import Context, Library, engines  # noqa: E402
from live_page import Page, cost, of_django, of_list  # noqa: E402

from troupe import wire  # noqa: E402
from troupe.runtime import template_cache  # noqa: E402
from troupe.template import dependencies, effects, plan  # noqa: E402

register = Library()


@register.simple_tag
def push(values, value):
    values.append(value)
    return ""


@register.simple_tag
def peek(values):
    return ""


@register.simple_tag(takes_context=True)
def set_far(context, name, value):
    context.set_upward(name, value)
    return ""


@pytest.fixture
def tags(monkeypatch):
    builtins = engines["django"].engine.template_builtins
    monkeypatch.setattr(engines["django"].engine, "template_builtins", [*builtins, register])
    template_cache._by_source.clear()
    yield
    template_cache._by_source.clear()


def catches_up(inside, *states):
    """Turns from one state to the next; each state is a dict, or makes one."""
    template = f"<main dj-root>{inside}</main>"
    data = [state if callable(state) else state.copy for state in states]
    page = Page(template, **data[0]())
    assert page.joined["chunks"], "no plan"
    for made in data[1:]:
        page.view.data = made()
        page.turn()
        page.view.data = made()
        kind, done = page.event(wire.HTML)
        assert kind == wire.DONE, done
        assert done["html"].decode() == of_django(template, **made())
        assert json.loads(done.get("patch") or "{}") == {}, "the turn before left something as it was"


def lines(*names):
    """Rows whose own numbers and whose products' are crossed."""
    return [{"id": 9 - at, "product": {"id": at, "name": name}} for at, name in enumerate(names)]


def changed_rows(row, rows, after):
    page = Page(f"<ul dj-root>{{% for line in lines %}}{row}{{% endfor %}}</ul>", lines=rows)
    return of_list(page.changes(lines=after)).get("r", {}), page


LI = "<li id='{{ line.id }}'>{{ line.name }}</li>"


@pytest.mark.parametrize("row", [
    f"{{% with line=line.product %}}{LI}{{% endwith %}}",
    "{% include 'row.html' with line=line.product %}",
    "{% include 'row.html' with line=line.product only %}",
    "{% with p=line.product %}{% with line=p unused=q.r %}" + LI + "{% endwith %}{% endwith %}",
])  # fmt: skip
def test_a_key_is_what_the_row_says_in_its_scopes(row, monkeypatch):
    files = [("django.template.loaders.locmem.Loader", {"row.html": LI})]
    engine = engines["django"].engine
    monkeypatch.setattr(engine, "template_loaders", [engine.find_template_loader(loader) for loader in files])
    template_cache._by_source.clear()
    changes, _ = changed_rows(row, lines("tea", "milk"), lines("TEA", "milk"))
    assert changes == {"0": {"2": "TEA"}}
    changes, page = changed_rows(row, lines("tea"), lines("TEA"))
    assert changes == {"0": {"2": "TEA"}}
    page.view.data["lines"] = lines("TEA", "milk")[::-1]
    assert [move[:2] for move in of_list(page.turn()["d"])["m"]] == [["1", None]]
    template_cache._by_source.clear()


def test_a_key_without_escaping():
    row = "{% autoescape off %}<li id='{{ line.id }}'>{{ line.product.name }}</li>{% endautoescape %}"
    before, after = ([{"id": "a&lt;b", "product": {"name": name}}] for name in "xy")
    assert changed_rows(row, before, after)[0] == {"a<b": {"2": "y"}}


@pytest.mark.parametrize("row", [
    "{% firstof line.product.id as k %}<li id='{{ k }}'>{{ line.product.name }}</li>",
    "{% firstof line.product.id as k %}{% with j=k %}<li id='{{ j }}'>{{ line.product.name }}</li>{% endwith %}",
    "{% with 1 as x %}{% firstof line.id as line %}<li id='{{ line }}'>{{ n }}</li>{% endwith %}",
    "{% include part with x=line only %}",
])  # fmt: skip
def test_no_key_that_is_only_known_in_the_row(row):
    part = engines["django"].from_string("<li id='{{ x.id }}{{ line.id }}'>{{ x.product.name }}</li>").template
    page = Page(f"<ul dj-root>{{% for line in lines %}}{row}{{% endfor %}}</ul>", lines=lines("tea"), part=part)
    assert "<!--$p" in page.html


def test_a_key_beside_a_name_that_is_set():
    row = "{% cycle 'odd' 'even' as c silent %}<li id='{{ line.id }}' class='{{ c }}'>{{ line.product.name }}</li>"
    assert changed_rows(row, lines("tea", "milk"), lines("TEA", "milk"))[0] == {"9": {"3": "TEA"}}


def test_a_name_that_empty_sets_is_gone_behind_it():
    catches_up(
        "{% for x in xs %}<b>{{ x }}</b>{% empty %}<i>{% firstof a as z %}{{ z }}</i>{% endfor %}<p>{{ z }}</p>",
        *({"xs": [1], "a": 1, "z": z} for z in (1, 2)), *({"xs": [], "a": a, "z": 3 + a} for a in (1, 2)),
    )  # fmt: skip


@pytest.mark.parametrize("tag", ["spaceless", "filter upper"])
@pytest.mark.parametrize("inside", [
    "{% if a %}{% firstof b as z %}{% endif %}<i></i>", "{% for x in xs %}{% firstof x as z %}{% endfor %}",
])  # fmt: skip
def test_a_set_in_a_tag_that_is_called_may_not_happen(tag, inside):
    states = [{"a": a, "b": b, "z": z, "xs": [a]} for a, b, z in ((0, 1, 1), (0, 1, 2), (1, 1, 2), (1, 3, 2))]
    catches_up(f"{{% {tag} %}}{inside}{{% end{tag.split()[0]} %}}<p>{{{{ z }}}}</p>", *states)


def test_widthratio_may_leave_its_name_alone():
    states = [{"a": 1, "z": z} for z in (1, 2)]
    catches_up("{% widthratio a|add:nowhere 1 1 as z %}<p>{{ z }}</p>", *states)


@pytest.mark.parametrize("inside", [
    "{% with c='w' %}{% for x in xs %}{% cycle 'a' 'b' as c silent %}<li>{{ c }}</li>{% endfor %}<p>{{ c }}</p>"
    "{% endwith %}",
    "{% for c in xs %}<b>{{ c }}</b>{% for y in xs %}{% cycle 'a' 'b' as c silent %}{% endfor %}<p>{{ c }}</p>"
    "{% endfor %}",
    "{% with c='w' %}{% for x in xs %}<b>{{ c }}</b>{% spaceless %}{% cycle 'a' 'b' as c silent %}{% endspaceless %}"
    "{% endfor %}{% endwith %}",
    "{% with c='w' %}<div dj-update='ignore'>{% for x in xs %}{% cycle 'a' 'b' as c %}{% endfor %}</div><p>{{ c }}</p>"
    "{% endwith %}",
])  # fmt: skip
def test_cycle_sets_the_name_where_it_is(inside):
    catches_up(inside, *({"xs": xs} for xs in ([1], [1, 2], [], [2, 1, 1])))


def test_what_cycle_sets_is_always_read_again():
    source = "{% with c=1 %}{% for x in xs %}{% cycle 2 3 as c silent %}{% endfor %}<p>{{ c }}</p>{% endwith %}"
    page = plan.plan_page(engines["django"].engine.from_string(f"<main dj-root>{source}</main>"), Context())
    [scope] = [item for item in page["block"]["items"] if item[0] == "scope"]
    assert [bool(item[4] & dependencies.IMPURE) for item in scope[3] if item[0] == "leaf"] == [True]


def test_a_tag_of_somebodys_own_may_set_any_scope(tags):
    states = [{"a": a, "z": 0, "xs": [a]} for a in (1, 2)]
    catches_up("{% with q=1 %}{% set_far 'z' a %}<i>{{ z }}</i>{% endwith %}<b>{{ z }}</b>", *states)
    catches_up("{% for x in xs %}{% set_far 'z' x %}<i>{{ z }}</i>{% endfor %}<b>{{ z }}</b>", *states)
    catches_up("{% with z=0 %}{% for x in xs %}<i>{{ z }}</i>{% set_far 'z' a %}{% endfor %}{% endwith %}", *states)
    catches_up("{% with z=0 %}{% with y=0 %}{% set_far 'z' a %}{% endwith %}<i>{{ z }}</i>{% endwith %}", *states)


def test_many_loops_around_a_tag_of_somebodys_own_are_still_compiled(tags):
    deep = "{% for x in xs %}" * 15 + "{% set_far 'z' x %}<i>{{ z }}</i>" + "{% endfor %}" * 15
    catches_up(deep, {"xs": [1]}, {"xs": [2]})


@pytest.mark.parametrize("inside", [
    "<div dj-update='ignore'>{% firstof a as z %}{{ z }}</div><p>{{ z }}</p>",
    "{% if a %}<div dj-update='ignore'>{% firstof a as z %}{{ z }}</div><p>{{ z }}</p>{% endif %}",
    "<p><textarea dj-update='ignore'>{% firstof a as z %}{{ z }}</textarea><b>{{ z }}</b></p>",
])  # fmt: skip
def test_a_set_in_what_is_made_once_is_done_at_every_turn(inside):
    page = Page(f"<main dj-root>{inside}</main>", a=1)
    values = page.changes(a=2)
    assert {"2"} == set(_texts(values))


def _texts(value):
    return [text for item in value.values() for text in (_texts(item) if isinstance(item, dict) else [item])]


@pytest.mark.parametrize("inside", [
    "{% for forloop in xs %}<b>{{ forloop }}</b>{% endfor %}",
    "{% for x in xs %}{% with forloop=x %}<b>{{ forloop }}{% for y in ys %}{{ forloop.parentloop }}<i></i>{% endfor %}"
    "</b>{% endwith %}{% endfor %}",
    "{% for x in xs %}<b>{{ forloop.parentloop.counter }}{{ forloop.counter }}</b>{% endfor %}",
    "{% for x in xs %}<b>{{ forloop.parentloop }}</b>{% endfor %}",
    "{% for x in xs %}<b>{% for y in ys %}<i>{{ forloop.parentloop.parentloop.counter }}</i>{% endfor %}</b>"
    "{% endfor %}",
    "{% for x in xs %}<b>{{ forloop }}</b>{% endfor %}",
])  # fmt: skip
def test_forloop_as_a_name_of_somebodys_own(inside):
    first = {"xs": [1, 2], "ys": [1], "forloop": {"counter": 5}}
    catches_up(inside, first, {**first, "xs": [1, 3]}, {**first, "forloop": {"counter": 6}})


@pytest.mark.parametrize("inside", [
    "{% if a is b %}<i>one</i>{% endif %}", "{% if a is not b %}<i>two</i>{% endif %}",
    "{% if not a is b or c %}x{% endif %}",
])  # fmt: skip
def test_equal_is_not_the_same(inside):
    first, other = [1], [1]
    catches_up(inside, *({"a": first, "b": b} for b in (first, other, first)))


def test_is_none_is_not_evaluated_without_need():
    page = Page("<main dj-root>{% if a is None %}<i></i>{% elif a is not True %}<b></b>{% endif %}</main>", a=1)
    assert cost(page) == 0
    assert page.changes(a=None) != {} != page.changes(a=True)


def test_a_tag_may_change_what_it_is_given(tags):
    def state(*xs):
        return lambda: {"xs": list(xs), "acc": [], "of": {"list": [], "name": "n"}}

    states = state(1), state(1, 2), state()
    catches_up("{% for x in xs %}<li>{{ x }}{% push acc x %}</li>{% endfor %}<p>{{ acc|length }}</p>", *states)
    catches_up("{% for x in xs %}<li>{{ acc|length }}{% push acc xs.0 %}</li>{% endfor %}", *states)
    catches_up("{% for x in xs %}<li>{% spaceless %}{% push of.list x %}{% endspaceless %}</li>{% endfor %}"
               "<p>{{ of }}</p><p>{{ of.list.0 }}</p>", *states)  # fmt: skip


def test_what_a_tag_is_not_given_is_not_evaluated(tags):
    plain = Page("<main dj-root>{% peek of.list %}</main>", of={"list": []})
    more = Page("<main dj-root>{% peek of.list %}<p>{{ of.name }}</p></main>", of={"list": [], "name": "n"})
    assert cost(more) == cost(plain)


def test_filters_that_ask_the_clock():
    filters = engines["django"].engine.template_builtins[1].filters
    assert [name for name in ("timesince", "timeuntil", "random") if effects.filter_is_pure(filters[name])] == []
    assert effects.filter_is_pure(filters["escapejs"]) and effects.filter_is_pure(filters["slice"])


@pytest.mark.parametrize("outer", ["{% include 'part.html' %}", "{% extends 'base.html' %}"])
def test_a_template_string_follows_the_files_that_it_names(outer, tmp_path, settings):
    settings.TEMPLATES = [{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [tmp_path],
        "OPTIONS": {"loaders": ["django.template.loaders.filesystem.Loader"]},
    }]  # fmt: skip
    template_cache._by_source.clear()
    source = outer if "extends" in outer else f"<main dj-root>{outer}</main>"
    name, wrap = ("base.html", "<main dj-root>%s</main>") if "extends" in outer else ("part.html", "%s")
    (tmp_path / name).write_text(wrap % "<b>{{ a }}</b>")
    page = Page(source, a=1)
    assert list(page.changes(a=2).values()) == ["2"]
    (tmp_path / name).write_text(wrap % "<i>{{ a }}</i>")
    assert page.changes(a=2) == {"0": {"h": "<main dj-root><i>2</i></main>"}}
    assert list(page.changes(a=3).values()) == ["3"]
    template_cache._by_source.clear()
