"""troupe.template.TroupeTemplates in TEMPLATES, and its form renderer."""

import pytest
from django import forms
from django.core.checks import run_checks
from django.forms.renderers import get_default_renderer
from django.http import HttpRequest
from django.template import Context, Engine, TemplateDoesNotExist, engines
from django.template.loader import render_to_string
from django.test import override_settings

native = pytest.importorskip("troupe._native")

FILES = {
    "hello.html": "{% extends 'base.html' %}{% block a %}{{ x }}{% include 'part.html' %}{% endblock %}",
    "base.html": "[{% block a %}{% endblock %}]",
    "part.html": "{{ request }}",
}
OPTIONS = {
    "loaders": [("django.template.loaders.locmem.Loader", FILES)],
    "string_if_invalid": "none",
    "context_processors": ["template_pair.nobody"],
}


def templates(backend):
    return override_settings(TEMPLATES=[{"BACKEND": backend, "OPTIONS": OPTIONS}])


def grown(render):
    before = native.figures()["nodelists"]
    return render(), native.figures()["nodelists"] - before


def test_a_drop_in():
    texts = []
    for backend in ("django.template.backends.django.DjangoTemplates", "troupe.template.TroupeTemplates"):
        with templates(backend):
            Engine.get_default.cache_clear()
            text, nodelists = grown(lambda: render_to_string("hello.html", {"x": "<"}, HttpRequest()))
            plain = engines.all()[0].from_string("{{ x }}{{ processed }}").render({"x": "<"})
            texts.append((text, plain, Engine.get_default().render_to_string("hello.html", Context({"x": 1}))))
            with pytest.raises(TemplateDoesNotExist) as caught:
                engines.all()[0].get_template("nowhere.html")
            assert caught.value.backend is engines.all()[0]
            ids = [message.id or "" for message in run_checks()]
            assert not [check for check in ids if check.startswith(("templates.", "admin."))]
        Engine.get_default.cache_clear()
    assert texts[0] == texts[1]
    assert texts[0][0].startswith("[&lt;") and nodelists >= 3


class Contact(forms.Form):
    name = forms.CharField(help_text="<b>")
    kind = forms.ChoiceField(choices=[("a", "<A>"), ("b", "B")])


def test_forms():
    def html():
        get_default_renderer.cache_clear()
        return str(Contact({"name": "<", "kind": "c"})), str(Contact(initial={"kind": "b"})["kind"])

    expected = html()
    with override_settings(FORM_RENDERER="troupe.template.FormRenderer"):
        found, nodelists = grown(html)
    get_default_renderer.cache_clear()
    assert found == expected and nodelists > 2
