"""Random templates: what Django's language does with names, loops and branches. markup.py puts HTML around it."""

TEXTS = ("a", "b", "c", "lazy", "call", "none", "dec", "d.k", "d.0", "thing.name", "thing.shout", "words.0", "site")
NUMBERS = ("n", "m", "rows|length", "words|length", "n|add:m", "form.errors|length")
FLAGS = (
    "flag",
    "on",
    "not flag",
    "n > 2",
    "m",
    "a == b",
    "a and flag",
    "flag or on",
    "rows",
    "'k' in d",
    "none is None",
)
HTMLS = ("html", "more")
LISTS = (
    ("rows", "row"),
    ("rows", "row"),
    ("rows", "row"),
    ("objs", "row"),
    ("words", "text"),
    ("pairs", "pair"),
    ("d.items", "pair"),
    ("gen", "row"),
    ("rows|slice:':3'", "row"),
    ("rows|dictsort:'n'", "row"),
    ("a|make_list", "text"),
    ("none", "text"),
)
FILTERS = (
    "upper",
    "lower",
    "title",
    "capfirst",
    "length",
    "default:'-'",
    "default_if_none:'none'",
    "truncatechars:6",
    "truncatewords:2",
    "slice:':4'",
    "first",
    "last",
    "add:'x'",
    "yesno:'y,n'",
    "cut:' '",
    "escape",
    "force_escape",
    "urlencode",
    "slugify",
    "wordcount",
    "ljust:5",
    "center:7",
    "stringformat:'s'",
    "pluralize",
    "striptags",
    "bang",
    "shy",
)
NUMBER_FILTERS = (
    "add:1",
    "floatformat",
    "floatformat:2",
    "divisibleby:2",
    "pluralize",
    "stringformat:'03d'",
    "default:'0'",
)
MARKUP_FILTERS = ("linebreaksbr", "urlize", "linenumbers", "escapejs")
WILD_FILTERS = (*MARKUP_FILTERS, "safe", "linebreaks", "unordered_list")
LITERALS = ("'lit'", "12", "_('Yes')", "'<i>&</i>'", "'<b>'|safe")
DATES = (
    "day|date:'Y-m-d'",
    "when|date:'j. N Y, H:i'",
    "when|time:'H:i'",
    "day|date",
    "when",
    "day|date:'SHORT_DATE_FORMAT'",
)
ONCE = (
    '{% now "Y" %}',
    "{% templatetag openbrace %}",
    "{% lorem 2 w %}",
    "{# note #}",
    "{% comment %}no{% endcomment %}",
)


class Scope:
    """What a template may name at some place: expressions of each kind, and how many loops stand around."""

    def __init__(self, texts=TEXTS, numbers=NUMBERS, flags=FLAGS, htmls=HTMLS, lists=LISTS, loops=0, markup=True):
        self.texts, self.numbers, self.flags = tuple(texts), tuple(numbers), tuple(flags)
        self.htmls, self.lists, self.loops = tuple(htmls), tuple(lists), loops
        self.markup = markup  # False: where markup cannot stand

    def more(self, **names):
        """A scope with these expressions besides, which come up often."""
        kinds = {kind: getattr(self, kind) for kind in ("texts", "numbers", "flags", "htmls", "lists")}
        for kind, extra in names.items():
            if kind in kinds:
                kinds[kind] += tuple(extra) * 4
        return Scope(**kinds, loops=names.get("loops", self.loops), markup=names.get("markup", self.markup))

    def row(self, name):
        """The scope inside of a loop over rows."""
        loop = ["forloop.counter", "forloop.counter0", "forloop.revcounter", "forloop.parentloop.counter"]
        return self.more(
            texts=[f"{name}.name", f"{name}.name", f"{name}.id", f"{name}.tags.0", f"{name}.missing"],
            numbers=[f"{name}.n", f"{name}.n", *loop[: 4 if self.loops else 3]],
            flags=[f"{name}.on", f"{name}.on", f"{name}.n > 2", "forloop.first", "forloop.last", f"{name}.kids"],
            htmls=[f"{name}.html"],
            lists=[(f"{name}.kids", "row"), (f"{name}.tags", "text"), (f"{name}.items", "pair")],
            loops=self.loops + 1,
        )


class Grammar:
    """Random pieces of text. left: how many more pieces the template may have. wild: see states.States."""

    def __init__(self, rng, wild, size=40):
        self.rng, self.wild, self.left, self.names = rng, wild, size, 0

    def one(self, *choices):
        """One of these; numbers in front of it are weights."""
        return self.rng.choice(choices)

    def chance(self, of):
        """True in so many cases; a template that has got long gets no more."""
        return self.rng.random() < of and self.left > 0

    def some(self, make, scope, most=4, least=1):
        """A list of pieces that `make` made."""
        found = []
        for _ in range(self.rng.randrange(least, most + 1)):
            if self.left <= 0 and len(found) >= least:
                break
            self.left -= 1
            found.append(make(scope))
        return found

    # Expressions

    def text(self, scope):
        """A text expression."""
        pick = self.rng.random()
        if pick < 0.62:
            found = self.rng.choice(scope.texts)
        elif pick < 0.8:
            found = self.number(scope)
        elif pick < 0.86:
            found = self.rng.choice(LITERALS if self.wild else LITERALS[:3])
        elif pick < 0.93:
            return self.rng.choice(DATES)
        else:
            found = self.rng.choice(("missing", "big", "missing.deeper", "big|floatformat:1", "dec|floatformat"))
        while self.rng.random() < 0.25:
            found += "|" + self.rng.choice(FILTERS)
        return found

    def number(self, scope):
        """A number."""
        found = self.rng.choice(scope.numbers)
        return found + "|" + self.rng.choice(NUMBER_FILTERS) if self.rng.random() < 0.2 else found

    def flag(self, scope):
        """A condition."""
        found = self.rng.choice(scope.flags)
        if self.rng.random() < 0.12:
            found = f"{found} {self.one('and', 'or')} {self.rng.choice(scope.flags)}"
        return found

    def html(self, scope):
        """Something that may hold markup."""
        found = self.rng.choice(scope.htmls) if self.rng.random() < 0.7 else self.text(scope)
        if self.rng.random() < 0.25:
            found += "|" + self.rng.choice(WILD_FILTERS if self.wild else MARKUP_FILTERS)
        return found

    # Text

    def literal(self):
        """Text as it stands in a template."""
        calm = ["x", " ", "Name: ", "\n  ", ", ", "é", "שלום", "&amp;", "&nbsp;", "&lt;i&gt;", "5 > 4", "'q'", "$", "."]
        wild = ["&", "& &copy", "\r\n", "&#x41;", "{", "}", "<", "< b", "]]>", "&bogus;", '"', "\t", "&#0;", "--"]
        return self.rng.choice(calm + wild if self.wild and self.rng.random() < 0.3 else calm)

    def run(self, scope):
        """A piece of text: nothing in it is markup, unless a value is."""
        pick = self.rng.random()
        if pick < 0.25:
            return self.literal()
        if pick < 0.6:
            return "{{ " + self.text(scope) + " }}"
        if pick < 0.64 and (scope.markup or self.wild):
            return "{{ " + self.html(scope) + " }}"
        return self.rng.choice(
            (self.if_text, self.if_text, self.for_text, self.with_text, self.tag_text, self.block_tag, self.odd_text)
        )(scope)

    def if_text(self, scope):
        """{% if %} around text."""
        return self.if_(scope, lambda inner: self.some(self.run, inner, 2))

    def for_text(self, scope):
        """{% for %} around text."""
        return self.for_(scope, lambda inner, _: self.some(self.run, inner, 2))

    def with_text(self, scope):
        """{% with %} around text."""
        return self.with_(scope, lambda inner: self.some(self.run, inner, 2))

    def tag_text(self, scope):
        """A tag that yields text."""
        text, number = self.text(scope), self.number(scope)
        return self.one(
            "{% firstof missing " + text + " 'fall' %}",
            "{% widthratio " + number + " 5 100 %}",
            "{% trans 'Yes' %}",
            "{% translate 'January' %}",
            "{% blocktranslate with x=" + text + " %}Hello {{ x }}{% endblocktranslate %}",
            "{% cycle 'odd' 'even' " + text + " %}",
            "{% shout " + text + " %}",
            "{% shout " + text + " as loud %}{{ loud }}",
            "{% mine %}",
            "{% static 'x.css' %}",
            "{% url 'item' n=" + number + " %}",
            "{% get_current_language as LANG %}{{ LANG }}",
            *ONCE,
        )

    def block_tag(self, scope):
        """A tag with an end, around text."""
        opening, closing = self.one(
            ("{% filter upper %}", "{% endfilter %}"),
            ("{% filter force_escape|cut:'a' %}", "{% endfilter %}"),
            ("{% autoescape off %}" if self.wild else "{% autoescape on %}", "{% endautoescape %}"),
            ("{% spaceless %}", "{% endspaceless %}"),
            ("{% ifchanged %}", "{% endifchanged %}"),
            ("{% ifchanged " + self.text(scope) + " %}", "{% endifchanged %}"),
            ("{% loud %}", "{% endloud %}"),
            ("{% localize on %}", "{% endlocalize %}"),
            ("{% timezone 'Asia/Tokyo' %}", "{% endtimezone %}"),
        )
        return (opening, self.some(self.run, scope, 2), closing)

    def odd_text(self, scope):
        """What sets a name for what follows, and what is not executed."""
        return self.one(
            "{% keep a=" + self.text(scope) + " %}",
            "{% verbatim %}{{ a }}{% endverbatim %}",
            "{% regroup rows by on as groups %}{% for g in groups %}{{ g.grouper }}{{ g.list|length }}{% endfor %}",
            "{% cycle 'p' 'q' as pq %}{{ pq }}{{ pq }}",
            "{% cycle 'p' 'q' as silent_pq silent %}{{ silent_pq }}{% resetcycle silent_pq %}",
            "{% firstof c a as first %}{{ first }}",
        )

    # What stands around anything

    def if_(self, scope, make):
        """{% if %} with its branches."""
        piece = ("{% if " + self.flag(scope) + " %}", make(scope))
        while self.chance(0.15):
            piece += ("{% elif " + self.flag(scope) + " %}", make(scope))
        if self.chance(0.4):
            piece += ("{% else %}", make(scope))
        return (*piece, "{% endif %}")

    def for_(self, scope, make):
        """{% for %}: make(inner scope, the row's name or None)."""
        expr, kind = self.rng.choice(scope.lists)
        if expr.endswith(".items") and not self.wild:
            expr = "d.items"  # those of a row hold markup
        self.names += 1
        name = f"r{self.names}"
        backwards = " reversed" if self.rng.random() < 0.12 and not expr.startswith("gen") else ""
        if kind == "pair":
            inner, row, names = (
                scope.more(texts=[f"k{name}", f"v{name}"], loops=scope.loops + 1),
                None,
                f"k{name}, v{name}",
            )
        elif kind == "text":
            inner, row, names = scope.more(texts=[name, f"{name}|upper"], loops=scope.loops + 1), None, name
        else:
            inner, row, names = scope.row(name), name, name
        piece = (f"{{% for {names} in {expr}{backwards} %}}", make(inner, row))
        if self.chance(0.25):
            piece += ("{% empty %}", make(scope, None))
        return (*piece, "{% endfor %}")

    def with_(self, scope, make):
        """{% with %}, which names something anew or hides a root."""
        self.names += 1
        name = self.one(f"w{self.names}", f"w{self.names}", "a")
        # It is named inside: what nothing needs is not evaluated, and so cannot fail where Django would.
        opening = f"{{% with {name}={self.text(scope)} %}}"
        return (opening, [*make(scope.more(texts=[name])), f"{{{{ {name} }}}}"], "{% endwith %}")
