"""Inclusion tags on a live page: what their templates show is in slots, and is what Django shows."""

import json

import pytest

pytest.importorskip("troupe._native")

from django.template import Library, engines  # noqa: E402
from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: E402
from live_page import Page, of_django  # noqa: E402

from troupe import wire  # noqa: E402
from troupe.runtime import template_cache  # noqa: E402

register = Library()
CALLS = []
FILES = {
    "card.html": "<div class=c title='{{ title }}'>{{ title }}{% for x in xs %}<i>{{ x }}</i>{% endfor %}{{ n }}</div>",
    "text.html": "[{{ title }}]",
    "rule.html": "<hr>",
    "open.html": "<section class='{{ title }}'>",
    "close.html": "</section>",
    "outer.html": "<u>{% card title xs %}{% if n %}{{ n }}{% endif %}</u>",
    "form.html": "<form>{% csrf_token %}<b>{{ title }}</b></form>",
    "child.html": "{% extends 'frame.html' %}{% block a %}<b>{{ title }}</b>{% endblock %}",
    "frame.html": "<p>{% block a %}{% endblock %}{{ title }}</p>",
    "orphan.html": "{% extends 'nowhere.html' %}",
}


def shown(title="", xs=()):
    CALLS.append(title)
    if title == "boom":
        raise ValueError("boom")
    return {"title": title, "xs": xs}


for name in FILES:
    register.inclusion_tag(name, name=name.split(".")[0])(shown)
register.inclusion_tag(["nowhere.html", "card.html"], name="either")(shown)
register.inclusion_tag("nowhere.html", name="nowhere")(shown)


@register.inclusion_tag("card.html", takes_context=True)
def with_context(context, title):
    context["left"] = title
    return {**context.flatten(), "title": title}


@pytest.fixture(autouse=True)
def tags(monkeypatch):
    engine = engines["django"].engine
    files = [("django.template.loaders.locmem.Loader", FILES)]
    monkeypatch.setattr(engine, "template_builtins", [*engine.template_builtins, register])
    monkeypatch.setattr(engine, "template_loaders", [engine.find_template_loader(loader) for loader in files])
    template_cache._by_source.clear()
    CALLS.clear()
    yield
    template_cache._by_source.clear()


STATES = [
    {"t": t, "xs": xs, "n": n, "left": n}
    for t, xs, n in (("a", [1], 0), ("b & <", [1], 0), ("b", [1, 2], 1), ("b", [], 2), ("", [3], 2))
]


@pytest.mark.parametrize("inside", [
    "{% card t xs %}", "{% card title=t xs=xs %}", "<p>{% text t %} and {{ n }}</p>", "{% rule %}{{ n }}",
    "{% for x in xs %}{% card x xs %}{% endfor %}", "{% if n %}{% card t xs %}{% endif %}", "{% outer t xs %}",
    "{% with_context t %}<b>{{ left }}</b>",
    "{% for x in xs %}{% with_context x %}{{ left }}{% endfor %}<b>{{ left }}</b>",
    "{% open t %}<p>{{ n }}</p>{% close %}", "<i class='{% text t %}'>{{ n }}</i>", "{% child t %}",
    "{% either t xs %}", "{% if nothing %}{% nowhere t %}{% orphan t %}{% endif %}<b>{{ t }}</b>",
    "{% autoescape off %}{% text 'x&y' %}{% endautoescape %}",
    "{% spaceless %}{% card t xs %} <b></b>{% endspaceless %}",
    "{% with n=t %}{% card n xs %}{{ n }}{% endwith %}",
    "<ul>{% for x in xs %}<li id='{{ x }}'>{% text x %}</li>{% endfor %}</ul>",
])  # fmt: skip
def test_it_shows_what_django_shows(inside):
    template = f"<main dj-root>{inside}</main>"
    page = Page(template, **STATES[0])
    assert page.joined["chunks"], "no plan"
    for state in STATES[1:]:
        page.view.data = dict(state)
        page.turn()
        kind, done = page.event(wire.HTML)
        assert kind == wire.DONE, done
        assert done["html"].decode() == of_django(template, **state)
        assert json.loads(done.get("patch") or "{}") == {}, "the turn before left something as it was"


def test_what_changed_is_sent_alone_and_the_function_is_called_once():
    page = Page("<main dj-root>{% card t xs %}<p>{{ n }}</p></main>", t="a", xs=[1, 2], n=0)
    CALLS.clear()
    assert page.changes(t="b") == {"1": "b", "2": "b"}
    assert CALLS == ["b"]
    assert page.changes(n=1) == {"5": "1"}
    assert CALLS == ["b", "b"]


def test_its_form_has_the_token_of_the_page():
    page = Page("<main dj-root>{% form t %}</main>", t="a")
    assert list(page.changes(t="b").values()) == ["b"]
    assert b"csrfmiddlewaretoken" in page.event(wire.HTML)[1]["html"]


def test_an_exception_names_the_tag():
    page = Page("<main dj-root>{% card t %}</main>", t="a")
    page.view.data["t"] = "boom"
    kind, done = page.event(wire.HTML)
    assert kind == wire.FAILED and "boom" in str(done)


def test_a_test_hears_of_its_template():
    from django.test.signals import template_rendered

    heard = []
    template_rendered.connect(lambda template, **_: heard.append(template.name), weak=False, dispatch_uid="inclusion")
    try:
        setup_test_environment()
        teardown = teardown_test_environment
    except RuntimeError:  # pytest-django has done so
        teardown = list
    try:
        Page("<main dj-root>{% rule %}{% text t %}</main>", t="a")
    finally:
        teardown()
        template_rendered.disconnect(dispatch_uid="inclusion")
    assert "rule.html" in heard and "text.html" in heard
