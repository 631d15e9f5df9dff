"""Templates made of a text by code, `Template("…")`, with our engine: as Django's, and parsed once."""

import pytest
from django import VERSION
from django.template import Context, Engine, Template, TemplateSyntaxError, base
from django.test import override_settings
from template_pair import engines

native = pytest.importorskip("troupe._native")

from troupe.template import direct  # noqa: E402
from troupe.template.native import Template as NativeTemplate  # noqa: E402

SOURCES = [
    "",
    "plain",
    "{{ a }}",
    "{{ a|upper }}{% if b %}{{ b.0 }}{% else %}no{% endif %}",
    "{% for x in b %}{% cycle 'p' 'q' %}{{ x }}{{ forloop.counter }}{% endfor %}",
    "{% for x in b %}{% ifchanged x %}{{ x }}{% endifchanged %}{% endfor %}",
    "{% include 'part.html' with a=1 %}",
    "{% extends 'base.html' %}{% block c %}{{ block.super }}{{ a }}{% endblock %}",
    "{% with c=a %}{{ c }}{% endwith %}{% firstof none a %}",
    "{% now 'Y' %}{% widthratio 1 2 100 %}{% url 'nowhere' as u %}{{ u }}",
    "{% load i18n %}{% translate 'Yes' %}{% blocktranslate %}{{ a }}{% endblocktranslate %}",
    "{% load cache %}{% cache 5 x a %}{{ a }}{% endcache %}",
    "{% counts %}{{ a }}",
    "{% spaceless %}<p> <b>{{ a }}</b> </p>{% endspaceless %}",
]
FILES = {"part.html": "({{ a }})", "base.html": "[{% block c %}base{% endblock %}]"}
VALUES = {"a": "<x>", "b": ["1", "1", "2"]}


class Counts(base.Node):
    """It keeps something in itself: a text's template must have its own, each time."""

    seen = 0

    def render(self, context):
        self.seen += 1
        return str(self.seen)


@pytest.fixture
def library(monkeypatch):
    import probe_tags

    monkeypatch.setitem(probe_tags.register.tags, "counts", lambda parser, token: Counts())


def rendered(engine, source):
    return Template(source, engine=engine).render(Context(VALUES))


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("source", SOURCES)
def test_the_same_text_again_and_again(library, source, debug):
    stock, ours = engines(FILES, debug=debug)
    expected = rendered(stock, source)
    assert [rendered(stock, source) for _ in range(4)] == [rendered(ours, source) for _ in range(4)] == [expected] * 4
    first, second = (Template(source, engine=ours) for _ in range(2))
    assert (first.source, first.name, first.engine, str(first.origin)) == (source, None, ours, "<unknown source>")
    shared = first.nodelist is second.nodelist
    assert shared == ("ifchanged" not in source and "cache" not in source and "counts" not in source)
    assert isinstance(first, NativeTemplate)


def test_c_renders_them():
    _, ours = engines(FILES)
    for _ in range(4):
        before = native.figures()["nodelists"]
        rendered(ours, "{{ a }}")
        assert native.figures()["nodelists"] == before + 1


def test_a_list_that_somebody_changed_is_not_given_again():
    _, ours = engines(FILES)
    for _ in range(3):
        template = Template("{{ a }}", engine=ours)
    template.nodelist.append(base.TextNode("!"))
    assert template.render(Context(VALUES)) == "&lt;x&gt;!"
    assert rendered(ours, "{{ a }}") == "&lt;x&gt;"


def test_an_error_is_raised_each_time():
    for debug in (False, True):
        told = []
        for engine in engines(FILES, debug=debug):
            for _ in range(3):
                with pytest.raises(TemplateSyntaxError) as caught:
                    Template("a\n{% if %}", engine=engine)
                told.append((str(caught.value), getattr(caught.value, "template_debug", None)))
        assert told[:3] == told[3:]


def test_an_exception_names_the_line_of_each(settings):
    def told(engine):
        try:
            Template("a\n{{ a.boom }}", engine=engine).render(Context({"a": Boom()}))
        except ZeroDivisionError as error:
            return {name: value for name, value in error.template_debug.items() if name != "source_lines"}

    stock, ours = engines(FILES, debug=True)
    assert [told(stock)] * 3 == [told(ours) for _ in range(3)]


class Boom:
    def boom(self):
        return 1 / 0


@pytest.mark.skipif(VERSION < (6, 0), reason="from Django 6.0 on")
def test_partials():
    source = "{% partialdef p %}({{ a }}){% endpartialdef %}{% partial p %}"
    for engine in engines(FILES):
        for _ in range(3):
            template = Template(source, engine=engine)
            assert template.render(Context(VALUES)) == "(&lt;x&gt;)" and list(template.extra_data["partials"]) == ["p"]


def test_texts_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(direct, "MAX_TEXTS", 10)
    monkeypatch.setattr(direct, "LONGEST", 20)
    _, ours = engines(FILES)
    for number in range(100):
        Template(f"{number}", engine=ours)
        Template("{{ a }}" * 10, engine=ours)
    assert len(ours.troupe_texts) <= 10 and max(map(len, ours.troupe_texts)) <= 20


def test_other_engines_and_files_are_left_alone():
    stock, ours = engines(FILES)
    for _ in range(3):
        plain = Template("{{ a }}", engine=stock)
    assert type(plain) is base.Template and type(plain.nodelist) is base.NodeList and "troupe_texts" not in vars(stock)
    ours.get_template("part.html")
    assert "troupe_texts" not in vars(ours)


def test_the_default_engine():
    entry = {"BACKEND": "troupe.template.TroupeTemplates"}
    with override_settings(TEMPLATES=[entry]):
        Engine.get_default.cache_clear()
        assert isinstance(Template("{{ a }}"), NativeTemplate)
    Engine.get_default.cache_clear()
