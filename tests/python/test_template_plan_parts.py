"""Templates that others name: an include or a parent that is not there, or is known only when the page is rendered.

What is not taken never costs the rest of the page its slots, also where nothing but the template is known
(manage.py troupe_template).
"""

import pytest

pytest.importorskip("troupe._native")

from django.core.management import call_command  # noqa: E402
from django.template import Context, engines  # noqa: E402
from live_page import Page, of_django  # noqa: E402

from troupe.runtime import template_cache  # noqa: E402
from troupe.template.explain import explain  # noqa: E402
from troupe.template.inlining import Unplannable  # noqa: E402
from troupe.template.plan import plan_page  # noqa: E402

FILES = {
    "part.html": "<i>{{ n }}</i>",
    "broken.html": "{% if %}",
    "nul.html": b"\xff\xfe",
    "itself.html": "<b>{% include 'itself.html' %}</b>",
    "child.html": "{% extends nowhere %}",
    "orphan.html": "{% extends 'nowhere.html' %}",
    "of_orphan.html": "<u>{% include 'orphan.html' %}</u>",
    "base.html": "<main dj-root><h1>{{ n }}</h1>{% block a %}{% endblock %}</main>",
}


@pytest.fixture
def files(tmp_path, settings):
    """The files, and a folder, where Django's loaders find them."""
    (tmp_path / "folder").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}]
    template_cache._by_source.clear()
    yield tmp_path
    template_cache._by_source.clear()


NAMES = [
    "", None, "nowhere.html", "folder", "broken.html", "nul.html", "itself.html", "child.html", "orphan.html",
    "of_orphan.html", "../outside.html", "a\0b", 7, [], ["nowhere.html"], ["nowhere.html", "broken.html"], ...,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_an_include_that_is_not_taken(files, name):
    source = "<main dj-root>{% if taken %}{% include t %}{% endif %}<p>{{ n }}</p></main>"
    page = Page(source, t=name, taken=False, n=0)
    assert list(page.changes(n=1).values()) == ["1"]


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(name, str) and ".." not in name], ids=repr)
def test_a_named_include_that_is_not_taken(files, name):
    source = f"<main dj-root>{{% if taken %}}{{% include '{name}' %}}{{% endif %}}<p>{{{{ n }}}}</p></main>"
    page = Page(source, taken=False, n=0)
    assert list(page.changes(n=1).values()) == ["1"]


@pytest.mark.parametrize("name", ["part.html", ["nowhere.html", "part.html"], ("part.html",)], ids=repr)
def test_an_include_of_a_name_or_a_list_is_looked_into(files, name):
    page = Page("<main dj-root>{% include t %}<p>{{ m }}</p></main>", t=name, n=0, m=0)
    assert list(page.changes(n=1).values()) == ["1"]


def test_an_include_of_a_template_object(files):
    for part in (engines["django"].get_template("part.html"), engines["django"].get_template("part.html").template):
        page = Page("<main dj-root>{% include t %}<p>{{ m }}</p></main>", t=part, n=0, m=0)
        assert list(page.changes(n=1).values()) == ["1"]


def test_a_name_that_a_row_has_too_is_not_taken_for_the_pages(files):
    source = "<main dj-root>{% for x in xs %}{% include t|add:x %}{% endfor %}<p>{{ n }}</p></main>"
    state = {"t": "part", "x": ".html", "xs": [".html", ".html"], "n": 0}
    page = Page(source, **state)
    page.changes(n=1)
    assert of_django(source, **{**state, "n": 1}).count("<i>") == 2


@pytest.mark.parametrize("parent", ["base.html", ["nowhere.html", "base.html"]], ids=repr)
def test_a_parent_that_a_variable_names(files, parent):
    values = {"parent": parent if isinstance(parent, str) else engines["django"].get_template("base.html").template}
    page = Page("{% extends parent %}{% block a %}<p>{{ m }}</p>{% endblock %}", n=0, m=0, **values)
    assert list(page.changes(m=1).values()) == ["1"]


@pytest.mark.parametrize("source", [
    "<main dj-root>{% if t %}{% include t %}{% endif %}<p>{{ n }}</p></main>",
    "<main dj-root>{% include t %}<p>{{ n }}</p></main>",
    "<main dj-root>{% include 'folder' %}{% include 'broken.html' %}{% include 'itself.html' %}<p>{{ n }}</p></main>",
    "<main dj-root>{% include 'of_orphan.html' %}{% include 'child.html' %}<p>{{ n }}</p></main>",
])  # fmt: skip
def test_the_command_describes_the_rest(files, capsys, source):
    (files / "page.html").write_text(source)
    call_command("troupe_template", "page.html")
    shown = capsys.readouterr().out
    assert "text in <p>: {{ n }}  (n)" in shown and "sent as a whole" not in shown


def test_the_command_says_that_the_parent_is_not_known(files, capsys):
    (files / "page.html").write_text("{% extends parent %}{% block a %}{{ n }}{% endblock %}")
    call_command("troupe_template", "page.html")
    assert "{% extends parent %} names its parent when the page is rendered" in capsys.readouterr().out


def test_includes_that_double_come_to_an_end():
    sources = {f"a{at}": f"{{% include 'a{at + 1}' %}}{{% include 'a{at + 1}' %}}" for at in range(40)}
    loaders = [("django.template.loaders.locmem.Loader", {**sources, "a40": "{{ n }}"})]
    engine = type(engines["django"].engine)(loaders=loaders)
    template = engine.from_string("<main dj-root>{% if n %}{% include 'a0' %}{% endif %}<p>{{ n }}</p></main>")
    assert plan_page(template, Context())["block"]


# A condition around tags that are not balanced.


def test_a_condition_is_decided_where_nothing_but_the_root_is_large_enough():
    source = "<main dj-root>{% if on %}</main><main>{% endif %}<p>{{ n }}</p></main>"
    for on in (True, False):
        page = plan_page(engines["django"].engine.from_string(source), Context({"on": on}))
        assert f"holds while {{% if on %}} is {on}" in explain(page)
    page = Page(source, on=False, n=0)
    assert list(page.changes(n=1).values()) == ["1"]
    assert page.changes(on=True) == {"0": {"h": "<main dj-root></main>"}}
    page.changes(on=False)
    assert list(page.changes(n=2).values()) == ["2"]


class Guarded:
    def wide(self):
        raise RuntimeError("asked without its guard")


def test_a_condition_that_raises_where_it_is_not_rendered():
    source = "<main dj-root>{% if on %}{% if it.wide %}</main><main>{% endif %}{% endif %}<p>{{ n }}</p></main>"
    page = Page(source, on=False, it={"wide": False}, n=0)
    assert page.changes(it=Guarded(), n=1) == {"0": {"h": "<main dj-root><p>1</p></main>"}}
    assert list(page.changes(n=2).values()) == ["2"]
    page = Page(source, on=False, it=Guarded(), n=0)
    assert list(page.changes(n=1).values()) == ["1"]


def test_a_condition_that_rows_have_is_not_decided():
    source = "<main dj-root>{% for on in xs %}{% if on %}</main><main>{% endif %}<p>{{ n }}</p>{% endfor %}</main>"
    with pytest.raises(Unplannable):
        plan_page(engines["django"].engine.from_string(source), Context({"xs": [0, 0], "on": False}))
