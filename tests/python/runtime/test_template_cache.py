"""Templates of views and their plans: found once, and again when a file changed."""

import os

import pytest

from troupe.runtime import template_cache


class Plan:
    def __init__(self, description):
        self.details = {key: value for key, value in description.items() if key != "block"}


@pytest.fixture
def folder(tmp_path, settings):
    """A folder of templates that no loader remembers: the cached loader is left out."""
    description = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [tmp_path],
        "OPTIONS": {"loaders": ["django.template.loaders.filesystem.Loader"]},
    }
    settings.TEMPLATES = [description]
    template_cache._by_name.clear()
    yield tmp_path
    template_cache._by_name.clear()


def plan_of(template):
    from django.template import Context

    context = Context({})
    with context.bind_template(template.template):
        return template_cache.find_plan(template.template, context, Plan)


def test_a_template_is_the_same_until_its_file_changes(folder):
    (folder / "a.html").write_text("<main dj-root>{{ a }}</main>")
    first = template_cache.get("a.html")
    plan = plan_of(first)
    assert template_cache.get("a.html") is first and plan_of(first) is plan
    (folder / "a.html").write_text("<main dj-root>{{ b }}</main>")
    second = template_cache.get("a.html")
    assert second is not first and plan_of(second) is not plan
    os.unlink(folder / "a.html")
    with pytest.raises(Exception, match="a.html"):
        template_cache.get("a.html")


def test_what_it_extends_and_includes_counts(folder):
    (folder / "base.html").write_text("<main dj-root>{% block b %}{% endblock %}{% include 'part.html' %}</main>")
    (folder / "part.html").write_text("<b>{{ p }}</b>")
    (folder / "page.html").write_text("{% extends 'base.html' %}{% block b %}{{ a }}{% endblock %}")
    first = template_cache.get("page.html")
    plan = plan_of(first)
    assert len(plan.details["templates"]) == 2
    for changed in ("base.html", "part.html"):
        assert template_cache.get("page.html") is first
        (folder / changed).write_text((folder / changed).read_text() + " ")
        second = template_cache.get("page.html")
        assert second is not first
        first = second
        plan_of(first)


def test_what_a_loader_remembers_is_the_same_until_it_forgets(tmp_path, settings):
    (tmp_path / "a.html").write_text("<main dj-root>{{ a }}</main>")
    engine = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}
    loaders = [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])]
    settings.TEMPLATES = [{**engine, "OPTIONS": {"loaders": loaders}}]
    first = template_cache.get("a.html")
    (tmp_path / "a.html").write_text("<main dj-root>{{ b }}</main>")
    assert template_cache.get("a.html") is first  # as in production
    first.template.engine.template_loaders[0].reset()
    second = template_cache.get("a.html")
    assert second.template.source == "<main dj-root>{{ b }}</main>"
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.html").write_text("<p dj-root></p>")
    settings.TEMPLATES = [{**engine, "DIRS": [other], "OPTIONS": {"loaders": loaders}}]
    assert template_cache.get("a.html").template.source == "<p dj-root></p>"


def test_what_does_not_exist_is_left_to_the_rendering(folder, caplog):
    (folder / "page.html").write_text("{% extends 'nowhere.html' %}")
    assert plan_of(template_cache.get("page.html")) is None
    (folder / "nowhere.html").write_text("<main dj-root>{{ a }}</main>")
    assert plan_of(template_cache.get("page.html")) is not None  # and it was not remembered
    assert not caplog.records


def test_too_many_variants(folder):
    (folder / "page.html").write_text("{% extends base %}")
    from django.template import Context

    template = template_cache.get("page.html").template
    for n in range(40):
        (folder / f"{n}.html").write_text("<main dj-root>{{ a }}</main>")
        context = Context({"base": f"{n}.html"})
        with context.bind_template(template):
            made = template_cache.find_plan(template, context, Plan)
        assert (made is not None) == (n < 32)
    assert len(template._troupe_plans) == 32


def test_without_an_engine_of_django(settings):
    settings.TEMPLATES = []
    template_cache._by_source.clear()
    with pytest.raises(template_cache.NoEngine):
        template_cache.from_source("<p></p>")
