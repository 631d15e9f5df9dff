"""A case: templates, and the states that a view of them goes through."""

import dataclasses
import random
import re

from markup import Markup, scope
from states import ROOTS, Changes, States
from template_tree import source, without_ignored

ROOTS_OF_PAGES = ("fragment", "fragment", "document", "document", "body", "bare", "child", "child")
SUPERS = (
    "",
    "",
    "{{ block.super }}",
    "{{ block.super|upper }}",
    "{% if flag %}{{ block.super }}{% endif %}",
    "{% for z in rows %}{{ block.super }}{% endfor %}",
    "{% with s=block.super %}{{ s }}{% endwith %}",
)
# The parent's markup ends the quotes and the tag: no slot can stand for that.
WILD_SUPERS = (*SUPERS, "<i title='{{ block.super }}'>x</i>")
BODY = re.compile(r"<body(\s[^<>]*)?>")
TAG = re.compile(r"\{[{%].*?[%}]\}")
NAME = re.compile(r"(?<![.'\"\w])(" + "|".join(ROOTS) + r")(?![\w'\"])")


@dataclasses.dataclass
class Case:
    """Reads back from its repr()."""

    templates: dict  # name → pieces; the page is "main.html"
    states: list  # of values.build()
    in_place: list  # of bool: whether the step to each state changes the objects of the one before
    lost: list  # of bool: whether the page's socket is lost in the step to each state
    wild: bool = False
    language: str = None
    invalid: bool = False  # an unknown name gives a text
    kind: str = "bare"  # of page: see ROOTS_OF_PAGES

    @property
    def wrapped(self):
        """Whether the page has neither dj-root nor body."""
        return self.kind == "bare"

    def has_its_root(self):
        """Whether the page's live part is still marked as it was made."""
        sources = self.sources()
        main = sources["main.html"]
        if self.kind == "child":
            bases = [text for name, text in sources.items() if name.startswith("base")]
            return "{% extends" in main and bool(bases) and all("dj-root" in text for text in bases)
        return self.wrapped or (BODY.search(main) is not None if self.kind == "body" else "dj-root" in main)

    def without_ignored(self):
        """The same case, with nothing in what the page ignores."""
        templates = {name: without_ignored(pieces) for name, pieces in self.templates.items()}
        return dataclasses.replace(self, templates=templates)

    def sources(self):
        """Name → text."""
        return {name: source(pieces) for name, pieces in self.templates.items()}


def _document(markup, inside, root=True):
    title = [markup.one("T", "{{ a }}", "T {{ n }} &amp; {% if flag %}on{% endif %}")]
    head = ("<!doctype html>\n<html><head><meta charset=utf-8><title>", title, "</title></head>\n<body")
    if not root:
        end = "</body>\n</html>\n"  # white space that goes on in what is open at </body>
        return (*head, markup.attributes(scope(), 2), ">", inside, end)
    outside = [markup.one("", "<h1>{{ b }} outside</h1>", "{% for z in rows %}<p>{{ z.name }}</p>{% endfor %}")]
    return (*head, [], ">", outside, "\n", inside, "\n<footer>{{ c }}</footer></body></html>")


def _rooted(markup, inside):
    name = markup.one("div", "main", "section", "article", "div")
    return (f"<{name} dj-root", markup.attributes(scope(), 2), ">", inside, f"</{name}>")


def _bases(markup):
    """Two parents with the same blocks. A name that is not there, in a filter, makes all of {{ block.super }} empty."""
    found = {}
    missing = markup.one("", "", "", "{{ a|default:missing }}")
    for at in (1, 2):
        block = ("{% block body %}", [f"base{at} ", missing, *markup.flow(scope(), 1)], "{% endblock %}")
        inside = [f"<p>{at}</p>", block, ("<div>", ["{% block side %}side {{ c }}{% endblock %}"], "</div>")]
        found[f"base{at}.html"] = _document(markup, _rooted(markup, inside))
    return found


def _child(markup):
    parent = markup.one("'base1.html'", "'base1.html'", "parent")
    flow = markup.flow(scope())
    for _ in range(2):
        supers = WILD_SUPERS if markup.wild else SUPERS
        flow.insert(markup.rng.randrange(len(flow) + 1), markup.one(*supers))
    side = ("{% block side %}", markup.some(markup.run, scope(), 2), "{% endblock %}") if markup.chance(0.5) else ""
    return ["{% extends " + parent + " %}", ("{% block body %}", flow, "{% endblock %}"), side]


def _page(markup, kind):
    if kind == "child":
        return _child(markup)
    inside = markup.flow(scope())
    if kind == "bare":
        return inside
    if kind == "body":
        return _document(markup, inside, root=False)
    rooted = _rooted(markup, inside)
    return rooted if kind == "fragment" else _document(markup, rooted)


def _included(rng, wild):
    markup = Markup(rng, wild, 8)
    markup.includes = False
    found = {f"inc{at}.html": [f"inc{at} ", *markup.flow(scope(), 2)] for at in (1, 2)}
    kids = "{% for kid in node.kids %}{% include 'tree.html' with node=kid %}{% endfor %}"
    found["tree.html"] = [("<ul><li>{{ node.name }}", [kids], "</li></ul>")]
    return found


def _reachable(templates):
    """Those that the page may need."""
    needed, texts = {"main.html"}, {name: source(pieces) for name, pieces in templates.items()}
    for _ in texts:
        text = "".join(texts[name] for name in needed)
        variable = re.search(r"include inc\b|extends parent", text)
        needed |= {name for name in texts if f"'{name}'" in text or variable and name[:3] in ("inc", "bas")}
    return {name: pieces for name, pieces in templates.items() if name in needed}


def _names(templates):
    """The roots that they read."""
    tags = "".join(tag for pieces in templates.values() for tag in TAG.findall(source(pieces)))
    return sorted(set(NAME.findall(tags)))


def make(seed):
    """The case of a seed."""
    rng = random.Random(seed)
    wild = rng.random() < 0.5
    kind = rng.choice(ROOTS_OF_PAGES)
    markup = Markup(rng, wild, rng.choice((6, 12, 25, 40)))
    templates = {"main.html": _page(markup, kind)}
    if kind == "child":
        templates.update(_bases(Markup(rng, wild, 10)))
    templates.update(_included(rng, wild))
    templates = _reachable(templates)
    names = _names(templates)
    states = States(rng, wild)
    sequence = [{name: states.value(name) for name in names}]
    changes = Changes(rng, states, names)
    for _ in range(rng.choice((1, 2, 4, 6))):
        sequence.append(changes.next(sequence[-1]))
    in_place = [rng.random() < 0.6 for _ in sequence]
    language = rng.choice((None, None, "de", "en"))
    lost = [rng.random() < 0.06 for _ in sequence]
    return Case(templates, sequence, in_place, lost, wild, language, rng.random() < 0.1, kind)
