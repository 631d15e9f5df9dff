"""Markup as people write it: end tags left out, <template>, <noscript>, attributes that the parser itself reads.

Each page goes through its states in the real client, and must be what a fresh parse gives, by patches: the page has its
slots, and the whole root is never sent, except where `WHOLE` says that nothing smaller is right.
"""

import pytest
from case import Case
from equivalence import Counts, check

XS = [{"xs": xs, "n": n} for xs, n in (([1, 2], 0), ([1, 2, 3], 0), ([], 1), ([3, 2], 1), ([2, 3], 1), ([2, 3], 2))]
VN = [{"v": v, "n": n} for v, n in (("x", 0), ("y & <", 0), ("y", 1), ("", 1), ("z", 2), ("z", 0))]
EN = [{"e": e, "n": n} for e, n in (("a", 1), ("b", 1), ("b", 2), ("", 2))]


def states_of(**values):
    """States in which one name goes through these values, and n with it."""
    [(name, sequence)] = values.items()
    return [{name: value, "n": at // 2} for at, value in enumerate(sequence)]


PLACES = {
    # No part of the document, or text where scripts run.
    "a constant in noscript": ("<noscript><b>{% translate 'Yes' %}</b></noscript>", VN),
    "a value in noscript": ("<noscript><b>{{ v }}</b> &amp; <img src='x?a=1&b=2'></noscript>", VN),
    "noscript in a branch": ("{% if n %}<noscript><i>{{ v }}</i></noscript>{% endif %}", VN),
    "a constant in template": ("<template><b>{% translate 'Yes' %}</b></template>", VN),
    "a value in template": ("<template x-if='a'><b title='{{ v }}'>{{ v }}</b></template>", VN),
    "rows in template": ("<template><tr>{% for x in xs %}<td>{{ x }}</td>{% endfor %}</tr></template>", XS),
    "template in template": ("<template><template>{{ v }}</template></template>", VN),
    "template in rows": ("<ul>{% for x in xs %}<li><template>{{ x }}</template>{{ x }}</li>{% endfor %}</ul>", XS),
    "template in a table": (
        "<table><template>{{ v }}</template><tbody><tr><td>{{ v }}</td></tr></tbody></table>", VN,
    ),
    "a shadow root": ("<x-a><template shadowrootmode='open'><b>{{ a }}</b></template>{{ v }}</x-a>", VN),
    "shadow roots in rows": (
        "{% for x in xs %}<x-a><template shadowrootmode='open'><slot></slot></template>{{ x }}</x-a>{% endfor %}", XS,
    ),
    # Lists.
    "li": ("<ul>{% for x in xs %}<li>{{ x }}{% endfor %}</ul>", XS),
    "li on lines": ("<ul>\n  {% for x in xs %}\n    <li>{{ x }}\n  {% endfor %}\n</ul>", XS),
    "li on lines that are alike": ("<ul>\n  {% for x in xs %}\n  <li>{{ x }}\n  {% endfor %}\n  </ul>", XS),
    "li behind one": ("<ul><li>first{% for x in xs %}<li>{{ x }}{% endfor %}</ul>", XS),
    "li behind one on lines": ("<ul>\n<li>first\n{% for x in xs %}\n <li>{{ x }}\n{% endfor %}\n</ul>", XS),
    "li before one": ("<ul>{% for x in xs %}<li>{{ x }}{% endfor %}<li>last {{ n }}</ul>", XS),
    "li with a key": ("<ul>{% for x in xs %}<li id='i{{ x }}'>{{ x }}{% endfor %}</ul>", XS),
    "li with a key on lines": ("<ul>\n {% for x in xs %}\n  <li id='i{{ x }}'>{{ x }}\n {% endfor %}\n</ul>", XS),
    "li or an empty one": ("<ul>{% for x in xs %}<li>{{ x }}{% empty %}<li>none{% endfor %}</ul>", XS),
    "li in a branch": ("<ul><li>a{% if n %}<li>{{ v }}{% endif %}<li>c</ul>", VN),
    "li in branches on lines": (
        "<ul>\n<li>a\n{% if n %}\n<li>{{ v }}\n{% else %}\n<li>none\n{% endif %}\n<li>c\n</ul>", VN,
    ),
    "li in a branch in a loop": ("<ul>{% for x in xs %}{% if x != 2 %}<li>{{ x }}{% endif %}{% endfor %}</ul>", XS),
    "li that stand still": ("<ul><li>{{ v }}<li>{{ n }}</ul>", VN),
    "lists in lists": (
        "<ul>{% for x in xs %}<li>{{ x }}<ul>{% for y in xs %}<li>{{ y }}{% endfor %}</ul>{% endfor %}</ul>", XS,
    ),
    "li in a block": ("<ul>{% block a %}{% for x in xs %}<li>{{ x }}{% endfor %}{% endblock %}</ul>", XS),
    "li in a with": (
        "<ul>\n{% with a=n %}\n{% for x in xs %}\n<li>{{ x }}{{ a }}\n{% endfor %}\n{% endwith %}\n</ul>", XS,
    ),
    "li with p": ("<ul>{% for x in xs %}<li><p>{{ x }}<p>{{ n }}{% endfor %}</ul>", XS),
    "dt and dd": ("<dl>{% for x in xs %}<dt>{{ x }}<dd>{{ n }}{% endfor %}</dl>", XS),
    "p": ("<div><p>{{ n }}{% for x in xs %}<p>{{ x }}{% endfor %}</div>", XS),
    "p that a block ends before its end": ("<div><p>{% if n %}<div>{{ v }}</div>{% endif %}</p></div>", VN),
    "p before a list": ("<div>{% for x in xs %}<p>{{ x }}\n{% endfor %}<ul><li>{{ n }}</ul></div>", XS),
    "a generator": (
        "<ul>{% for x in gen %}<li>{{ x }}{% endfor %}</ul>",
        states_of(gen=[("gen", [1, 2]), ("gen", [1]), ("gen", [])]),
    ),
    # Options.
    "option": ("<select>{% for x in xs %}<option value={{ x }}>{{ x }}{% endfor %}</select>", XS),
    "option on lines": ("<select>\n{% for x in xs %}\n <option>{{ x }}\n{% endfor %}\n</select>", XS),
    "option in a datalist": ("<datalist>{% for x in xs %}<option value='{{ x }}'>{% endfor %}</datalist>", XS),
    "optgroup": (
        "<select>{% for x in xs %}<optgroup label='{{ x }}'>{% for y in xs %}<option>{{ y }}{% endfor %}{% endfor %}"
        "</select>", XS,
    ),
    # Tables.
    "tr": ("<table>{% for x in xs %}<tr><td>{{ x }}</td></tr>{% endfor %}</table>", XS),
    "tr on lines": ("<table>\n  {% for x in xs %}\n  <tr><td>{{ x }}</td></tr>\n  {% endfor %}\n</table>", XS),
    "tr with a key on lines": (
        "<table>\n  {% for x in xs %}\n  <tr id='r{{ x }}'><td>{{ x }}</td></tr>\n  {% endfor %}\n</table>", XS,
    ),
    "tr behind one": (
        "<table>\n<tr><th>h</th></tr>\n{% for x in xs %}\n<tr><td>{{ x }}</td></tr>\n{% endfor %}\n</table>", XS,
    ),
    "tr before one": (
        "<table>{% for x in xs %}<tr><td>{{ x }}</td></tr>{% endfor %}<tr><td>{{ n }}</td></tr></table>", XS,
    ),
    "tr before one on lines": (
        "<table>\n {% for x in xs %}\n <tr><td>{{ x }}</td></tr>\n {% endfor %}\n <tr><td>{{ n }}</td></tr>\n</table>",
        XS,
    ),
    "tr or an empty one": (
        "<table>{% for x in xs %}<tr><td>{{ x }}</td></tr>{% empty %}<tr><td>none</td></tr>{% endfor %}</table>", XS,
    ),
    "tr of a generator": (
        "<table>{% for x in gen %}<tr><td>{{ x }}</td></tr>{% endfor %}</table>",
        states_of(gen=[("gen", [1, 2]), ("gen", [1]), ("gen", []), ("gen", [2])]),
    ),
    "tr in a branch": ("<table>{% if n %}<tr><td>{{ v }}</td></tr>{% endif %}</table>", VN),
    "tr that stands still": ("<table><tr><td>{{ n }}</td></tr></table>", VN),
    "sections without ends": (
        "<table><thead><tr><th>h<th>i<tbody>{% for x in xs %}<tr><td>{{ x }}<td>{{ n }}{% endfor %}</table>", XS,
    ),
    "td": ("<table>{% for x in xs %}<tr><td>{{ x }}<td>{{ n }}{% endfor %}</table>", XS),
    "td in loops": (
        "<table>{% for x in xs %}<tr>{% for y in xs %}<td>{{ x }}{{ y }}{% endfor %}{% endfor %}</table>", XS,
    ),
    "td on lines": (
        "<table>\n <tr><th>a<th>b\n {% for x in xs %}\n  <tr><td>{{ x }}<td>{{ n }}\n {% endfor %}\n</table>", XS,
    ),
    "col": ("<table><col class='{{ v }}'><col><tr><td>{{ n }}</td></tr></table>", VN),
    "cols": ("<table>{% for x in xs %}<col class='{{ x }}'>{% endfor %}<tr><td>{{ n }}</td></tr></table>", XS),
    # Ruby.
    "rt": ("<ruby>{% for x in xs %}{{ x }}<rt>{{ x }}{% endfor %}</ruby>", XS),
    "rp and rt": ("<ruby>a<rp>(<rt>{{ n }}<rp>)</ruby>", VN),
    # Attributes that the parser reads, or renames.
    "attributes of math": (
        "<math viewbox='{{ e }}' definitionurl='{{ e }}'><mi viewbox='{{ e }}' definitionurl='{{ e }}'>{{ n }}</mi>"
        "</math>",
        EN,
    ),
    "attributes of svg": (
        "<svg xmlns='{{ e }}' viewbox='{{ e }}' definitionurl='{{ e }}'><foreignObject viewbox='{{ e }}'>"
        "<div viewbox='{{ e }}'>{{ n }}</div></foreignObject></svg>", EN,
    ),
    # An include that is not taken.
    "an include without a name": ("{% if e == 'c' %}{% include e %}{% endif %}", EN),
}  # fmt: skip

# What stands there may change what is around it.
WHOLE = {
    "p that rows may end": ("{% if n %}<p>{% for x in xs %}<div>{{ x }}</div>{% endfor %}{% endif %}", XS),
    "a block in p": (
        "{% for x in xs %}<p>{{ x|unordered_list }}{% endfor %}",
        [{"xs": xs, "n": 0} for xs in ([["a"]], [["b"], ["c"]], [], [["d"]])],
    ),
    "an encoding": (
        "<math><annotation-xml encoding='{{ e }}'><div>{{ n }}</div></annotation-xml></math>",
        states_of(e=["text/html", "x", "text/html", "application/xhtml+xml"]),
    ),
    "an encoding in a branch": (
        "<math><annotation-xml{% if e %} encoding='text/html'{% endif %}><x>{{ n }}</x></annotation-xml></math>",
        states_of(e=[0, 1, 0, 1, 1]),
    ),
    "a font's color in a branch": (
        "<svg><font{% if e %} color='{{ e }}'{% endif %}>{{ n }}</font></svg>",
        states_of(e=["", "red", "", "blue"]),
    ),
    "a font's attributes": ("<svg><font {{ e }}>{{ n }}</font></svg>", states_of(e=["", "size", ""])),
    "an input's type in a table": (
        "<table><input type='{{ e }}' name=a><tbody><tr><td>{{ n }}</td></tr></tbody></table>",
        states_of(e=["hidden", "text", "hidden"]),
    ),
    "an input's first type in a table": (
        "<table><input{% if e %} type=text{% endif %} type=hidden name=a><tbody><tr><td>{{ n }}</td></tr></tbody>"
        "</table>",
        states_of(e=[0, 1, 0]),
    ),
}


# Documents without some of their tags: (template, whether the whole root is sent).
HEAD = "<!doctype html><html><head><title>t</title></head>"
DOCUMENTS = {
    "text before </body>": (HEAD + "<body><p>{{ n }}</p>\n{{ v }}\n</body>\n</html>\n", False),
    "a condition before </body>": (HEAD + "<body><p>{{ n }}</p>{% if n %}{{ v }}{% endif %}</body></html>", False),
    "a loop before </body>": (HEAD + "<body><p>{{ n }}</p>{% for x in v %}{{ x }}{% endfor %}</body></html>", False),
    "text behind </body>": (HEAD + "<body><p>{{ n }}</p></body>{{ v }}</html>", True),
    "an element behind </html>": (HEAD + "<body><p>{{ n }}</p></body></html><div title='{{ v }}'></div>", True),
    "a constant behind </body>": (
        HEAD + "<body><p>{{ n }}</p>{{ v }}</body><script src='{% static 'a.js' %}'></script></html>", False,
    ),
    "open elements at </body>": (HEAD + "<body><ul><li>{{ n }}</ul><p>{{ v }}\n</body>\n</html>", False),
    "no </body>": (HEAD + "<body><p>{{ n }}</p>{{ v }}</html>\n", False),
    "no </body> and </html>": (HEAD + "<body><p>{{ n }}<p>{{ v }}", False),
    "a body that is marked": (HEAD + "<body dj-root><p>{{ n }}<p>{{ v }}", False),
    "no <html>": ("<!doctype html><title>t</title><body><p>{{ n }}</p>{{ v }}", False),
    "no <head>": ("<!doctype html><html><title>{{ v }}</title><body><p>{{ n }}</p>{{ v }}</body></html>", False),
    "no <body> but a root": (HEAD + "<main dj-root><p>{{ n }}</p>{{ v }}</main></html>", False),
    "nothing but text": ("{{ n }} {{ v }}", False),
    "paragraphs alone": ("<p>{{ n }}<p>{{ v }}", False),
}  # fmt: skip


def through(browser, place, kind="fragment"):
    """Counts of a page with this in it."""
    template, states = place
    page = f"<div dj-root>{template}<p>{{{{ n }}}}</p></div>"
    if kind == "body":
        page = f"<!doctype html><html><head><title>t</title></head><body>{template}<p>{{{{ n }}}}</p></body></html>\n"
    counts = Counts()
    case = Case({"main.html": "{% load i18n %}" + page}, states, [True] * len(states), [False] * len(states), kind=kind)
    check(case, browser, counts)
    return counts


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("kind", ["fragment", "body"])
def test_a_patch_is_enough(browser, name, kind):
    counts = through(browser, PLACES[name], kind)
    whole = {key: n for key, n in counts.all.items() if "whole root" in key or "without slots" in key}
    assert not whole and counts.all["frames: slots"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document(browser, name):
    template, whole = DOCUMENTS[name]
    kind = "fragment" if "dj-root" in template else "body" if "<body" in template else "bare"
    counts = Counts()
    case = Case({"main.html": "{% load static %}" + template}, VN, [True] * len(VN), [False] * len(VN), kind=kind)
    check(case, browser, counts)
    assert any("whole root" in key for key in counts.all) == whole


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_root_is_right(browser, name):
    assert any("whole root" in key for key in through(browser, WHOLE[name]).all)
