"""Random templates of all kinds of tags, nested, over a context of all kinds of values: Django and we agree.

It prints its seed; TROUPE_SEED=… repeats it, TROUPE_CASES=… sets how many templates there are.
"""

import contextlib
import itertools
import os
import random
import re

import pytest
from django.template.base import Node
from django.test import override_settings
from django.utils import translation
from template_pair import agree, engines, outcome
from test_template_lowering import CONDITIONS, FILES, FILTERS, VARIABLES, make

pytest.importorskip("troupe._native")

SEED = int(os.environ.get("TROUPE_SEED") or random.SystemRandom().getrandbits(31))
CASES = int(os.environ.get("TROUPE_CASES") or 300)
MOST_NODES = 5000  # rendered of one template: loops in loops over what grows in them would take all memory there is
NAMES = [name for name in VARIABLES if "(" not in name]
WORDS = [word for line in FILTERS for word in line.split()]
EXPRESSIONS = NAMES + [word for word in WORDS if word.count('"') % 2 == 0 and "(" not in word]
CONDITIONS = [condition for condition in CONDITIONS.replace("\n", "|").split("|") if condition]
LOCAL = ["a", "b", "c", "a.b", "forloop.counter", "forloop.parentloop.counter", "forloop.last", "forloop.revcounter"]
AROUND = [
    "{% for a in E %}B{% endfor %}",
    "{% for a in list %}B{% empty %}B{% endfor %}",
    "{% for a, b in pairs %}B{% endfor %}",
    "{% for b in E reversed %}B{% empty %}B{% endfor %}",
    "{% for a, c in plain.items %}B{% endfor %}",
    "{% if C %}B{% endif %}",
    "{% if C %}B{% elif C %}B{% else %}B{% endif %}",
    "{% with a=E b=E %}B{% endwith %}",
    "{% autoescape off %}B{% endautoescape %}",
    "{% wrap %}B{% endwrap %}",
    "{% spaceless %}B{% endspaceless %}",
    "{% filter upper %}B{% endfilter %}",
    "{% language 'de' %}B{% endlanguage %}",
    "{% localize off %}B{% endlocalize %}",
    "{% localtime off %}B{% endlocaltime %}",
    "{% ifchanged %}B{% else %}B{% endifchanged %}",
    "{% block N %}B{% endblock %}",
]
SINGLE = [
    "{{ E }}", "{{ E }}", "{{ E|upper }}", "{{ a }}{{ b }}", "text <b>", "{% cycle E E %}", "{% firstof E E %}",
    "{% said E x=E %}", "{% sees %}", "{% puts 'c' E %}", "{% include 'included.html' %}",
    "{% include template with x=E %}", "{% include 'included.html' with value=E only %}", "{% translate 'Yes' %}",
    "{% translate E %}", "{% loud E %}", "{% blocktranslate with v=E %}Yes {{ v }}{% endblocktranslate %}",
    "{% firstof E as c %}", "{% url 'query' E as c %}", "{% widthratio number 2 E %}",
    "{% regroup pairs by 0 as c %}", "{% box E %}", "{{ block.super }}", "{% nothing %}",
]  # fmt: skip


def template(random, depth=0):
    """The source of a template."""
    parts = []
    for _ in range(random.randint(1, 3)):
        shape = random.choice(AROUND if depth < 4 and random.random() < 0.6 else SINGLE)
        while "B{%" in shape or "}B" in shape:
            shape = shape.replace("}B{%", "}" + template(random, depth + 1) + "{%", 1)
        parts.append(shape)
    return "".join(parts)


def filled(random, source):
    """The source with expressions, conditions and names in it."""
    choices, numbers = {"E": EXPRESSIONS + LOCAL * 8, "C": CONDITIONS + LOCAL * 2}, itertools.count()

    def one(found):
        return f"n{next(numbers)}" if found[0] == "N" else random.choice(choices[found[0]])

    return re.sub(r"(?<=[ =])[ECN](?=[ |])", one, source)


class _TooManyNodesError(Exception):
    """A template that goes on and on."""


@contextlib.contextmanager
def _counted():
    """Inside, Django stops at MOST_NODES nodes; yields how many there were, in a list."""
    render, count = Node.render_annotated, [0]

    def counting(self, context):
        count[0] += 1
        if count[0] > MOST_NODES:
            raise _TooManyNodesError
        return render(self, context)

    Node.render_annotated = counting
    try:
        yield count
    finally:
        Node.render_annotated = render


def is_small(source, **options):
    """Whether Django comes to an end with it soon."""
    with _counted() as count:
        outcome(engines(dict(FILES), **options)[0], source, make)
    return count[0] <= MOST_NODES


@override_settings(ROOT_URLCONF="probe_tags")
def test_what_is_too_large():
    assert is_small("{% for a in range %}{{ a }}{% endfor %}")
    deep = "{% for a in text|escape %}" * 4 + "{{ a }}" + "{% endfor %}" * 4
    assert not is_small(deep)


@override_settings(ROOT_URLCONF="probe_tags")
def test_random_templates():
    print(f"TROUPE_SEED={SEED} TROUPE_CASES={CASES}")
    rendered = skipped = 0
    for case in range(CASES):
        choose = random.Random(f"{SEED}:{case}")
        source = "{% load i18n l10n tz %}" + filled(choose, template(choose))
        if choose.random() < 0.2:
            source = "{% extends 'base.html' %}" + source
        debug, invalid = choose.random() < 0.3, choose.choice(["", "", "INVALID", "bad %s"])
        try:
            if not is_small(source, debug=debug, string_if_invalid=invalid):
                skipped += 1
                continue
            kind = agree(source, make, FILES, debug=debug, string_if_invalid=invalid)
        finally:
            translation.activate("en")
        rendered += kind[0] == "text"
    assert skipped <= CASES / 20
    assert rendered > CASES / 20, "most of them must be templates that render"
