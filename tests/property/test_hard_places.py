"""The places where slots are hard: one page each, brought through its states in the real client.

`uses` says what the frames must have had (equivalence.Counts): a place that works only because the whole root is sent
does not pass; where that is right, it says "whole".
"""

import json
import re

import pytest
from case import Case
from equivalence import Counts, Run, check
from system_under_test import Server, Stock, Subject, facts_of, install

WHOLE = ("frames: whole root, without slots, calm",)
A = [{"a": "x"}, {"a": "y & <z>"}, {"a": ""}, {"a": "x"}]
FLAG = [{"flag": False, "a": "x"}, {"flag": True, "a": "x"}, {"flag": True, "a": "y"}, {"flag": False, "a": "y"}]
ROWS = [
    {"rows": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]},
    {"rows": [{"id": 2, "name": "b!"}, {"id": 1, "name": "a"}, {"id": 3, "name": "<c>"}]},
    {"rows": []},
    {"rows": [{"id": 3, "name": "c"}]},
]
KIDS = [{"id": number, "name": f"n{number}", "kids": [number, number + 10]} for number in range(1, 6)]
POSITIONS = [{"rows": KIDS}, {"rows": [*KIDS[1:], KIDS[0]]}, {"rows": KIDS[1:]}, {"rows": KIDS[1:3]}, {"rows": KIDS}]
NESTED = [
    {"rows": [{"id": 1, "kids": [{"id": 1, "name": "x"}]}, {"id": 2, "kids": []}]},
    {"rows": [{"id": 2, "kids": [{"id": 5, "name": "z"}]}, {"id": 1, "kids": [{"id": 1, "name": "y"}]}]},
    {"rows": [{"id": 1, "kids": []}]},
]


def safe(*texts):
    """States of `a`, marked as safe."""
    return [{"a": ("safe", text)} for text in texts]


# Long enough that a worker keeps it (DIFFERENCE_MIN of worker/page/difference.h).
TABLE = "<table><thead><tr><th>%s</th></tr></thead><tbody>{}</tbody></table>" % ("a heading that stays " * 20)
LINE = "<tr id='r{0}'><td>{0}</td><td title='{1}'>{1} &amp; &eacute;</td></tr>\n"


def table(*rows):
    """A state of `a`: what a package's tag may output."""
    return {"a": ("safe", TABLE.format("".join(LINE.format(*row) for row in rows)))}


TABLES = [
    table((1, "x"), (2, "y"), (3, "z")),
    table((1, "x"), (2, "Y"), (3, "z")),
    table((3, "z"), (1, "x"), (2, "Y")),
    table((3, "z"), (4, "new"), (2, "Y")),
    table(),
    table((5, "x")),
    {"a": "text"},
    table((5, "x")),
    table((5, "z")),
]
DIFFERENCE = ("writes: t difference",)
MOVED = ("writes: l moved",)

# name: (template, states, what must be used)
PLACES = {
    "table without tbody": (
        "<table>{% for r in rows %}<tr dj-key='{{ r.id }}'><td>{{ r.name }}</td></tr>{% endfor %}</table>",
        ROWS,
        (),
    ),
    "rows on lines of their own": (
        "<table>\n{% for r in rows %}\n  <tr dj-key='{{ r.id }}'><td>{{ r.name }}</td></tr>\n{% endfor %}\n</table>",
        ROWS,
        (),
    ),
    "rows and their details": (
        "<table>{% for r in rows %}<tr id='r{{ r.id }}'><td>{{ r.id }}</td></tr>"
        "{% if r.id != 2 %}<tr><td>{{ r.name }}</td></tr>{% endif %}{% endfor %}</table>",
        ROWS,
        (),
    ),
    "rows with commas": (
        "<p>{% for r in rows %}<b id='b{{ r.id }}'>{{ r.name }}</b>{% if not forloop.last %}, {% endif %}{% endfor %}"
        "</p>",
        ROWS,
        MOVED,
    ),
    "rows of several": (
        "<dl>{% for r in rows %}<dt data-key='{{ r.id }}'>{{ r.id }}<dd>{{ r.name }}<!-- x -->{% endfor %}</dl>",
        ROWS,
        MOVED,
    ),
    "table with tbody": (
        "<table><tbody>{% for r in rows %}<tr dj-key='{{ r.id }}'><td>{{ r.name }}</td></tr>{% endfor %}"
        "</tbody></table>",
        ROWS,
        ("writes: l moved", "writes: l removed"),
    ),
    "text in a table": ("<table>{{ a }}<tr><td>x</td></tr></table>", A, ()),
    "select and option": (
        "<select>{% for r in rows %}<option value='{{ r.id }}'{% if r.id == 3 %} selected{% endif %}>{{ r.name }}"
        "</option>{% endfor %}</select>",
        ROWS,
        ("writes: l moved",),
    ),
    "selected moves": (
        "<select><option value=1{% if flag %} selected{% endif %}>1</option>"
        "<option value=2{% if not flag %} selected{% endif %}>2</option></select>",
        FLAG,
        ("writes: g",),
    ),
    "a select that nobody touched": (
        "<select>{% for r in rows %}<option dj-key='{{ r.id }}'>{{ r.name }}</option>{% endfor %}<option>z</option>"
        "</select>",
        ROWS,
        ("writes: l moved",),
    ),
    "options with the same value": (
        "<select><option value='1'>1</option><option value='1'{% if flag %} selected{% endif %}>{{ a }}</option>"
        "</select>",
        FLAG,
        ("writes: g",),
    ),
    "two selected options": (
        "<select><option{% if flag %} selected{% endif %}>1</option><option selected>{{ a }}</option></select>",
        FLAG,
        ("writes: g",),
    ),
    "disabled options": (
        "<select><optgroup label='g'{% if flag %} disabled{% endif %}><option>1</option></optgroup>"
        "<option>{{ a }}</option></select>",
        FLAG,
        ("writes: g",),
    ),
    "a list box": (
        "<select size='{% if flag %}1{% else %}3{% endif %}'><option>1</option><option>{{ a }}</option></select>",
        FLAG,
        ("writes: a",),
    ),
    "a new select": (
        "{% if flag %}<select>{% if a == 'x' %}<option>1</option>{% endif %}<option>2</option></select>{% endif %}",
        FLAG,
        ("writes: b shown",),
    ),
    "rows with selects": (
        "{% for r in rows %}<p dj-key='{{ r.id }}'><select>{% if r.id == 1 %}<option>{{ r.name }}</option>{% endif %}"
        "<option>2</option><option{% if r.id == 3 %} selected{% endif %}>3</option></select></p>{% endfor %}",
        ROWS,
        ("writes: l moved",),
    ),
    "optgroup": ("<select><optgroup label='{{ a }}'><option>{{ a }}</option></optgroup></select>", A, ("writes: a",)),
    "textarea": ("<textarea>{{ a }}</textarea>", [*A, {"a": "\n\nl"}, {"a": "cr\r\nlf\r"}], ("writes: r",)),
    "textarea with its first newline": ("<textarea>\n{{ a }}</textarea>", [*A, {"a": "\nl"}], ("writes: r",)),
    "svg": ("<svg viewBox='0 0 1 1'><circle r='{{ a }}'/><text>{{ a }}</text></svg>", A, ("writes: a", "writes: t")),
    "svg branch": ("<svg>{% if flag %}<linearGradient id='{{ a }}'/>{% endif %}</svg>", FLAG, ()),
    "svg rows": (
        "<svg>{% for r in rows %}<g id='{{ r.id }}'><text>{{ r.name }}</text></g>{% endfor %}</svg>",
        ROWS,
        (),
    ),
    "xlink": ("<svg><use xlink:href='#{{ a }}'></use></svg>", A, ()),
    "math": ("<math><mi>{{ a }}</mi></math>", A, ("writes: t",)),
    "pre with its first newline": ("<pre>\n{{ a }}</pre>", [*A, {"a": "\nl"}], ("writes: t",)),
    "pre that begins with a value": ("<pre>{{ a }}</pre>", [{"a": "\nx"}, {"a": "y"}, {"a": "\n\nz"}], ()),
    "template": ("<template><b>{{ a }}</b></template>", A, ()),
    "void elements": ("<p>a<br>{{ a }}<img alt='{{ a }}'><hr></p><input value='{{ a }}'>", A, ("writes: a",)),
    "comment": ("<!-- {{ a }} --><b>{{ a }}</b>", A, ()),
    "conditional comment": ("<!--[if IE]><p>{{ a }}</p><![endif]--><b>{{ a }}</b>", A, ()),
    "cdata": ("<svg><text><![CDATA[{{ a }}]]></text></svg><![CDATA[{{ a }}]]>", A, ()),
    "entities": ("<p title='&lt;{{ a }}&gt;'>&amp;{{ a }}&nbsp;&copy;</p>", A, ("writes: t markup", "writes: a")),
    "an entity in a value": (
        "<p>{{ a }}</p><i title='{{ a }}'></i>",
        safe("&eacute;", "&amp;lt;", "&#65;", "plain"),
        (),
    ),
    "attribute without quotes": ("<p data-a={{ n }}>x</p>", [{"n": 1}, {"n": 22}, {"n": 1}], ("writes: g",)),
    "attribute in a branch": ("<p{% if flag %} title='{{ a }}' hidden{% endif %}>x</p>", FLAG, ("writes: g",)),
    "class with a branch": ('<p class="a {% if flag %}b{% endif %} {{ a }}">x</p>', FLAG, ("writes: a",)),
    "branch around a start tag": (
        "{% if flag %}<div class='w'>{% endif %}<p>{{ a }}</p>{% if flag %}</div>{% endif %}",
        FLAG,
        (),
    ),
    "branch": ("<p>1</p>{% if flag %}<b>{{ a }}</b>{% else %}<i>{{ a }}</i>{% endif %}", FLAG, ("writes: b shown",)),
    "text branch": ("<p>a {% if flag %}b {{ a }}{% else %}c{% endif %}</p>", FLAG, ("writes: t",)),
    "empty": (
        "<ul>{% for r in rows %}<li dj-key='{{ r.id }}'>{{ r.name }}</li>{% empty %}<li>none</li>{% endfor %}</ul>",
        ROWS,
        ("writes: l empty",),
    ),
    "nested loops": (
        "{% for r in rows %}<ul dj-key='{{ r.id }}'>{% for k in r.kids %}<li data-key='{{ k.id }}'>"
        "{{ forloop.parentloop.counter }}.{{ forloop.counter }} {{ k.name }}</li>{% endfor %}</ul>{% endfor %}",
        NESTED,
        ("writes: l moved",),
    ),
    "rows that know their position": (
        "<ul>{% for r in rows %}<li dj-key='{{ r.id }}'>{{ forloop.counter }} {{ r.name }}</li>{% endfor %}</ul>",
        POSITIONS,
        ("writes: l moved", "writes: l rows"),
    ),
    "rows that know how many they are": (
        "<ul>{% for r in rows %}<li dj-key='{{ r.id }}'>{{ forloop.revcounter }}{% if forloop.last %}!{% endif %}"
        "</li>{% endfor %}</ul>",
        POSITIONS,
        ("writes: l removed", "writes: l rows"),
    ),
    "rows that know where the row around them is": (
        "{% for r in rows %}<ul dj-key='{{ r.id }}'>{% for k in r.kids %}<li id='{{ k }}'>{{ k }}"
        "<b>{{ forloop.parentloop.counter }}</b></li>{% endfor %}</ul>{% endfor %}",
        POSITIONS,
        ("writes: l moved", "writes: l rows"),
    ),
    "items of a dict": (
        "<dl>{% for k, v in d.items %}<dt>{{ k }}</dt><dd>{{ v }}</dd>{% endfor %}</dl>",
        [{"d": {"x": 1, "y": 2}}, {"d": {"y": 2, "x": 3}}, {"d": {}}],
        (),
    ),
    "generator": (
        "<ul>{% for r in gen %}<li id='{{ r.id }}'>{{ r.name }}</li>{% endfor %}</ul>",
        [{"gen": ("gen", state["rows"])} for state in ROWS],
        ("writes: l moved",),
    ),
    "rows without one root": (
        "<dl>{% for r in rows %}<dt>{{ r.id }}</dt><dd>{{ r.name }}</dd>{% endfor %}</dl>",
        ROWS,
        ("writes: l removed",),
    ),
    "duplicate keys": (
        "<ul>{% for r in rows %}<li dj-key='{{ r.id }}'>{{ r.name }}</li>{% endfor %}</ul>",
        [ROWS[0], {"rows": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}, ROWS[1]],
        ("writes: l mode",),
    ),
    "rows by position": ("<ul>{% for r in rows %}<li>{{ r.name }}</li>{% endfor %}</ul>", ROWS, ("writes: l rows",)),
    "lazy text": ("<p>{{ a }}</p>", [{"a": ("lazy", "x")}, {"a": ("lazy", "<y>")}], ("writes: t",)),
    "safe and plain": (
        "<p>{{ a }}</p>",
        [{"a": "<b>"}, *safe("<b>x</b>", "<i>y</i>"), {"a": "<i>y</i>"}],
        ("writes: t markup",),
    ),
    "safe in an attribute": ('<p title="{{ a }}">x</p>', safe("a", "&quot;b&quot;", "c < d"), ("writes: a",)),
    "long markup": ("<div>{{ a }}</div>", TABLES, DIFFERENCE),
    "long markup behind text, in a branch": ("{% if a %}<p>x</p>y{{ a }}z{% endif %}", TABLES, ()),
    "long markup in rows": (
        "{% for r in rows %}<div dj-key='{{ r.id }}'>{{ r.a }}</div>{% endfor %}",
        [{"rows": [{"id": 1, **state}, {"id": 2, "a": "x"}]} for state in TABLES],
        ("writes: l rows",),
    ),
    "long markup on a page without slots": (
        "{{ a }}<p>{{ b }}</p>",
        [{**state, "b": ("safe", "</p><p>")} for state in TABLES],
        ("frames: differences of the root",),
    ),
    "long markup with a field that the page edits": (
        "<form>{{ a }}</form>",
        [
            {"a": ("safe", f"<p>{'x' * 600}</p><input name=firstChild value={n}><select><option>{n}<option>b</select>")}
            for n in (1, 2, 1, 3)
        ],
        DIFFERENCE,
    ),
    "unbalanced safe text": (
        "<p>{{ a }}</p><b>x</b>",
        safe("a", "<b>", "</p>", "c"),
        ("frames: whole root, without slots, calm",),
    ),
    "an end tag of the root in a cell": (
        "<table><tr><td>{{ a }}</td></tr></table><p>behind</p>",
        safe("x", "</div>", "<div>", "</body>", "</div></div>", "y"),
        WHOLE,
    ),
    "an end tag of the root in a select": (
        "<select><option>{{ a }}</option></select><p>behind</p>",
        safe("x", "</div>", "<div>", "</select></div>", "y"),
        WHOLE,
    ),
    "an end tag of the root in a template": (
        "<template>{{ a }}</template><p>behind</p>",
        safe("x", "</div>", "<div>", "</table></div>", "y"),
        WHOLE,
    ),
    "an end tag of the root in an svg": (
        "<svg><desc>{{ a }}</desc></svg><p>behind</p>",
        safe("x", "</div>", "<p></div>", "y"),
        WHOLE,
    ),
    "an end tag of the root in a comment": ("<p>{{ a }}</p>", safe("x", "<!-- </div> --!>", "<? </div>", "y"), WHOLE),
    "an end tag of the root that ends it": ("<p>{{ a }}</p>", safe("x", "</div>", "</body>y", "y"), WHOLE),
    "autoescape off": ("{% autoescape off %}<p>{{ a }}</p>{% endautoescape %}", [{"a": "<b>x</b>"}, {"a": "y"}], ()),
    "a form's field": (
        "<form>{{ form.name }}{{ form.note }}{{ form.kind }}</form>",
        [{"form": ("form", {})}, {"form": ("form", {"name": "<x>", "note": "\ny", "kind": "b"})}],
        (),
    ),
    "translation in a placeholder": ("<input placeholder=\"{% translate 'Yes' %} {{ a }}\">", A, ("writes: a",)),
    "context processor": ("<p>{{ site }} {{ a }}</p>", A, ("writes: t",)),
    "include by name": ("{% include inc %}", [{"inc": "one.html", "a": "x"}, {"inc": "two.html", "a": "x"}], ()),
    "recursion": (
        "{% include 'tree.html' with node=tree %}",
        [
            {"tree": {"name": "a", "kids": [{"name": "b", "kids": []}]}},
            {"tree": {"name": "a", "kids": [{"name": "c", "kids": [{"name": "d", "kids": []}]}]}},
        ],
        (),
    ),
    "an empty text between comments": ("<p><!-- x -->{{ a }}<!-- y -->{{ a }}<b></b>{{ a }}</p>", A, ("writes: t",)),
    "localised numbers and dates": (
        "<p>{{ big }} {{ day }}</p>",
        [{"big": 1234.5, "day": ("date", "2024-01-31")}, {"big": 0.25, "day": ("date", "2024-03-01")}],
        ("writes: t",),
    ),
    "nul": ("<p title='{{ a }}'>{{ a }}</p>", [{"a": "x"}, {"a": "a\0b"}, {"a": "\0"}], ("writes: t",)),
    "nul in foreign content": ("<svg><text>{{ a }}</text></svg>", [{"a": "x"}, {"a": "a\0b"}], ()),
    "lone surrogates": ("<p>{{ a }}</p>", [{"a": "x"}, {"a": "a\ud800b"}, {"a": "\udfff"}], ("writes: t",)),
    "right to left": ("<p dir=rtl>{{ a }}</p>", [{"a": "שלום"}, {"a": "\u202eabc\u202c"}], ("writes: t",)),
    "a line end that an anchor parts": (
        "<p>{{ a }}{% for r in a %}\n<b>{{ r }}</b>{% endfor %}</p>{% if a %}<i>1</i>{{ a }}{% endif %}\nx",
        [{"a": "x"}, {"a": "x\r"}, {"a": "\r"}, {"a": "x\r\n"}, {"a": "y"}],
        (),
    ),
    "line ends": ("<p>{{ a }}</p><pre>{{ a }}</pre>", [{"a": "x"}, {"a": "a\r\nb\rc\n"}], ("writes: t",)),
    "an author's anchor": ("<p><!--$b1-->{{ a }}<!--$--></p>", A, ()),
    "a user's anchor": ("<p>{{ a }}</p>", [{"a": "x"}, *safe("<!--$b1-->x<!--$-->", "<!--$,-->"), {"a": "y"}], ()),
    "script and style": (
        "<style>.x{color:{{ a }}}</style><script type='text/plain'>{{ a }}</script>",
        [{"a": "red"}, {"a": "blue"}],
        ("writes: r",),
    ),
    "tag name": ("<h{{ n }}>{{ a }}</h{{ n }}>", [{"n": 1, "a": "x"}, {"n": 2, "a": "x"}], ()),
    "an ignored part": ("<div dj-update='ignore'>{{ a }}</div><p>{{ a }}</p>", A, ("writes: t",)),
    "a tag with a state in an ignored part": (
        "{% cycle 'o' 'e' as c %}<div dj-ignore>{% cycle c %}</div>{% cycle c %}<p title='{% cycle c %}'>{{ a }}</p>",
        A,
        ("writes: t",),
    ),
    "a name that is set": ("{% keep a=b %}<p>{{ a }}</p>", [{"b": "x"}, {"b": "y"}], ("writes: t",)),
    "a tag of one's own": ("{% loud %}<p>{{ a }}</p>{% endloud %}", A, ()),
    "cycle and ifchanged": (
        "{% for r in rows %}<p class='{% cycle 'o' 'e' %}'>{% ifchanged r.name %}{{ r.name }}{% endifchanged %}</p>"
        "{% endfor %}",
        ROWS,
        (),
    ),
    "details": ("<details{% if flag %} open{% endif %}><summary>{{ a }}</summary>x</details>", FLAG, ("writes: g",)),
    "checked": ("<input type=checkbox{% if flag %} checked{% endif %}>", FLAG, ("writes: g",)),
    "an input's value": ("<input name=i value='{{ a }}'>", A, ("writes: a",)),
    "an unknown name": ("<p>{{ missing }}{{ a }}</p>", A, ("writes: t",)),
    "a template that fails": ("<p>{{ a }}</p>", [{"a": "x"}, {"a": ("boom",)}, {"a": "y"}], ()),
    "a hundred nested elements": ("<div>" * 100 + "{{ a }}" + "</div>" * 100, A, ("writes: t",)),
}
MORE = {
    "one.html": "<p>one {{ a }}</p>",
    "two.html": "<ul><li>two {{ a }}</li></ul>",
    "tree.html": "<ul><li>{{ node.name }}{% for kid in node.kids %}{% include 'tree.html' with node=kid %}{% endfor %}"
    "</li></ul>",
}


def case_of(templates, states, **more):
    """A case whose states change in place."""
    return Case(templates, states, [True] * len(states), [False] * len(states), **more)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("kind", ["fragment", "body"])
def test_a_hard_place(browser, name, kind):
    template, states, uses = PLACES[name]
    template += f"<p>{'static ' * 40}</p>"  # a patch that is nearly as long as the page comes as the page
    page = f"<div dj-root>{template}</div>"
    if kind == "body":
        page = f"<!doctype html><html><head><title>t</title></head><body>{template}</body></html>\n"
    counts = Counts()
    check(case_of({"main.html": page, **MORE}, states, kind=kind), browser, counts)
    for used in uses:
        assert counts.all[used], f"no {used}:\n{counts.table()}"


PARENTS = {
    f"base{n}.html": f"<html><head><title>{n}</title></head><body><main dj-root><p>{n} "
    "{% block a %}<b>{{ b }}</b>{% endblock %}</p></main></body></html>"
    for n in (1, 2)
}


@pytest.mark.parametrize("parent", ["'base1.html'", "parent"])
def test_inheritance(browser, parent):
    page = "{% extends " + parent + " %}{% block a %}{{ block.super }} {{ a }}{% endblock %}"
    states = [
        {"parent": "base1.html", "a": "x", "b": "y"},
        {"parent": "base1.html", "a": "z", "b": "y"},
        {"parent": "base2.html", "a": "z", "b": "w"},
        {"parent": "base1.html", "a": "z", "b": "w"},
    ]
    counts = Counts()
    check(case_of({"main.html": page, **PARENTS}, states, kind="child"), browser, counts)
    assert counts.all["frames: slots"]


@pytest.mark.parametrize("use", ["{{ block.super }}", "<i title='{{ block.super }}'></i>", "{{ block.super|upper }}"])
def test_a_block_that_a_missing_name_empties(browser, use):
    page = "{% extends 'base.html' %}{% block a %}<p>" + use + "{{ b }}</p>{% endblock %}"
    block = "{% block a %}<b>{{ a|default:missing }}</b>{{ b }}{% endblock %}"
    base = f"<html><body><main dj-root>{block}</main></body></html>"
    states = [{"a": "x", "b": 1}, {"a": "", "b": 1}, {"a": "", "b": 2}, {"a": "y", "b": 2}, {"a": "y", "b": 3}]
    check(case_of({"main.html": page, "base.html": base}, states, kind="child"), browser, Counts())


def test_a_block_that_a_missing_name_empties_twice(browser):
    page = "{% extends 'base.html' %}{% block a %}<i title='{{ block.super }}'></i>"
    page += "{% with s=block.super %}{{ s }}{% endwith %}{{ b }}{% endblock %}"
    base = "<html><body><main dj-root>{% block a %}{{ a|default:missing }}{% endblock %}</main></body></html>"
    states = [{"a": "x", "b": 1}, {"a": "x", "b": 2}, {"a": "y", "b": 2}]
    check(case_of({"main.html": page, "base.html": base}, states, kind="child", invalid=True), browser, Counts())


def test_a_generator_that_only_a_super_names(browser):
    page = "{% extends 'base.html' %}{% block a %}{% with s=block.super %}{{ s }}{% endwith %}{% endblock %}"
    block = "{% block a %}{% for x in gen %}{{ x }}{% endfor %}{% endblock %}"
    base = f"<html><body><main dj-root>{block}</main></body></html>"
    states = [{"gen": ("gen", [text])} for text in ("x", ("safe", "</main>"), ("safe", "<br>"), "y")]
    check(case_of({"main.html": page, "base.html": base}, states, kind="child"), browser, Counts())


def test_a_block_twice_with_an_ignored_part(browser):
    page = (
        "{% extends 'base.html' %}{% block a %}{{ block.super }}<i title='{{ block.super }}'></i>{{ a }}{% endblock %}"
    )
    base = (
        "<html><body><main dj-root>{% block a %}<b dj-ignore>{% cycle 'o' 'e' %}</b>{% endblock %}</main></body></html>"
    )
    case = case_of({"main.html": page, "base.html": base}, A, kind="child")
    assert case.has_its_root()
    check(case, browser, Counts())


@pytest.mark.parametrize("name", ["table", "a", "x-card", "form", "ul", "p"])
def test_another_element_as_root(browser, name):
    page = f"<!doctype html><body><i>1</i><{name} dj-root>{{{{ a }}}}</{name}><footer>z</footer></body>"
    end = f"</{name}>"
    states = safe("<b>x</b>", end, f"<tr><td>{end}", "y", "<table><td>", f"<svg><desc>{end}", "<b>x</b>")
    check(case_of({"main.html": page}, states, kind="document"), browser, Counts())


def test_an_unknown_name_with_a_text_for_it(browser):
    page = "<div dj-root><p>{{ missing }}{{ a.b }}</p><i title='{{ missing }}{{ a }}'></i></div>"
    check(case_of({"main.html": page}, A, invalid=True, kind="fragment"), browser, Counts())


def test_a_title(browser):
    page = (
        "<html><head><title>T {{ a }}</title></head><body><main dj-root>" + "x" * 300 + "{{ a }}</main></body></html>"
    )
    states = [*A, *safe("&eacute;", "<b>"), {"a": "</title>"}]
    counts = Counts()
    check(case_of({"main.html": page}, states, kind="document"), browser, counts)
    assert counts.all["writes: T"]


def test_another_language(browser):
    page = "<div dj-root><p>{{ big }} {% translate 'January' %}</p></div>"
    states = [{"big": 1234.5}, {"big": 0.5}]
    check(case_of({"main.html": page}, states, language="de", kind="fragment"), browser, Counts())


def test_a_long_text(browser):
    page = "<div dj-root><p>{{ a }}</p><p>{{ b }}</p></div>"
    long = "<long> & " * (1 << 16)
    states = [{"a": "x", "b": "y"}, {"a": long, "b": "y"}, {"a": long + "!", "b": "z"}, {"a": "x", "b": "z"}]
    counts = Counts()
    check(case_of({"main.html": page}, states, kind="fragment"), browser, counts)
    assert counts.all["frames: slots"]


def test_many_rows(browser):
    page = "<div dj-root><ul>{% for r in rows %}<li dj-key='{{ r.id }}'>{{ r.name }}</li>{% endfor %}</ul></div>"
    rows = [{"id": number, "name": f"row {number}"} for number in range(1000)]
    moved = [*rows[500:], *rows[:500]]
    changed = [*moved[:700], {"id": 5000, "name": "new"}, *moved[701:]]
    states = [{"rows": rows}, {"rows": moved}, {"rows": changed}, {"rows": changed[::7]}]
    counts = Counts()
    check(case_of({"main.html": page}, states, kind="fragment"), browser, counts)
    assert counts.all["writes: l moved"] and counts.all["writes: l removed"]


# What no browser is needed for: the page is Django's, and the frames are what they should be.

BIG = {
    "ten megabytes": ("<p>{{ a }}</p><b>{{ b }}</b>", {"a": "x" * 10_000_000, "b": 1}, "b", 2),
    "100,000 rows": (
        "<ul>{% for r in rows %}<li dj-key='{{ r.0 }}'>{{ r.1 }}</li>{% endfor %}</ul><b>{{ b }}</b>",
        {"rows": [[number, "x"] for number in range(100_000)], "b": 1},
        "rows",
        [[number, "y" if number == 70_000 else "x"] for number in range(100_000)],
    ),
}


@pytest.mark.parametrize("name", BIG)
def test_a_big_page(name):
    template, state, root, value = BIG[name]
    case = case_of({"main.html": f"<div dj-root>{template}</div>"}, [state, {**state, root: value}], kind="fragment")
    install(case)
    server, stock = Server(Subject(state), facts_of()), Stock(case)
    page = re.sub("<!--.*?-->| data-troupe=.token.", "", server.page())
    assert page == stock.render(state)
    assert json.loads(server.join()[0])["views"][0]["k"]
    server.view.coming = case.states[1], False
    (frame,) = server.event("change")
    assert len(frame) < 100 and list(json.loads(frame)["d"])
    server.close()


@pytest.mark.parametrize("when", ["before the join", "later"])
def test_a_template_that_changes(browser, when):
    states = [{"a": "x"}, {"a": "y"}, {"a": "z"}]
    old, new = (
        case_of({"main.html": f"<div dj-root><p>{{{{ a }}}}</p>{more}{'static ' * 40}</div>"}, states, kind="fragment")
        for more in ("", "<b>new {{ a }}</b>")
    )
    install(old)
    server, counts = Server(Subject(states[0]), facts_of()), Counts()
    run = Run(browser, server, counts)
    page = server.page()
    browser.order(open=page, cached=False)
    if when == "before the join":
        install(new)
        # The page shows the old one, and is right for it, until something is rendered anew.
        run.settle(0, server.join(), Stock(old).render(states[0]))
    else:
        run.settle(0, server.join(), Stock(old).render(states[0]))
        install(new)
    for step in (1, 2):
        server.view.coming = states[step], True
        run.settle(step, server.event("change"), Stock(new).render(states[step]))
    assert counts.all["frames: slots"] == 1  # the other one had the whole new root
    server.close()
