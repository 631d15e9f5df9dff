"""Templates with hard places for tests of plans: what each becomes, and what to render it with.

A case: name, shape, template (a dict: several, "main" is the one), and one dict of data or more. The shape has a letter
for each slot of the root block (plan.py), for a branch b(first|second), for a list l(row), l:key(row) or l(row|empty).
"""

from django.utils.safestring import mark_safe

_SAFE = mark_safe("<b>bold</b> &amp; more")
_PAIRS = {"pairs": {"a": 1, "b": 2}}
_ROWS = {"rows": [{"id": 1, "name": "one", "on": True}, {"id": 2, "name": "t<w>o", "on": False}]}
_NO_ROWS = {"rows": []}
_TREE = {
    "main": "<ul>{% for n in nodes %}<li>{{ n.name }}<ul>{% include 'tree' with nodes=n.nodes %}</ul></li>"
    "{% endfor %}</ul>",
    "tree": "{% for n in nodes %}<li>{{ n.name }}{% if n.nodes %}<ul>{% include 'tree' with nodes=n.nodes %}</ul>"
    "{% endif %}</li>{% endfor %}",
}
_NODES = {"nodes": [{"name": "a", "nodes": [{"name": "b", "nodes": [{"name": "c", "nodes": []}]}]}, {"name": "d"}]}
_BASE = (
    "<!doctype html>\n<html lang=en><head><title>{% block title %}site{% endblock %}</title>\n"
    "<script>if (1 < 2) document.title += '</b>'</script></head>\n"
    '<body class="{% block kind %}plain{% endblock %}">\n'
    "<header>{{ user }}</header>{% block content %}<p>{{ base }}</p>{% endblock %}<footer>f</footer>\n</body>\n"
    "</html>\n"
)

CASES = [
    ("text", "t", "<p>Hi {{ a }} and {{ b }}!</p>", {"a": 1, "b": "<"}, {"a": _SAFE, "b": ""}),
    ("attribute", "aa", '<p class="x {{ a }}" title=\'{{ b }}\' id=i>x</p>', {"a": 1, "b": '"'}, {"a": "", "b": "&"}),
    ("branch", "b(t|)", "<p>{% if a %}<b>{{ a }}</b>{% else %}no{% endif %}</p>", {"a": 1}, {"a": 0}),
    ("branch without else", "tb()t", "<p>{{ a }}{% if a %}<b>x</b>{% endif %} {{ b }}</p>", {"a": 1}, {}),
    ("textual if", "t", "<p>{{ a }}{% if a %}, {{ b }}{% endif %}.</p>", {"a": 1, "b": 2}, {"a": 0}),
    ("textual for", "t", "<p>{% for r in rows %}{{ r.name }}, {% endfor %}</p>", _ROWS, _NO_ROWS),
    (
        "keyed list", "l:dj-key(gt|)",
        '<ul>{% for r in rows %}\n <li dj-key="{{ r.id }}"{% if r.on %} class=on{% endif %}>{{ r.name }}</li>'
        "{% empty %}<li>none</li>{% endfor %}</ul>",
        _ROWS, _NO_ROWS,
    ),
    ("list by position", "l(t)t", "<p>{% for r in rows %}<i>{{ r.name }}</i>{% endfor %}{{ a }}</p>", _ROWS, _NO_ROWS),
    ("rows of two", "l(tt)", "<dl>{% for r in rows %}<dt>{{ r.id }}</dt><dd>{{ r.name }}</dd>{% endfor %}</dl>", _ROWS),
    ("rows with text", "l(tt)", "<p>{% for r in rows %}{{ r.id }} <b>{{ r.name }}</b>, {% endfor %}</p>", _ROWS),
    ("outer name in a key", "l(at)", '{% for r in rows %}<i id="{{ a }}{{ r.id }}">{{ r }}</i>{% endfor %}', _ROWS),
    ("pairs", "l(tt)", "<dl>{% for k, v in pairs.items %}<dt>{{ k }}</dt><dd>{{ v }}</dd>{% endfor %}</dl>", _PAIRS),
    (
        "nested loops", "l(l(t))",
        "<ul>{% for r in rows %}{% for k, v in r.items %}<li>{{ forloop.parentloop.counter }}{{ k }}{{ v }}</li>"
        "{% endfor %}{% endfor %}</ul>",
        _ROWS,
    ),
    (
        "table", "l(t)",
        "<table><tbody>{% for r in rows %}<tr><td>{{ r.id }}</td></tr>{% endfor %}</tbody></table>",
        _ROWS,
    ),
    (
        "table without tbody", "b(l(t))t",
        "<table>{% for r in rows %}<tr><td>{{ r.id }}</td></tr>{% endfor %}</table>{{ a }}",
        _ROWS,
    ),
    (
        "table that begins with a row", "l()t",
        "<table> <tr><th>x</th></tr> {% for r in rows %}<tr><td>x</td></tr>{% endfor %}</table>{{ a }}",
        _ROWS, _NO_ROWS,
    ),
    ("cells that nobody closed", "tt", "<table><tr><td>{{ a }}<td>{{ b }}<tr><td>x</table>", {"a": 1, "b": 2}),
    ("text in a table", "ht", "<div><table>{{ a }}<tr><td>x</td></tr></table></div>{{ b }}", {"a": "moves", "b": 2}),
    ("element in a table", "ht", "<div><table><div>{{ a }}</div></table></div>{{ b }}", {"a": 1, "b": 2}),
    ("cells as a value", "ht", "<table><tbody><tr>{{ a }}</tr></tbody></table>{{ b }}", {"a": mark_safe("<td>x</td>")}),
    (
        "row opened by a condition", "h",
        "<table><tbody>{% for r in rows %}{% if forloop.first %}<tr>{% endif %}<td>{{ r.id }}</td>"
        "{% if forloop.last %}</tr>{% endif %}{% endfor %}</tbody></table>",
        _ROWS,
    ),
    (
        "colgroup", "l(a)",
        '<table><colgroup>{% for r in rows %}<col width="{{ r.id }}">{% endfor %}</colgroup></table>',
        _ROWS,
    ),
    (
        "caption", "tt",
        "<table><caption>{{ a }}</caption><tbody><tr><td>{{ b }}</td></tr></tbody></table>",
        {"a": 1, "b": 2},
    ),
    (
        "select", "l(gt)",
        '<select name="s">{% for r in rows %}<option value="{{ r.id }}"{% if r.on %} selected{% endif %}>{{ r.name }}'
        "</option>{% endfor %}</select>",
        _ROWS,
    ),
    ("options that nobody closed", "tt", "<select><option>{{ a }}<option>{{ b }}</select>", {"a": 1, "b": 2}),
    ("option group", "at", '<select><optgroup label="{{ a }}"><option>{{ b }}</optgroup></select>', {"a": 1, "b": 2}),
    ("element in a select", "ht", "<select><div>{{ a }}</div></select>{{ b }}", {"a": 1, "b": 2}),
    ("datalist", "l(a)", '<datalist>{% for r in rows %}<option value="{{ r.id }}">{% endfor %}</datalist>', _ROWS),
    (
        "textarea", "ar",
        '<textarea name="{{ a }}">\n{{ b }}</textarea>',
        {"a": 1, "b": "x\r\ny</textarea>"}, {"b": "\n"},
    ),
    (
        "style and script", "rr",
        "<style>.a{color:{{ a }}}</style><script>var b = {{ b }}, c = '</b>';</script>",
        {"a": 1, "b": 2},
    ),
    (
        "raw text that may hold anything", "hrt",
        "<iframe>{{ a }}</iframe><noscript>{{ a }}</noscript>{{ b }}",
        {"a": 1, "b": 2},
    ),
    ("title inside", "rt", "<div dj-root><title>{{ a }}</title>{{ b }}</div>", {"a": 1, "b": 2}),
    (
        "svg", "aagtt",
        '<svg viewbox="{{ a }}"><linearGradient id="g{{ b }}"/><use xlink:href="#{{ a }}"/><text x="1">{{ b }}</text>'
        "<foreignObject><p>{{ a }}</p></foreignObject></svg>",
        {"a": 1, "b": 2},
    ),
    ("rows of svg", "l(a)", '<svg>{% for r in rows %}<circle r="{{ r.id }}"/>{% endfor %}</svg>', _ROWS),
    ("html in svg", "ht", "<div><svg><g><p>{{ a }}</p></g></svg></div>{{ b }}", {"a": 1, "b": 2}),
    ("math", "tt", "<math><mi>{{ a }}</mi><mfrac><mn>{{ b }}</mn><mn>2</mn></mfrac></math>", {"a": 1, "b": 2}),
    ("cdata", "t", "<svg><text>{{ a }}</text><desc><![CDATA[x]]></desc></svg>", {"a": 1}),
    ("pre", "t", "<pre>{{ a }}</pre>", {"a": "\nx"}, {"a": "x\n"}, {"a": mark_safe("\n<b>x</b>")}),
    ("rows in pre", "l(t)", "<pre>{% for r in rows %}<i>{{ r.id }}</i>\n{% endfor %}</pre>", _ROWS),
    ("newline in pre", "ht", "<div><pre>{% if a %}\n<b>x</b>{% endif %}</pre></div>{{ b }}", {"a": 1, "b": 2}, {}),
    ("template element", "ht", "<div><template><b>{{ a }}</b></template></div>{{ b }}", {"a": 1, "b": 2}),
    ("void elements", "at", '<p>a<br>b<br/>c<img src="{{ a }}">{{ b }}<hr></p>', {"a": 1, "b": 2}),
    ("closed without need", "t", "<div><i/>{{ a }}</i></div>", {"a": 1}),
    ("comments", "ttt", "<p>{{ a }}<!-- x -->{{ b }}<!----><!-->{{ c }}</p>", {"a": 1, "b": "", "c": 3}, {}),
    ("conditional comments", "t", "<p><!--[if IE]><b>x</b><![endif]--><![if !IE]>{{ a }}<![endif]></p>", {"a": 1}),
    ("value in a comment", "ht", "<p><!-- {{ a }} -->{{ b }}</p>", {"a": 1, "b": 2}),
    ("strange markup", "t", "<p></>x<3 </3><?xml?>{{ a }} < b</p>", {"a": 1}),
    ("entities", "at", '<p title="&lt;{{ a }}&nbsp;">&copy; {{ a }}&nbsp;€</p>', {"a": "<&>"}, {"a": 1}),
    ("no quotes", "gg", "<p class={{ a }}>x</p><input value={{ b }}/>", {"a": 1, "b": 2}),
    ("flags", "gg", "<input {% if a %}checked{% endif %}><input {{ b }} id=x>", {"a": 1, "b": "disabled"}, {"b": ""}),
    ("a condition in a value", "a", '<p class="a {% if b %}c{% endif %}">x</p>', {"b": 1}, {"b": 0}),
    ("a name", "g", '<p data-{{ a }}="{{ b }}">x</p>', {"a": "x", "b": 2}),
    ("a value before an equals sign", "ht", '<div><i {{ a }} = "x > y">z</i></div>{{ b }}', {"a": "title", "b": 2}),
    ("twice the same attribute", "g", '<p class="x" class="{{ a }}">x</p>', {"a": "x"}),
    ("upper case", "at", '<DIV CLASS="{{ a }}"><P>{{ b }}</p></DIV>', {"a": "x", "b": 2}),
    ("name of a tag", "ht", "<div><h{{ a }}>{{ b }}</h{{ a }}>{{ b }}</div>", {"a": 1, "b": 2}),
    (
        "opened by a condition", "ht",
        "<p>{% if a %}<a href=x>{% endif %}{{ b }}{% if a %}</a>{% endif %} {{ b }}</p>",
        {"a": 1}, {},
    ),
    (
        "opened by another condition", "ht",
        "<div>{% if a %}<section><b>{% endif %}{{ b }}{% if a %}</b>{% endif %}{% if a and 1 %}</section>{% endif %}"
        "</div><i>{{ b }}</i>",
        {"a": 1, "b": 2}, {},
    ),
    (
        "one of two tags", "ht",
        "<p>{% if a %}<b>{% else %}<b class=x>{% endif %}{{ b }}</b>{{ b }}</p>",
        {"a": 1, "b": 2}, {},
    ),
    (
        "between two", "ht",
        "<div><p>{{ a }}{% if b %}</p><p>{% endif %}{{ a }}</p></div><b>{{ a }}</b>",
        {"a": 1, "b": 2}, {},
    ),
    ("paragraphs", "ttt", "<p>{{ a }}<p>{{ b }}<div>{{ c }}</div></p>", {"a": 1, "b": 2, "c": 3}),
    ("list items", "tt", "<ul><li>{{ a }}<li>{{ b }}</ul>", {"a": 1, "b": 2}),
    ("rows that nobody closed", "l(t)t", "<ul>{% for r in rows %}<li>{{ r.id }}{% endfor %}</ul>{{ a }}", _ROWS),
    (
        "a break in a table", "ht",
        "<div><table><tbody>{% if a %}</br>{% endif %}</tbody></table>{{ a }}</div>",
        {"a": 1},
    ),
    ("ruby", "tt", "<ruby>{{ a }}<rt>x<rt>{{ b }}</ruby>", {"a": 1, "b": 2}),
    (
        "rows in a ruby", "l(tt)", "<ruby>{% for r in rows %}<rt>{{ r.id }}<rt>{{ r.name }}</rt>{% endfor %}</ruby>",
        _ROWS,
    ),
    (
        "paragraphs in a ruby", "b(ttttt)",
        "<ruby>{% if a %}<rb><p>{{ a }}<rtc><rt>{{ b }}<rp><li>{{ a }}<rt>{{ b }}</rt></rtc><i>{{ a }}</i>{% endif %}"
        "</ruby>",
        {"a": 1, "b": 2},
    ),
    (
        "groups of options", "b(tt)",
        "<select>{% if a %}<optgroup label=x><option>{{ a }}<optgroup label=y><option>{{ b }}</optgroup>{% endif %}"
        "</select>",
        {"a": 1, "b": 2},
    ),
    (
        "a line between options", "b(tt)",
        "<select>{% if a %}<option>{{ a }}<hr><option>{{ b }}</option>{% endif %}</select>",
        {"a": 1, "b": 2},
    ),
    (
        "HTML in math", "ht",
        "<div><math><annotation-xml encoding=text/html>{% if a %}<section>{{ a }}</section>{% endif %}"
        "</annotation-xml></math></div>{{ b }}",
        {"a": 1, "b": 2},
    ),
    (
        "a glyph in math", "ht", "<div><math><mi><mglyph id={{ a }}><b>{{ a }}</b></mglyph></mi></math></div>{{ b }}",
        {"a": 1, "b": 2},
    ),
    ("a paragraph out of nothing", "b(t)", "<div>{% if a %}</p><b>{{ a }}</b>{% endif %}</div>", {"a": 1}),
    ("no ruby", "tt", "<div><rt>{{ a }}<rt>{{ b }}</rt></rt></div>", {"a": 1, "b": 2}),
    ("definitions", "ttt", "<dl><dt>{{ a }}<dd>{{ b }}<dt>{{ c }}</dl>", {"a": 1, "b": 2, "c": 3}),
    ("block in a p", "ht", "<div><p>{% if a %}<div>x</div>{% endif %}</p></div>{{ b }}", {"a": 1, "b": 2}, {}),
    ("table in a p", "ht", "<div><p>{{ a }}<table id={{ a }}></table></p></div>{{ b }}", {"a": 1, "b": 2}),
    (
        "a newline behind nothing in a pre", "ht",
        "<div><pre>{{ a }}{% if b %}\n<b>{{ b }}</b>{% endif %}</pre></div>{{ b }}",
        {"a": "", "b": 2}, {"a": 1, "b": 2},
    ),
    ("links in links", "ht", "<p><a href=x>{{ a }}<a href=y>y</a></a></p>{{ b }}", {"a": 1, "b": 2}),
    ("buttons in buttons", "ht", "<div><button>{{ a }}<button>b</button></button></div>{{ b }}", {"a": 1, "b": 2}),
    (
        "names of math in a button", "ht",
        "<div><button><mi><button id={{ a }}>b</button></mi></button></div>{{ b }}", {"a": 1, "b": 2},
    ),
    (
        "names of svg in an item", "ht",
        "<ul><li><desc>{{ a }}<li id={{ a }}>b</li></desc></li></ul>{{ b }}", {"a": 1, "b": 2},
    ),
    (
        "names of HTML in svg", "ht",
        "<div><a href=x><svg><object><desc><a href={{ a }}>y</a></desc></object></svg></a></div>{{ b }}",
        {"a": 1, "b": 2},
    ),
    ("forms in forms", "ht", "<div><form>{{ a }}<form>b</form></form></div>{{ b }}", {"a": 1, "b": 2}),
    ("headings in headings", "ht", "<div><h1>{{ a }}<h2>b</h2></h1></div>{{ b }}", {"a": 1, "b": 2}),
    ("end tags of nothing", "t", "<div></span></br></p>{{ a }}</div>", {"a": 1}),
    ("with", "tt", "<p>{% with b=a %}{{ b }}{% endwith %}</p><i>{{ a }}</i>", {"a": 1}),
    ("with that parts a text", "tb(tt)", "<p>{{ a }}{% with b=a %}{{ b }}<i>{{ b }}</i>{% endwith %}</p>", {"a": 1}),
    ("with that ends in a text", "b(tt)t", "<p>{% with b=a %}<i>{{ b }}</i>{{ b }}{% endwith %}{{ a }}</p>", {"a": 1}),
    ("with that is unbalanced", "tt", "<p>{% with b=a %}<i>{{ b }}{% endwith %}<b>{{ a }}</b></i></p>", {"a": 1}),
    (
        "include", "tat",
        {"main": "{{ a }}{% include 'x' with c=a only %}", "x": '<i id="{{ c }}">{{ c }}{{ a }}</i>'},
        {"a": 1},
    ),
    ("include of text", "t", {"main": "<p>{{ a }}{% include 'x' %}</p>", "x": "x{{ a }}"}, {"a": 1}),
    ("include by variable", "t", {"main": "{% include n %}", "x": "<i>{{ a }}</i>"}, {"n": "x", "a": 1}),
    ("recursion", "l(tl(tb(t)))", _TREE, _NODES),
    (
        "inheritance", "Tatgt",
        {
            "main": "{% extends 'base' %}{% block title %}{{ a }} - {{ block.super }}{% endblock %}"
            "{% block kind %}{{ a }}{% endblock %}{% block content %}<i {{ b }}>{{ block.super }}</i>{% endblock %}",
            "base": _BASE,
        },
        {"a": 1, "b": "hidden", "base": 3},
    ),
    (
        "extends a variable", "Ttt",
        {"main": "{% extends n %}{% block title %}{{ a }}{% endblock %}", "base": _BASE},
        {"n": "base", "a": 1, "user": 2},
    ),
    ("values as markup", "ta", '<p>{{ a }}</p><p title="{{ a }}">x</p>', {"a": _SAFE}, {"a": "<b>"}),
    ("text before and behind", "t", "<p>x</p>behind {{ a }}", {"a": 1}),
    ("the end of a body", "th", "<html><body><p>{{ a }}</p> {{ b }}</body>\n</html>\n", {"a": 1, "b": 2}),
    ("an rt at the end of a body", "th", "<body><p>{{ a }}</p><rt>{{ b }}</body>\n</html>\n", {"a": 1, "b": 2}),
    ("the end of a body that is marked", "th", "<body dj-root><p>{{ a }}</p>{{ b }}</body>\n", {"a": 1, "b": 2}),
    (
        "a head without its tag", "tt",
        "<!doctype html><title>x</title><link href=x><template>a<p>b</p></template></head>"
        "<body><p>{{ a }}</p><i>{{ b }}</i></body>",
        {"a": 1, "b": 2},
    ),
    ("root", "tt", "<body>{{ x }}<main dj-root><p>{{ a }}</p>{{ b }}</main>{{ y }}</body>", {"a": 1, "b": 2, "x": 3}),
    (
        "root that is a part of a table", "l(t)",
        "<table><tbody dj-root>{% for r in rows %}<tr><td>{{ r.id }}</td></tr>{% endfor %}</tbody></table>",
        _ROWS,
    ),
    (
        "somebody else's element", "at",
        '<div><i dj-update="ignore" id="{{ a }}">{{ b }}<b>x</b></i>{{ a }}</div>',
        {"a": 1, "b": 2},
    ),
    ("somebody else's row", "l(h)", "{% for r in rows %}<p dj-ignore>{{ r.id }}<b>x</b></p>{% endfor %}", _ROWS),
    (
        "tags that set", "tat",
        '<p>{% regroup rows by on as g %}{{ g|length }}</p><i id="{{ g.0.grouper }}">{{ a }}</i>',
        _ROWS,
    ),
    ("autoescape", "tt", "{% autoescape off %}<p>{{ a }}</p>{% endautoescape %}<p>{{ a }}</p>", {"a": "<b>x</b>"}),
    ("windows", "t", "<p>\r\n{{ a }}\r\n</p>", {"a": "x\r\ny"}),
    ("far from Latin", "at", '<p title="שלום {{ a }}">مرحبا {{ a }} 👋</p>', {"a": "עולם"}),
    ("a hundred elements", "t", "<div>" * 100 + "{{ a }}" + "</div>" * 100, {"a": 1}),
]  # fmt: skip
