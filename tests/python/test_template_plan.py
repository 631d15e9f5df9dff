"""Plans (troupe.template.plan): what templates become, what their slots depend on, and that nothing gets lost."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("troupe._native")

import plan_cases  # noqa: E402
import plan_interpreter  # noqa: E402
from django import template as django_template  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.template import Context, Engine  # noqa: E402

from troupe.template import dependencies  # noqa: E402
from troupe.template.explain import count_slots, explain  # noqa: E402
from troupe.template.inlining import Unplannable  # noqa: E402
from troupe.template.plan import compile_page, plan_page  # noqa: E402

LIBRARIES = {"i18n": "django.templatetags.i18n", "humanize": "django.contrib.humanize.templatetags.humanize"}
ROW = dependencies.row_bit(0)
_OPTIONAL = re.compile(r"</(?:li|option|tr|td|tbody)>|<tbody>")  # tags that a plan may write out


def parse(source, **options):
    """A template from its text, or from several by name."""
    sources = source if isinstance(source, dict) else {"main": source}
    loaders = [("django.template.loaders.locmem.Loader", sources)]
    return Engine(loaders=loaders, libraries=LIBRARIES, **options).get_template("main")


def plan(source, **data):
    """The plan of a template."""
    return plan_page(parse(source), Context(data))


def flat(items):
    """All items of a block, scopes opened."""
    for item in items:
        if item[0] == "scope":
            yield from flat(item[3])
        yield item


def items(block, kind):
    """The items of one kind, in their order."""
    return [item for item in flat(block["items"]) if item[0] == kind]


def leaf(block, slot):
    """The item of a slot."""
    return next(item for item in flat(block["items"]) if item[0] in ("leaf", "branch", "list") and item[1] == slot)


def slots(block):
    """The descriptors of a block."""
    return json.loads(block["chunk"])["s"]


def shape(block):
    """A block in short, as plan_cases writes it."""
    parts = {}
    for item in flat(block["items"]):
        if item[0] == "leaf":
            parts[item[1]] = item[2]
        elif item[0] == "branch":
            inside = "|".join(shape(each) if each else "" for _, each in item[4])
            parts[item[1]] = f"b({inside})"
        elif item[0] == "list":
            key = slots(block)[item[1] - 1][4]
            empty = f"|{shape(item[13])}" if item[13] else ""
            parts[item[1]] = f"l{':' + key if key else ''}({shape(item[12])}{empty})"
    assert sorted(parts) == list(range(1, len(block["classes"]) + 1))
    return "".join(parts[slot] for slot in sorted(parts))


@pytest.mark.parametrize(("expected", "source", "data"), [
    pytest.param(expected, source, data, id=name) for name, expected, source, data, *_ in plan_cases.CASES
])  # fmt: skip
def test_shapes(expected, source, data):
    assert shape(plan(source, **data)["block"]) == expected


@pytest.mark.parametrize(("source", "data"), [
    pytest.param(source, data, id=f"{name} {at}")
    for name, _, source, *datas in plan_cases.CASES for at, data in enumerate(datas)
])  # fmt: skip
def test_nothing_gets_lost(source, data):
    template = parse(source)
    page = plan_page(template, Context(data))
    expected = template.render(Context(data))
    if page["wrapped"]:
        expected = f"<div dj-root>{expected}</div>"
    shown = plan_interpreter.render(page, template, data, anchors=False).html
    assert _OPTIONAL.sub("", shown) == _OPTIONAL.sub("", expected)


# Dependencies.


def reads(page, mask):
    """A mask in words."""
    words = {name for at, name in enumerate(page["roots"]) if mask & 1 << min(at, dependencies.ROOTS)}
    bits = ROW, dependencies.row_bit(1), dependencies.POSITION, dependencies.IMPURE
    named = dict(zip(("row", "inner", "position", "always"), bits, strict=True))
    return words | {word for word, bit in named.items() if mask & bit}


@pytest.mark.parametrize(("source", "expected"), [
    ("{{ a }}", "a"), ("{{ a.b.c|default:d }}", "a d"), ("{{ 'x' }}", ""), ('{{ _("x") }}', ""),
    ("{{ True }}{{ None }}", ""), ("{{ csrf_token }}", ""), ("{% csrf_token %}", ""), ("{{ a|date }}", "a"),
    ("{{ a|random }}", "a always"), ("{{ a|timesince }}", "a always"), ("{{ a|timeuntil }}", "a always"),
    ("{% load humanize %}{{ a|naturaltime }}", "a always"), ("{% load humanize %}{{ a|intcomma }}", "a"),
    ("{% now 'Y' %}", "always"), ("{% if a and b > c %}{{ d }}{% endif %}", "a b c d"),
    ("{% for x in a %}{{ x }}{{ b }}{% empty %}{{ c }}{% endfor %}", "a b c"),
    ("{% with x=a %}{{ x }}{% endwith %}", "a"),
    ("{% with x=a %}{{ b }}{% endwith %}", "b"), ("{% firstof a b %}", "a b"), ("{% cycle a b %}", "a b always"),
    ("{% load i18n %}{% translate 'x' %}", ""),
    ("{% load i18n %}{% blocktranslate with b=a %}{{ b }}{{ c }}{% endblocktranslate %}",
     "a c"),
    ("{% filter upper %}{{ a }}{% endfilter %}", "a var"), ("{% regroup a by b as c %}{{ c }}", "a c"),
    ("{% url 'x' a as b %}{{ b }}", "a"), ("{% lorem %}", "always"), ("{% include a %}", "always"),
    ("{{ a }}{% url 'x' b as c %}{{ c }}", "a b always"),
])  # fmt: skip
def test_what_a_text_depends_on(source, expected):
    page = plan(f"<p>{source}</p>")
    assert reads(page, leaf(page["block"], 1)[4]) == set(expected.split())


def test_many_roots_share_a_bit():
    page = plan("".join(f"<p>{{{{ r{n} }}}}</p>" for n in range(50)))
    masks = [item[4] for item in items(page["block"], "leaf")]
    assert masks[:46] == [1 << n for n in range(46)]
    assert masks[46:] == [1 << 46] * 4
    assert len(page["roots"]) == 50


def test_rows():
    page = plan("<ul>{% for r in rows %}<li class='{{ r.a }}'>{{ a }}{{ r }}</li>{% endfor %}</ul>")
    (item,) = items(page["block"], "list")
    _, _, mask, seq, row, names, _, is_reversed, _, forloop, flags, key, block, empty = item
    assert (reads(page, mask), reads(page, seq), row, names) == ({"rows", "a"}, {"rows"}, ROW, ("r",))
    assert (is_reversed, forloop, flags, key, empty) == (False, False, 0, None, None)
    assert [reads(page, each[4]) for each in items(block, "leaf")] == [{"row"}, {"row", "a"}]


def test_names_that_hold_a_row():
    page = plan(
        "{% for r in rows %}{% with s=r.a %}<p>{{ s }}</p>{% endwith %}{% endfor %}"
        "{% with s=a %}<p>{{ s }}</p>{% endwith %}"
    )
    (item,) = items(page["block"], "list")
    assert reads(page, leaf(item[12], 1)[4]) == {"row"}
    assert [reads(page, each[1]) for each in items(item[12], "scope")] == [{"row"}]
    assert reads(page, items(page["block"], "scope")[0][1]) == {"a"}


@pytest.mark.parametrize(("source", "flags", "mask"), [
    ("counter", 1, "position"), ("first", 1, "position"), ("last", 3, "position"), ("revcounter0", 3, "position"),
])  # fmt: skip
def test_positions(source, flags, mask):
    page = plan(f"{{% for r in rows %}}<p>{{{{ forloop.{source} }}}}</p>{{% endfor %}}")
    (item,) = items(page["block"], "list")
    assert (item[9], item[10], reads(page, leaf(item[12], 1)[4])) == (True, flags, {mask})
    assert reads(page, item[2]) == {"rows"}  # its own position is nothing to those around it


def test_positions_of_the_loop_around():
    page = plan(
        "{% for r in rows %}<ul>{% for s in r %}<li>{{ forloop.parentloop.counter }}{{ s }}</li>{% endfor %}</ul>"
        "{% endfor %}"
    )
    (outer,) = items(page["block"], "list")
    (inner,) = items(outer[12], "list")
    assert (outer[9:11], inner[9:11]) == ((True, dependencies.BY_POSITION), (True, dependencies.BY_PARENT))
    assert reads(page, inner[2]) == {"row", "position"}
    assert reads(page, leaf(inner[12], 1)[4]) == {"inner", "position"}
    assert inner[4] == dependencies.row_bit(1)


def test_deep_lists_share_a_bit():
    page = plan("{% for r in rows %}<div>" * 17 + "{{ r }}" + "</div>{% endfor %}" * 17)
    block, bits = page["block"], []
    while items(block, "list"):
        bits.append(items(block, "list")[0][4])
        block = items(block, "list")[0][12]
    assert bits == [1 << min(47 + n, 61) for n in range(17)]


def test_what_a_tag_sets_is_there_whenever_something_reads_it():
    page = plan(
        "{% url 'x' a as u %}<p>{{ u }}</p>{% if b %}{% url 'x' c as u %}<i>{{ u }}</i>{% endif %}<p>{{ u }}</p>"
    )
    block = page["block"]
    assert len(items(block, "set")) == 1
    assert reads(page, leaf(block, 1)[4]) == {"a"}
    (branch,) = items(block, "branch")
    assert reads(page, branch[2]) >= {"always", "b"}  # the set in it must run
    assert reads(page, leaf(block, 3)[4]) == {"a", "b", "c"}


def test_what_a_tag_sets_in_a_scope_concerns_that_scope():
    page = plan("{% with b=a %}{% url 'x' b as u %}<p>{{ u }}</p>{% endwith %}")
    (scope,) = items(page["block"], "scope")
    assert reads(page, scope[1]) == {"a"}


def test_what_a_tag_sets_in_a_row_concerns_that_row():
    page = plan("{% for r in rows %}{% url 'x' r as u %}<p>{{ u }}</p>{% endfor %}")
    (item,) = items(page["block"], "list")
    assert reads(page, item[2]) == {"rows"}
    assert reads(page, leaf(item[12], 1)[4]) >= {"row"}


register = django_template.Library()


@register.tag
def anything(parser, token):
    """A tag that may set any name."""
    return django_template.Node()


@register.filter
def mine(value):
    """A filter of somebody's own."""
    return value


def test_custom_tags_and_filters_are_not_trusted():
    engine = Engine(libraries={"custom": "test_template_plan"})
    page = plan_page(
        engine.from_string(
            "{% load custom %}<p>{{ a|mine }}</p><p>{{ a }}</p>{% with x=a %}<p>{% anything %}</p><p>{{ x }}{{ a }}</p>"
            "{% with y=a %}<p>{{ y }}</p>{% endwith %}{% endwith %}<p>{{ a }}</p>"
        ),
        Context(),
    )
    masks = [reads(page, item[4]) for item in items(page["block"], "leaf")]
    always = {"a", "always"}
    assert masks == [always, {"a"}, {"always"}, always, always, always]


def test_a_set_before_it_is_read_in_the_next_row():
    page = plan("{% for r in rows %}<p>{{ u }}</p>{% url 'x' r as u %}{% endfor %}")
    (item,) = items(page["block"], "list")
    assert "always" in reads(page, leaf(item[12], 1)[4])


# Inheritance and includes.


def test_templates_that_went_into_it():
    sources = {
        "main": "{% extends p %}{% block a %}{% include i %}{% endblock %}",
        "p": "<b>{% block a %}{% endblock %}</b>",
    }
    page = plan({**sources, "x": "<i>{{ a }}</i>"}, p="p", i="x")
    assert [template.name for template in page["templates"]] == ["p", "x"]
    assert [(expr[1].token, value) for expr, value in page["variant"]] == [("p", "p"), ("i", "x")]
    assert [(node.parent_name.token, parent.name) for node, parent in page["extends"]] == [("p", "p")]


def test_names_of_templates_that_only_a_row_knows():
    page = plan({"main": "{% for n in names %}<p>{% include n %}</p>{% endfor %}", "x": "<i>x</i>"}, names=["x"])
    assert page["variant"] == ()
    assert shape(page["block"]) == "l(t)"


def test_isolated_includes_see_nothing():
    page = plan({"main": "{% include 'x' with b=c only %}", "x": "<i>{{ a }}</i><b>{{ b }}</b>"})
    assert [reads(page, item[4]) for item in items(page["block"], "leaf")] == [set(), {"c"}]


def test_blocks_of_three_levels():
    sources = {
        "main": "{% extends 'b' %}{% block x %}<i>{{ a }}</i>{{ block.super }}{% endblock %}",
        "b": "{% extends 'c' %}{% block x %}<b>{{ b }}</b>{{ block.super }}{% endblock %}",
        "c": "<main dj-root>{% block x %}<u>{{ c }}</u>{% endblock %}</main>",
    }
    page = plan(sources)
    assert [slot[2] for slot in slots(page["block"])] == ["i", "b", "u"]


@pytest.mark.parametrize("value", ["{{ a|default:b }}", "{% if a|default:b %}x{% endif %}"])
def test_what_may_empty_all_of_a_super_stays_whole(value):
    child = "{% extends 'b' %}{% block x %}<i>{{ block.super }}</i>{% endblock %}"
    page = plan({"main": child, "b": f"<main dj-root>{{% block x %}}<u>{value}</u>{{% endblock %}}</main>"})
    assert [slot[2] for slot in slots(page["block"])] == ["i"]
    assert reads(page, leaf(page["block"], 1)[4]) == {"a", "b", "always"}  # a second one would be empty


def test_a_filtered_super_is_one_value():
    child = "{% extends 'b' %}{% block x %}<i>{{ block.super|upper }}</i>{% endblock %}"
    page = plan({"main": child, "b": "<main dj-root>{% block x %}<u>{{ a }}</u>{% endblock %}</main>"})
    assert [slot[2] for slot in slots(page["block"])] == ["i"]


@pytest.mark.parametrize(("source", "reason"), [
    ("{% extends 'nowhere' %}", "extends"), ("{% extends p %}", "extends"), ("<p><b>{{ a }}</p>", "<b> is left open"),
    ("<html><head></head></html>", "without a <body>"), ("<div dj-root>{{ a }}", "does not end"),
    ("{% if a %}<div dj-root></div>{% endif %}", "condition"),
    ("<div>{{ a }}</div></div>", "closes what was not opened"), ("<plaintext>{{ a }}", "plaintext"),
    ("<p>{{ a }}</p></body>{{ b }}", "closes what was not opened"), ("text<body>{{ a }}</body>", "text before <body>"),
    ("<svg></svg><body>{{ a }}</body>", "<svg> before"), ("</br><body>{{ a }}</body>", "</br> before"),
    ("<template><body>{{ a }}</body></template>", "template"), ("<title><body>{{ a }}</body>", "<title> does not end"),
])  # fmt: skip
def test_what_cannot_be_planned(source, reason):
    with pytest.raises(Unplannable, match=reason):
        plan(source)
    assert compile_page(parse(source), Context()) is None


def test_includes_that_do_not_exist_are_left_to_django():
    assert shape(plan("<p>{% include 'nowhere' %}</p>")["block"]) == "t"


def test_a_context_is_left_as_it_was():
    template = parse({"main": "{% extends 'x' %}", "x": "<p></p>"})
    context = Context({"a": 1})
    before = [dict(each) for each in context.dicts]
    with context.render_context.push_state(template), context.bind_template(template):
        plan_page(template, context)
        assert dict(context.render_context.dicts[-1]) == {}
    assert context.template is None
    assert [dict(each) for each in context.dicts] == before


# Roots.


@pytest.mark.parametrize(("source", "root", "first"), [
    ("<p>{{ a }}</p>", "wrapped", [0, 0]), ("<body><p>{{ a }}</p></body>", "body", [0, 0]),
    ("<body>{{ b }}<div><p dj-root>{{ a }}</p></div></body>", "dj-root", [0]),
    ("<body><!-- <p dj-root> --><script>'<body>'</script><p>{{ a }}</p></body>", "body", [0, 2]),
    ("<body><section dj-root{% if b %} id=x{% endif %}><p>{{ a }}</p></section></body>", "dj-root", [0]),
])  # fmt: skip
def test_roots(source, root, first):
    page = plan(source)
    assert (page["root"], page["wrapped"], slots(page["block"])[0][1]) == (root, root == "wrapped", first)


def test_outside_of_the_root_nothing_lives():
    page = plan("<body>{{ b }}{% if c %}<p>{{ c }}</p>{% endif %}<main dj-root>{{ a }}</main>{{ d }}</body>")
    dead = items(page["block"], "dead")
    assert [(reads(page, item[1]), item[3]) for item in dead] == [({"b", "c"}, False), ({"d"}, False)]
    assert page["block"]["classes"] == "t"


def test_the_first_title_lives():
    head = "<svg><title>{{ a }}</title></svg><title>{{ b }}{% if c %}!{% endif %}</title><title>{{ d }}</title>"
    page = plan(f"<html><head>{head}</head><body><main dj-root></main></body></html>")
    (item,) = items(page["block"], "leaf")
    assert (item[2], reads(page, item[4])) == ("T", {"b", "c"})


# Chunks.


def test_chunks():
    page = plan("{% for r in rows %}\r\n <p id='{{ r }}' class=x {% if a %}b{% endif %}>{{ r }}</p> {% endfor %}")
    block = items(page["block"], "list")[0][12]
    chunk = json.loads(block["chunk"])
    assert chunk == {"h": "\n <p></p> ", "s": [["g", [0], "p"], ["t", [0], "p", 0]], "one": [2, 1], "u": chunk["u"]}
    assert block["one"] is True
    assert len(block["hash"]) == 8
    other = plan("{% for r in rows %}\n <p>{{ r }}</p> {% endfor %}")
    assert items(other["block"], "list")[0][12]["hash"] != block["hash"]


@pytest.mark.parametrize(("parent", "source", "skeleton"), [
    ("ruby", "<rt>{{ a }}<rt><p>x<rp>{{ a }}</rp>", "<rt></rt><rt><p>x</p></rt><rp></rp>"),
    ("ruby", "<rtc>{{ a }}<rt>x<rb>{{ a }}</rb>", "<rtc><rt>x</rt></rtc><rb></rb>"),
    ("select", "{{ a }}<option>x<optgroup></optgroup>", "<option>x</option><optgroup></optgroup>"),
    ("div", "{{ a }}<noscript><p>&amp;</noscript>", "<noscript>&lt;p&gt;&amp;amp;</noscript>"),
    ("div", "</p><table><tr></tr></table></br>{{ a }}", "<p></p><table><tbody><tr></tr></table><br>"),
])  # fmt: skip
def test_a_chunk_is_parsed_as_in_the_page(parent, source, skeleton):
    """A browser parses it with nothing but its parent around it, and without scripting."""
    page = plan(f"<{parent}>{{% if a %}}{source}{{% endif %}}</{parent}>")
    block = items(page["block"], "branch")[0][4][0][1]
    assert json.loads(block["chunk"])["h"] == skeleton


def test_a_row_of_two_elements_is_not_one():
    page = plan("{% for r in rows %}<p id='{{ r }}'>x</p><p>{{ r }}</p>{% endfor %}")
    item = items(page["block"], "list")[0]
    assert (bool(item[11]), item[12]["one"], "one" in json.loads(item[12]["chunk"])) == (True, False, False)


def test_a_rows_key_is_that_of_what_stands_first_in_it():
    for first in ("<!-- x -->", "<b></b>", "{% if r %}<b></b>{% endif %}"):
        page = plan(f"{{% for r in rows %}}{first}<p id='{{{{ r }}}}'></p>{{% endfor %}}")
        assert items(page["block"], "list")[0][11] is None, first


def test_a_row_on_a_line_of_its_own_has_its_key_without_a_tbody():
    page = plan("<table>\n{% for r in rows %}\n  <tr id='{{ r }}'><td>x</td></tr>\n{% endfor %}\n</table>")
    rows = items(items(page["block"], "branch")[0][4][0][1], "list")[0]
    assert (bool(rows[11]), rows[12]["one"]) == (True, False)


@pytest.mark.parametrize(("attributes", "key"), [
    ('id="{{ r.id }}"', "id"), ('id="{{ r.id }}" dj-key="{{ r.key }}"', "dj-key"),
    ('data-key="r-{{ r.id }}"', "data-key"),
    ('id="{{ r.id }}{{ a }}" data-key="{{ r.id }}"', "data-key"), ('id="{{ forloop.counter }}"', None),
    ('id="x"', None),
    ("id={{ r.id }}", None), ('id="{{ a }}"', None), ('{% if a %}id="{{ r.id }}"{% endif %}', None),
])  # fmt: skip
def test_keys(attributes, key):
    page = plan(f"{{% for r in rows %}}<p {attributes}>{{{{ r }}}}</p>{{% endfor %}}")
    item = items(page["block"], "list")[0]
    assert (slots(page["block"])[0][4], bool(item[11])) == (key, bool(key))


# Words.


def test_outline(tmp_path, settings, capsys):
    (tmp_path / "x.html").write_text(
        '<div dj-root>\n<p class="{{ a }}">Hi {{ b }}</p>\n<table>{{ t }}'
        "</table>{% if c %}<b>{{ d }}</b>{% endif %}\n<ul>{% for r in rows %}<li id='{{ r }}'>"
        "{{ forloop.last }}</li>{% empty %}<li>none</li>{% endfor %}</ul></div>"
    )
    (tmp_path / "y.html").write_text("<p><b>{{ a }}</p>")
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}]
    call_command("troupe_template", "x.html", "y.html")
    assert capsys.readouterr().out.splitlines() == [
        "x.html", "root: found in the template", "1 attribute class in <p>: {{ a }}  (a)",
        "2 text in <p>: Hi {{ b }}  (b)",
        "3 region in <div>: <table>{{ t }}</table>  (t)",
        "    a region because of text in <table>, line 3 of x.html: all of it is rendered, and what differs is sent",
        "4 branch: {% if c %}  (c)", "  1 text in <b>: {{ d }}  (d)",
        "5 list by key {{ r }}: {% for r in rows %}  (rows)", "  1 attribute id in <li>: {{ r }}  (its row)",
        "  2 text in <li>: {{ forloop.last }}  (its position)", "  or, if it is empty",
        "slots: 2 attribute, 1 branch, 1 region, 1 list, 3 text",
        "y.html", "sent as a whole whenever it changes: <b> is left open",
    ]  # fmt: skip
    with pytest.raises(CommandError, match="nowhere"):
        call_command("troupe_template", "nowhere.html")


def test_outline_of_several_templates():
    sources = {"main": "{% extends p %}{% block a %}{{ a }}{% include 'x' %}{% endblock %}", "x": "<i>{{ b }}</i>"}
    page = plan({**sources, "base": "<p>{% block a %}{% endblock %}</p><!-- {{ c }} -->"}, p="base")
    text = explain(page)
    assert text.splitlines()[:4] == [
        "root: a <div dj-root> around all of it", "with: base", "with: x", "holds while p is base",
    ]  # fmt: skip
    classes, regions = count_slots(page)
    assert (classes, regions) == ({"t": 2, "h": 1}, [("a value in a comment", "base", 1)])


def test_djangos_own_templates():
    """All of them can be planned; it takes a process of its own, with their apps installed."""
    script = Path(plan_cases.__file__).with_name("plan_django_templates.py")
    run = [sys.executable, "-c", _CONTRIB.format(native=native_folder()), str(script)]
    found = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    assert found["not_parsed"] == []
    whole = {name for name in found["whole"] if name.endswith(".html")}
    assert whole == set()
    assert found["planned"] > 90
    slots = found["slots"]
    assert slots["h"] < 0.05 * sum(slots.values())


# The extension module may lie in another folder than the package's.
_CONTRIB = """
import runpy, sys
sys.path.insert(0, {native[0]!r})
import troupe
troupe.__path__.insert(0, {native[1]!r})
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def native_folder():
    """Where the package is, and the extension module."""
    import troupe
    from troupe import _native

    return str(Path(troupe.__file__).parents[1]), str(Path(_native.__file__).parent)
