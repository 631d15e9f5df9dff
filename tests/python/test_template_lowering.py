"""troupe.template against Django: what Django's own tests of templates do not look at."""

import copy
import datetime
import gc
import re
import threading
import weakref
from decimal import Decimal
from pathlib import Path

import django
import pytest
from django.template import Context, Engine
from django.template.base import Template as DjangoTemplate
from django.template.base import VariableNode
from django.test import RequestFactory, override_settings
from django.utils import translation
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import SafeString, mark_safe
from template_pair import agree, engines, is_native, outcome

from troupe.template import lowering

native = pytest.importorskip("troupe._native")

FILES = {
    "base.html": "<{% block a %}A{{ x }}{% endblock %}|{% block b %}B{% block c %}C{% endblock %}{% endblock %}>",
    "middle.html": "{% extends 'base.html' %}{% block a %}m{{ block.super }}{% endblock %}",
    "child.html": "{% extends parent %}{% block a %}c{{ block.super }}{% endblock %}{% block c %}{{ x }}{% endblock %}",
    "included.html": "({{ value }}{{ x }}{{ forloop.counter }}{{ y }})",
    "tree.html": "{{ node.name }}{% for node in node.children %}{% include 'tree.html' %}{% endfor %}",
    "endless.html": "{% include 'endless.html' %}",
    "broken.html": "{% for x in xs %}{{ x|fails }}{% endfor %}",
    "unparsed.html": "{% if %}",
}


class Box:
    """Counts how often its members are looked at."""

    def __init__(self, log, **values):
        self._log = log
        self.__dict__.update(values)

    @property
    def counted(self):
        self._log.append("counted")
        return "<counted>"

    @property
    def raises(self):
        self._log.append("raises")
        raise AttributeError("inside the property")

    @property
    def keyless(self):
        self._log.append("keyless")
        raise KeyError("inside")

    @property
    def german(self):
        translation.activate("de")
        return ""

    def method(self):
        self._log.append("method")
        return ["m", "<"]

    def wants(self, value):
        return value

    def type_error(self):
        self._log.append("type_error")
        raise TypeError("of its own")

    def erases(self):
        self._log.append("erased")

    erases.alters_data = True

    class Silent(Exception):
        silent_variable_failure = True

    def silent(self):
        raise self.Silent

    def __str__(self):
        self._log.append("str")
        return "<box>"


class Mapping:
    """Has a __getitem__ that is written in Python."""

    def __init__(self, log):
        self.log = log
        self.attribute = "attribute"

    def __getitem__(self, key):
        self.log.append(key)
        if key in ("key", 0):
            return f"item {key}"
        raise KeyError(key)


class Uncallable:
    do_not_call_in_templates = True

    def __call__(self):
        raise AssertionError("it must not be called")

    def __str__(self):
        return "uncallable"


class Meta(type):
    def __getitem__(cls, key):
        return f"meta {key}"


class Subscribed(metaclass=Meta):
    do_not_call_in_templates = True


class Generic:
    do_not_call_in_templates = True

    def __class_getitem__(cls, key):
        return f"class {key}"

    name = "attribute"


class Truthless:
    def __bool__(self):
        raise ValueError("no truth")


class Incomparable:
    def __eq__(self, other):
        raise ValueError("no comparing")

    __hash__ = None


class Text(str):
    def __html__(self):
        return f"html({str(self)})"


def make():
    """A context of all kinds of values, and the log of what was done to them."""
    log = []

    def generator():
        for number in range(3):
            log.append(number)
            yield number

    def called():
        log.append("called")
        return {"deep": "<called>"}

    values = {
        "text": "<&\"'>", "safe": mark_safe("<b>"), "empty": "", "number": 3, "big": 2**80, "float": 1.5, "yes": True,
        "no": False, "nothing": None, "decimal": Decimal("1234.50"), "date": datetime.date(2024, 2, 29),
        "when": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),  # noqa: UP017
        "naive": datetime.datetime(2024, 2, 29, 12, 30), "list": ["a", "<b>", 3], "pairs": [(1, "a"), (2, "b")],
        "ragged": [(1, 2), (1, 2, 3)], "dict": {"key": "<v>", "items": "shadowed", "0": "zero", 1: "one"},
        "plain": {"k": [1, 2], "l": [3]}, "box": Box(log, name="n", inner=Box(log, name="<in>")),
        "mapping": Mapping(log), "generator": generator(), "called": called, "uncallable": Uncallable(),
        "lazy": lazystr("<lazy>"), "proxy": SimpleLazyObject(lambda: log.append("set up") or "<proxy>"),
        "html": Text("<t>"), "set": frozenset([1]), "truthless": Truthless(), "incomparable": Incomparable(),
        "subscribed": Subscribed, "generic": Generic, "bytes": b"<\xff>", "surrogate": "a\ud800<", "nul": "a\0b",
        "emoji": "é<日本>👩‍👧", "nested": [[1, [2]], [3, []]], "upper": str.upper, "class": Box, "name": "key",
        "node": {"name": "1", "children": [{"name": "2", "children": []}, {"name": "3", "children": []}]},
        "parent": "base.html", "x": "<x>", "missing_parent": "nowhere.html", "index": 1, "percent": "50%",
        "template": "included.html", "templates": ["nowhere.html", "included.html"], "forms": 1, "range": range(3),
    }  # fmt: skip
    return values, log


VARIABLES = """
    text safe empty number big float yes no nothing decimal date when naive list dict dict.key dict.items dict.0
    dict.1 dict.nope plain.k.0 plain.items plain.keys list.0 list.9 list.name box box.name box.inner.name
    box.counted box.raises box.keyless box.method box.method.1 box.wants box.type_error box.erases box.silent
    box.nope box.counted.nope mapping.key mapping.0 mapping.attribute mapping.nope generator called called.deep
    uncallable lazy proxy proxy.nope html set truthless subscribed.x generic.name generic.other bytes surrogate
    nul emoji upper class.x nope nope.nope text.0 text.9 text.upper text.isdigit number.real True None forloop
    block 3 3.5 "lit<" 'a"b' _("text") range range.1 nested.0.1.0 percent
""".split()


PLACES = [
    "a{{ V }}b",
    "{% autoescape off %}{{ V }}{% endautoescape %}",
    "{{ V|default:'d' }}{{ nope|default:V }}",
    "{% if V %}1{% else %}2{% endif %}",
    "{% if not V %}1{% elif V %}2{% endif %}",
    "{% for i in V %}{{ i }},{{ forloop.counter }}{% empty %}none{% endfor %}",
    "{% for i in V reversed %}{{ i }},{{ forloop.last }}{% empty %}none{% endfor %}",
    "{% with v=V %}{{ v }}{{ v.name }}{% endwith %}",
    "{% firstof nope V 'end' %}{% firstof empty V as f %}{{ f }}",
    "{{ V|upper|same|shout|mode|length }}",
    "{% said V a=x %}{% said a=V %}",
]


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("invalid", ["", "INVALID", "bad %s"])
def test_a_variable(name, invalid):
    for source in PLACES:
        agree(source.replace("V", name), make, string_if_invalid=invalid)


FILTERS = """
    text|upper safe|upper safe|same safe|shout safe|lower text|mode safe|mode number|between:text
    text|between:"<lit>" text|between:_("Yes") text|between:number text|between:nope text|between:3
    text|fails nope|fails nope|default:text nope|default_if_none:"d" when|date:"H:i e" when|date
    naive|date:"c" nothing|date date|date:"j N Y" float|floatformat:2 float|floatformat:nope number|add:"3"
    list|join:", " list|join:safe list|first list|last|upper text|truncatechars:3 emoji|length emoji|upper
    surrogate|upper surrogate|length lazy|upper lazy|same proxy|upper html|upper html|same text|safe|upper
    text|escape|same text|force_escape|escape text|urlencode text|linebreaksbr list|length number|yesno
    yes|yesno:"a,b,c" nothing|yesno:"a,b,c" number|pluralize list|pluralize:"y,ies" text|cut:"<"
    text|slice:":2" list|slice:"1:" list|unordered_list number|divisibleby:3 text|stringformat:"s"
    float|stringformat:".3f" when|time text|title text|capfirst text|wordcount
""".split("\n")


@pytest.mark.parametrize("line", FILTERS)
@pytest.mark.parametrize("tz", ["on", "off", "none"])
def test_filters(line, tz):
    for expression in re.findall(r'(?:[^\s"]|"[^"]*")+', line):
        agree(f"{{% switch use_tz {tz} %}}a{{{{ {expression} }}}}", make)
        agree("{% switch autoescape off %}{{ E }}{% if E %}t{% endif %}".replace("E", expression), make)


CONDITIONS = """
number == 3|number != 3|number < 4 and text|nope == nothing|nope is None|nothing is None|x in text|"a" in list
3 not in list|nope in nope|text in nope|not nope or truthless|truthless|truthless or yes|not truthless
incomparable == 3|incomparable in list|number > text|number >= float|big < number|yes is True|yes is not no
list == list|nope|not nope|box.raises|box.keyless == 1|box.counted and box.counted|called.deep == "<called>"
generator|number and nothing or text|text|float == 1.5|nope.nope or box.silent|upper == nope|box.type_error or yes
"""


@pytest.mark.parametrize("condition", [text for text in CONDITIONS.replace("\n", "|").split("|") if text])
def test_conditions(condition):
    agree("{% if C %}1{% elif text %}2{% else %}3{% endif %}".replace("C", condition), make)
    agree("{% if nope %}1{% elif C %}2{% else %}3{% endif %}".replace("C", condition), make, debug=True)


CASES = (Path(__file__).parent / "template_cases.txt").read_text(encoding="utf-8").splitlines()
TEMPLATES = [case.replace("\\n", "\n") for case in CASES] + ["{{ text }}" * 50, ""]


@override_settings(ROOT_URLCONF="probe_tags")
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("source", TEMPLATES)
def test_a_template(source, debug):
    try:
        result = agree(source, make, FILES, debug=debug)
    finally:
        translation.activate("en")
    assert result


@override_settings(ROOT_URLCONF="probe_tags")
@pytest.mark.parametrize("source", TEMPLATES)
def test_a_template_with_a_request(source):
    try:
        agree(source, make, FILES, RequestFactory().get("/"), context_processors=["template_pair.nobody"])
    finally:
        translation.activate("en")


def test_failed_lookups_are_logged(caplog):
    for engine in engines(FILES):
        caplog.clear()
        with caplog.at_level("DEBUG", "django.template"):
            outcome(engine, "{{ nope }}{{ dict.nope }}{{ box.silent }}{% if box.nope %}{% endif %}", make)
        seen = [
            (record.getMessage(), record.exc_info[0].__name__, str(record.exc_info[1])[:60])
            for record in caplog.records
        ]
        if type(engine) is Engine:
            expected = seen
    assert len(seen) == 4 and seen == expected


class Strange(Context):
    def __getitem__(self, key):
        return f"strange {key}"


class Quiet(Context):
    """A subclass that leaves names as they are, with an attribute that a lookup sees."""

    falsy = ""


@pytest.mark.parametrize("cls", [Strange, Quiet])
def test_a_context_of_another_class(cls):
    texts = [
        engine.from_string("{{ a }}{{ falsy }}{% for a in b %}{{ a }}{% endfor %}").render(cls({"b": "xy"}))
        for engine in engines({})
    ]
    assert texts[0] == texts[1]


def test_what_is_not_a_dict_in_the_context():
    class Names:
        def __contains__(self, key):
            return key == "a"

        def __getitem__(self, key):
            return f"<{key}>"

    texts = []
    for engine in engines({}):
        context = Context({"b": 1})
        context.dicts.append(Names())
        texts.append(engine.from_string("{{ a }}{{ b }}{% for x in a %}{{ x }}{% endfor %}").render(context))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("size", [10_000_000])
def test_a_long_string(size):
    text = "<é" * (size // 2)
    for value in (text, mark_safe(text), "a" * size):
        agree(
            "{{ value }}{% autoescape off %}{{ value }}{% endautoescape %}", lambda value=value: ({"value": value}, [])
        )


def test_many_nested_elements():
    source = "".join(f"{{% if yes %}}{{% with a{i}=number %}}<i>" for i in range(100))
    agree(source + "{{ a99 }}" + "</i>{% endwith %}{% endif %}" * 100, make)


def test_deep_recursion_is_pythons_error():
    files = {"deep.html": "{{ n }}{% include 'deep.html' %}"}
    for engine in engines(files):
        with pytest.raises(RecursionError):
            engine.get_template("deep.html").render(Context({"n": 1}))
    assert agree("{{ text }}", make)[0] == "text"


def test_threads_render_the_same_program():
    _, engine = engines(FILES)
    inside = "{% include 'included.html' with value=i.n %}{% cycle 1 2 %}{% said i.n %}"
    source = "{% for i in rows %}{{ i.n|floatformat:2 }}" + inside + "{% endfor %}"
    template = is_native(engine, source)
    found, wrong = {}, []

    def render(number):
        rows = [{"n": number * 1000 + i} for i in range(50)]
        for _ in range(20):
            text = template.render(Context({"rows": rows}))
            if found.setdefault(number, text) != text:
                wrong.append(number)

    threads = [threading.Thread(target=render, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    django, _ = engines(FILES)
    for number, text in found.items():
        rows = [{"n": number * 1000 + i} for i in range(50)]
        assert text == django.from_string(source).render(Context({"rows": rows}))
    assert len(found) == 8 and not wrong


def test_programs_go_with_their_templates():
    _, engine = engines(FILES)
    source = "{% load i18n %}{{ x }}{% if x %}{% said x %}{% for a in list %}{% cycle x text %}{% endfor %}{% endif %}"
    template = is_native(
        engine,
        source
        + "{% with y=x|upper %}{% include template %}{% translate x %}{% endwith %}{% wrap %}{{ y }}{% endwrap %}",
    )
    template.render(Context(make()[0]))
    nodes = [weakref.ref(node) for node in template.nodelist.get_nodes_by_type(VariableNode)]
    assert nodes
    del template
    gc.collect()
    assert not any(node() for node in nodes)


def test_a_cycle_of_a_program_is_collected():
    _, engine = engines({})
    template = is_native(engine, "{{ a }}{% for b in a %}{{ b }}{% endfor %}")
    template.render(Context({"a": [1]}))
    node = template.nodelist[1]
    node.back = template  # the node's template, as some tags keep it
    reference = weakref.ref(node)
    del template, node
    gc.collect()
    assert reference() is None


def test_a_node_list_that_changes():
    _, engine = engines({})
    template = is_native(engine, "a{{ x }}")
    assert template.render(Context({"x": 1})) == "a1"
    template.nodelist.append(template.nodelist[0])
    assert template.render(Context({"x": 1})) == "a1a"
    template.nodelist[0], template.nodelist[1] = template.nodelist[1], template.nodelist[0]
    assert template.render(Context({"x": 1})) == "1aa"


def test_a_copied_template():
    _, engine = engines({})
    template = is_native(engine, "a{{ x }}{% if x %}b{% endif %}")
    template.render(Context({"x": 1}))
    nodes = copy.deepcopy(template.nodelist, {id(engine): engine})
    assert nodes.render(Context({"x": 2})) == "a2b"


def test_a_replaced_render_method_is_called(monkeypatch):
    monkeypatch.setattr(VariableNode, "render", lambda self, context: "patched")
    _, engine = engines({})
    assert (
        is_native(engine, "{{ x }}{% for a in b %}{{ a }}{% endfor %}").render(Context({"b": [1]})) == "patchedpatched"
    )


def test_a_node_that_cannot_be_read_is_called(monkeypatch, caplog):
    def unreadable(node):
        raise RuntimeError("not this one")

    monkeypatch.setitem(lowering._KINDS, VariableNode, unreadable)
    _, engine = engines({})
    assert is_native(engine, "a{{ x }}").render(Context({"x": "<"})) == "a&lt;"
    assert caplog.messages[0].startswith('event=not_lowered node="<Variable Node: x>')


def test_a_replaced_template_render_is_called(monkeypatch):
    _, engine = engines(FILES)
    template = is_native(engine, "{% include 'included.html' %}{{ x }}")
    seen = []
    original = DjangoTemplate._render

    def instrumented(self, context):
        seen.append(self.name)
        return original(self, context)

    monkeypatch.setattr(DjangoTemplate, "_render", instrumented)
    template.render(Context())
    assert seen == [None, "included.html"]


def test_nothing_is_called_that_is_native():
    _, engine = engines(FILES)
    inside = "{% if r.a and r.b == 1 %}{{ r.a|upper|default:'x' }}{% endif %}{% with z=r.b %}{{ z }}{% endwith %}"
    template = is_native(engine, "{% for r in rows %}" + inside + "{% endfor %}")
    rows = [{"a": "t", "b": 1}] * 3
    before = native.figures()
    template.render(Context({"rows": rows}))
    after = native.figures()
    grown = {name: after[name] - before[name] for name in after}
    assert grown["calls"] == grown["filter_calls"] == 0
    assert grown["ops"] >= 1 + 3 * 4 and grown["filters"] == 6 and grown["nodelists"] == 1


def test_a_mutated_list_in_a_loop():
    def mutated():
        rows = [1, 2, 3]

        def grow():
            if len(rows) < 6:
                rows.append(len(rows) + 1)
            return ""

        return {"rows": rows, "grow": grow}, rows

    agree("{% for r in rows %}{{ r }}{{ grow }}{{ forloop.last }}{% endfor %}", mutated)


def test_a_context_that_is_popped_too_often():
    for engine in engines({}):
        template = engine.from_string("{% for a in b %}{{ pop }}{% endfor %}")
        context = Context({"b": [1, 2, 3, 4]})
        context["pop"] = lambda context=context: context.pop() and ""
        with pytest.raises(Exception) as caught:
            template.render(context)
        if type(engine) is Engine:
            expected = type(caught.value)
        else:
            assert type(caught.value) is expected


@override_settings(USE_THOUSAND_SEPARATOR=True)
def test_numbers_in_a_language():
    for language in ("de", "en", "fr"):
        with translation.override(language):
            agree("{{ big }}{{ number }}{{ decimal }}{{ float }}{{ date }}{{ when }}", make)


def test_the_result_is_a_safe_string():
    _, engine = engines({})
    text = is_native(engine, "{{ a }}").render(Context({"a": "<"}))
    assert type(text) is SafeString and text == "&lt;"
    assert django.VERSION
