"""Random templates: HTML of every kind, with the language of grammar.py in each place where it can stand."""

from grammar import Scope
from loose_markup import LooseMarkup
from template_tree import IGNORED

VOID = ("br", "hr", "img alt='x'", "input", "wbr")
PHRASING = ("b", "i", "span", "em", "code", "a", "q")
FLOW = ("div", "section", "p", "article", "h2", "blockquote")
PLACES = "run run run element element element branch branch loop loop with void phrasing".split()
SPECIAL = (
    "table list select textarea pre svg math comment details raw include recursion form ignore button custom markup "
    "markup loose loose noscript template"
).split()
ODD = (
    "unbalanced tag_name crossing bare_table conditional cdata markup in_select broken_comment nested_p slashes"
).split()


class Markup(LooseMarkup):
    """Random pieces of HTML."""

    includes = True  # whether {% include %} may come: not inside of what is included

    def flow(self, scope, depth=0):
        """What stands in a block element."""
        return self.some(lambda inner: self.piece(inner, depth), scope, 4 if depth < 2 else 2)

    def piece(self, scope, depth):
        """One of anything."""
        pick = self.rng.random()
        kind = self.rng.choice(PLACES)
        if depth > 4:
            return self.run(scope)
        if pick < 0.2:
            kind = self.rng.choice(SPECIAL)
        elif pick < 0.3 and self.wild:
            kind = self.rng.choice(ODD)
        if kind == "run":
            return self.run(scope)
        return getattr(self, "p_" + kind)(scope, depth + 1)

    # Attributes

    def value(self, scope):
        """What stands in quotes."""
        return self.some(lambda inner: self.quiet(inner), scope, 3, least=0)

    def quiet(self, scope):
        """Text for an attribute: a quote of its own would end it."""
        pick = self.rng.random()
        if pick < 0.3:
            return self.one("x", " ", "a-b", "&amp;", "&quot;", "c;d:e", "é", "/p?x=1&y=2" if self.wild else "/p")
        if pick < 0.75:
            return "{{ " + (self.html(scope) if self.wild and self.chance(0.15) else self.text(scope)) + " }}"
        if pick < 0.9:
            return self.if_(scope, lambda inner: [self.one("on", " is-on", "{{ " + self.text(inner) + " }}")])
        return self.one("{% trans 'Yes' %}", "{% cycle 'odd' 'even' %}", "{% url 'item' n=1 %}", "{% static 'a.css' %}")

    def attribute(self, scope):
        """One attribute, or what decides whether there is one."""
        pick = self.rng.random()
        name = self.one("title", "class", "data-a", "aria-label", "style", "lang", "data-b", "DATA-C")
        if pick < 0.2:
            return f' {name}="static &amp; x"'
        if pick < 0.55:
            quote = self.one('"', '"', '"', "'")
            return (f" {name}={quote}", self.value(scope), quote)
        if pick < 0.65:
            return (' class="base ', ["{% if " + self.flag(scope) + " %}is-on{% endif %} {{ cls }}"], '"')
        if pick < 0.78:
            return (
                "{% if " + self.flag(scope) + " %} " + self.one("hidden", "data-f", 'data-g="{{ a }}"') + "{% endif %}"
            )
        if pick < 0.86:
            return f" {name}={{{{ {self.number(scope)} }}}}"
        if pick < 0.9 and self.wild:
            return self.one(
                " {{ a }}", f" {name}={{{{ a }}}}", " {{ html }}", f" {name}='{{{{ html }}}}'", " data-{{ n }}=1", " ="
            )
        return self.one(" data-s", " data-t=plain", " hidden", f" {name} = 'spaced'")

    def attributes(self, scope, most=3):
        """Some, each of another name if the template is a calm one."""
        found, seen = [], set()
        for piece in self.some(self.attribute, scope, most, least=0):
            first = piece if isinstance(piece, str) else piece[0]
            name = first.replace("{%", " %").strip().split("=")[0].split(" ")[0].lower()
            if self.wild or name not in seen:
                found.append(piece)
            seen.add(name)
        return found

    # Pieces

    def tag(self, name, scope, inside, extra=""):
        """An element."""
        return (f"<{name}{extra}", self.attributes(scope), ">", inside, f"</{name}>")

    def p_element(self, scope, depth):
        name = self.rng.choice(FLOW)
        inside = self.some(self.run, scope, 3) if name in ("p", "h2") else self.flow(scope, depth)
        return self.tag(name, scope, inside)

    def p_phrasing(self, scope, depth):
        return self.tag(self.rng.choice(PHRASING), scope, self.some(self.run, scope, 3))

    def p_void(self, scope, depth):
        return (f"<{self.rng.choice(VOID)}", self.attributes(scope), self.one(">", "/>", " />"))

    def p_branch(self, scope, depth):
        return self.if_(scope, lambda inner: self.flow(inner, depth))

    def p_with(self, scope, depth):
        return self.with_(scope, lambda inner: self.flow(inner, depth))

    def p_loop(self, scope, depth, name="div", inside=None):
        """A loop over elements, keyed or not, or over anything."""
        inside = inside or (lambda inner: self.flow(inner, depth))

        def body(inner, row):
            if self.chance(0.15) and name == "div":
                return self.flow(inner, depth)
            gap = self.one("", "", "\n  ", " ")
            tail = [self.run(inner)] if self.wild and self.chance(0.1) else []
            return [gap, self.tag(name, inner, inside(inner), self.key(row)), gap, *tail]

        return self.for_(scope, body)

    def key(self, row):
        """An attribute that names the row, or none."""
        if not row or self.rng.random() < 0.3:
            return ""
        name = self.one("dj-key", "data-key", "id", "dj-key")
        inside = self.one(
            "{{ %s.id }}", "{{ %s.id }}", "{{ %s.id }}", "k{{ %s.id }}", "{{ %s.name }}", "{{ %s.id }}-{{ n }}"
        )
        return f' {name}="{inside % row}"'

    def p_list(self, scope, depth):
        rows = self.p_loop(scope, depth, "li")
        return self.tag(self.one("ul", "ol"), scope, [self.one("", "<li>first</li>"), rows, self.one("", "\n")])

    def p_table(self, scope, depth):
        def cells(inner):
            kind = self.one("td", "td", "th")
            one = [self.tag(kind, inner, self.some(self.run, inner, 2)) for _ in range(self.rng.randrange(1, 4))]
            return one + (
                [self.p_loop(inner, depth, "td", lambda i: self.some(self.run, i, 1))] if self.chance(0.15) else []
            )

        rows = self.p_loop(scope, depth, "tr", cells)
        if self.chance(0.2):
            rows = self.if_(scope, lambda inner: [("<tr>", cells(inner), "</tr>")])
        head = ("<thead><tr>", cells(scope), "</tr></thead>") if self.chance(0.4) else ""
        inside = [head, rows] if self.chance(0.35) else [head, ("<tbody>", ["\n", rows], "</tbody>")]
        return self.tag("table", scope, inside)

    def p_select(self, scope, depth):
        scope = scope.more(markup=False)

        def option(inner):
            flag = "{% if " + self.flag(inner) + " %} selected{% endif %}" if self.chance(0.5) else ""
            return ('<option value="', self.value(inner), '"' + flag + ">", self.some(self.run, inner, 1), "</option>")

        def options(inner, row):
            return [option(inner)]

        inside = [option(scope) for _ in range(self.rng.randrange(3))]
        inside.append(self.for_(scope, options) if self.chance(0.6) else "")
        if self.chance(0.2):
            inside.append(("<optgroup label='g'>", [option(scope)], "</optgroup>"))
        if self.chance(0.3):
            inside.append(self.if_(scope, lambda inner: [option(inner)]))
        return ("<select" + self.one("", " multiple", ' name="s"'), self.attributes(scope, 1), ">", inside, "</select>")

    def p_textarea(self, scope, depth):
        scope = scope.more(markup=False)
        first = self.one("", "\n", "\n\n", "\r\n")
        return ("<textarea", self.attributes(scope, 1), ">" + first, self.some(self.run, scope, 2, 0), "</textarea>")

    def p_pre(self, scope, depth):
        first = self.one("", "\n", "\n\n", "\r\n")
        return ("<pre", self.attributes(scope, 1), ">" + first, self.some(self.run, scope, 3, 0), "</pre>")

    def p_svg(self, scope, depth):
        scope = scope.more(markup=False)

        def shapes(inner):
            n = self.number(inner)
            return self.some(
                lambda i: self.one(
                    f'<circle r="{{{{ {n} }}}}" cx="1"/>',
                    ("<text>", [self.run(i)], "</text>"),
                    (f'<g class="{{{{ {n} }}}}">', [self.run(i)], "</g>"),
                    '<linearGradient viewBox="0 0 {{ m }} 1"></linearGradient>',
                    f'<use xlink:href="#{{{{ {n} }}}}"></use>',
                    "<title>{{ a }}</title>",
                ),
                inner,
                3,
            )

        more = self.one(self.if_(scope, shapes), self.for_(scope, lambda inner, row: shapes(inner)), "")
        if self.wild and self.chance(0.3):
            more = ("<foreignObject>", self.flow(scope, depth), "</foreignObject>")
        return (f'<svg width="{{{{ {self.number(scope)} }}}}">', [*shapes(scope), more], "</svg>")

    def p_math(self, scope, depth):
        scope = scope.more(markup=False)
        return ("<math><mi>", self.some(self.run, scope, 2), "</mi><mo>=</mo><mn>{{ n }}</mn></math>")

    def p_comment(self, scope, depth):
        return ("<!-- ", self.some(self.run, scope, 2) if self.wild or self.chance(0.3) else ["static"], " -->")

    def p_details(self, scope, depth):
        flag = "{% if " + self.flag(scope) + " %} open{% endif %}"
        return (
            f"<details{flag}><summary>",
            self.some(self.run, scope, 2),
            "</summary>",
            self.flow(scope, depth),
            "</details>",
        )

    def p_raw(self, scope, depth):
        name, text = self.one(
            ("style", ".c{color:{{ a }}}"), ("script type='text/plain'", "var x = '{{ a|escapejs }}';")
        )
        return f"<{name}>{text}</{name.split(' ')[0]}>"

    def p_include(self, scope, depth):
        if not self.includes:
            return self.p_phrasing(scope, depth)
        name = self.one("'inc1.html'", "'inc2.html'", "inc")
        more = self.one("", "", f" with a={self.text(scope)}", f" with a={self.text(scope)} only", " only")
        return f"{{% include {name}{more} %}}"

    def p_recursion(self, scope, depth):
        return "{% include 'tree.html' with node=tree %}" if self.includes else self.run(scope)

    def p_form(self, scope, depth):
        inside = self.one(
            "{{ form.name }}",
            "{{ form.note }}",
            "{{ form.kind }}",
            "{{ form.as_p }}",
            "{{ form.name.errors }}",
            "{{ form.sure }}",
        )
        box = '<input type="checkbox"{% if ' + self.flag(scope) + " %} checked{% endif %}>"
        return (
            "<form>",
            ["{% csrf_token %}", inside, box, f'<input name="i" value="{{{{ {self.text(scope)} }}}}">'],
            "</form>",
        )

    def p_ignore(self, scope, depth):
        return (IGNORED, self.some(self.run, scope, 2), "</div>")

    def p_button(self, scope, depth):
        return ("<button", self.attributes(scope), ' dj-click="go">', self.some(self.run, scope, 2), "</button>")

    def p_custom(self, scope, depth):
        """Custom tags that yield markup."""
        text = self.text(scope)
        return self.one(
            "{% badge " + text + " %}",
            "{% panel " + text + " %}",
            "{{ " + text + "|badge }}",
            "{% loud %}<b>{{ " + text + " }}</b>{% endloud %}",
            "{% spaceless %}<i> {{ " + text + " }} </i> <i></i>{% endspaceless %}",
        )

    # Odd, and wild templates only

    def p_unbalanced(self, scope, depth):
        """An opening tag in one branch, its end in another."""
        flag = self.flag(scope)
        name = self.one("div", "b", "span", "section")
        return (
            f"{{% if {flag} %}}<{name} class='w'>{{% endif %}}",
            self.flow(scope, depth),
            f"{{% if {flag} %}}</{name}>{{% endif %}}",
        )

    def p_tag_name(self, scope, depth):
        return ("<h{{ m }}1>", self.some(self.run, scope, 2), "</h{{ m }}1>")

    def p_crossing(self, scope, depth):
        """Ends that do not belong to the last start."""
        return self.one(
            ("<b><i>", self.flow(scope, depth), "</b></i>"),
            ("<p><div>", self.flow(scope, depth), "</div></p>"),
            ("<a href=x><a>", self.flow(scope, depth), "</a></a>"),
            ("<div><span>", self.flow(scope, depth), "</div>"),
            ("</span>", self.flow(scope, depth), ""),
            ("<form><form>", self.flow(scope, depth), "</form></form>"),
            ("{% if " + self.flag(scope) + " %}</div><div>{% endif %}", self.flow(scope, depth), ""),
            ("{% for z in rows %}</div><div>{% endfor %}", self.flow(scope, depth), ""),
        )

    def p_bare_table(self, scope, depth):
        """What a parser moves elsewhere, or makes a tbody for."""
        return self.one(
            ("<table>", self.flow(scope, depth), "</table>"),
            ("<table><tr>", self.flow(scope, depth), "</tr></table>"),
            ("<table><tr><td>{{ a }}<td>", self.some(self.run, scope, 2), "<tr><td>{{ b }}</table>"),
            ("<table>{% for z in rows %}<tr><td>{{ z.name }}", self.some(self.run, scope, 1), "{% endfor %}</table>"),
            (
                "<table><caption>{{ a }}</caption><colgroup><col span={{ n }}></colgroup>",
                [self.p_loop(scope, depth, "tbody")],
                "</table>",
            ),
            (
                "<ul>{% for z in rows %}<li dj-key='{{ z.id }}'>{{ z.name }}",
                self.some(self.run, scope, 1),
                "{% endfor %}</ul>",
            ),
            ("<dl>{% for z in rows %}<dt>{{ z.name }}<dd>", self.some(self.run, scope, 1), "{% endfor %}</dl>"),
        )

    def p_conditional(self, scope, depth):
        return self.one(
            ("<!--[if IE]>", self.flow(scope, depth), "<![endif]-->"),
            ("<![if !IE]>", self.flow(scope, depth), "<![endif]>"),
            "<!-- {% if " + self.flag(scope) + " %}--><b>out</b><!--{% endif %} -->",
            "<!---->x<!-->",
            "<?php {{ a }} ?>",
        )

    def p_cdata(self, scope, depth):
        return self.one("<![CDATA[ {{ a }} ]]>", "<svg><text><![CDATA[ {{ a }} < ]]></text></svg>")

    def p_markup(self, scope, depth):
        return "{{ " + self.html(scope) + " }}"

    def p_in_select(self, scope, depth):
        return ("<select>", self.flow(scope, depth), "</select>")

    def p_broken_comment(self, scope, depth):
        return self.one("<!-- {{ html }} -->", "<!--{{ a }}-->", "<!-- $ -->", "<!--$b1-->x<!--$-->", "<! {{ a }}>")

    def p_nested_p(self, scope, depth):
        return ("<p>", [self.p_element(scope, depth)], "</p>")

    def p_slashes(self, scope, depth):
        return self.one(
            "<div/>{{ a }}</div>", "<b/{{ a }}>x</b>", "<br/ data-x={{ n }}/>", "<i\n\ttitle\n=\n'{{ a }}'>x</i>"
        )


def scope():
    """What the roots are called."""
    return Scope()
