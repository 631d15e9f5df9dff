"""Code of other packages that replaces Django's rendering methods: our engine gives what Django's gives under the same
code, and says whether pages can have slots.
"""

import contextlib
import functools

import pytest
from django.core.checks import run_checks
from django.template import Context, base, defaulttags, loader_tags
from django.template import context as context_module
from template_pair import engines

from troupe.template import originals
from troupe.template.plan import compile_page

FILES = {
    "page.html": "{% extends 'base.html' %}{% block a %}{% for x in xs %}{{ x }}{% include 'part.html' %}{% endfor %}"
    "{% endblock %}",
    "base.html": "<main dj-root>[{% block a %}{% endblock %}]{% if xs %}yes{% endif %}</main>",
    "part.html": "({{ xs|length }})",
}


def wraps(method):
    """As most patches are written."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        return f"<{type(self).__name__.lower().replace('template', 't')}>{method(self, *args, **kwargs)}"

    return wrapper


def plain(method):
    """The same without functools."""
    return lambda self, context: method(self, context).replace("yes", "YES")


def anew(method):
    """Written anew, as django-components does it."""

    def render(self, context):
        with context.render_context.push_state(self):
            if context.template is None:
                with context.bind_template(self):
                    return self._render(context).upper()
            return self._render(context)

    return render


def wraps_parent(method):
    return lambda self, context: engines({"base.html": "{% block a %}{% endblock %}"})[0].get_template("base.html")


class Wrapper:
    """What wrapt's FunctionWrapper is: a proxy that shows the attributes of what it wraps."""

    def __init__(self, wrapped, wrapper):
        self.__dict__.update(__wrapped__=wrapped, _self_wrapper=wrapper)

    def __getattr__(self, name):
        return getattr(self.__wrapped__, name)

    def __get__(self, instance, owner):
        return self if instance is None else functools.partial(self._self_wrapper, self.__wrapped__, instance)

    def __call__(self, *args):
        return self._self_wrapper(self.__wrapped__, *args)


seen = []


def span(wrapped, instance, *args):
    seen.append(type(instance).__name__)
    return wrapped(instance, *args)


def traced(method):
    """As tracers wrap it."""
    span_of_tracer = type(span)(span.__code__, {**globals(), "__name__": "scout_apm.core"})
    return Wrapper(method, span_of_tracer)


@contextlib.contextmanager
def patched(cls, name, patch):
    had = name in vars(cls)
    method = getattr(cls, name)
    setattr(cls, name, patch(method))
    try:
        yield
    finally:
        if had:
            setattr(cls, name, method)
        else:
            delattr(cls, name)


def texts():
    """What each engine renders."""
    values = {"xs": ["q", "b"]}
    return [engine.get_template("page.html").render(Context(values)) for engine in engines(FILES)]


REPLACED = [
    (base.Template, "render", wraps),
    (base.Template, "render", plain),
    (base.Template, "render", anew),
    (base.Template, "_render", wraps),
    (base.NodeList, "render", wraps),
    (base.NodeList, "render", plain),
    (base.Node, "render_annotated", wraps),
    (base.Template, "render", lambda method: Wrapper(method, lambda wrapped, *args: wrapped(*args) + "?")),
]
OF_NODES = [
    (loader_tags.IncludeNode, "render", wraps),
    (loader_tags.BlockNode, "render", wraps),
    (loader_tags.ExtendsNode, "render", wraps),
    (defaulttags.ForNode, "render", wraps),
    (defaulttags.IfNode, "render_annotated", wraps),
    (base.VariableNode, "render", wraps),
    (base.TextNode, "render_annotated", wraps),
]
def shouted(method):
    """As django-fastdev and shouty-templates do it: what is missing is an error."""

    @functools.wraps(method)
    def resolve(self, context, *args, **kwargs):
        value = method(self, context, *args, **kwargs)
        return value.replace("q", "Q!") if isinstance(value, str) else value

    return resolve


def valued(function):
    return lambda value, context: f"v{function(value, context)}"


OF_VALUES = [
    (base.FilterExpression, "resolve", shouted),
    (base.Variable, "resolve", shouted),
    (base.Variable, "_resolve_lookup", shouted),
    (context_module.BaseContext, "__getitem__", shouted),
    (base, "render_value_in_context", valued),
    (loader_tags.ExtendsNode, "get_parent", wraps_parent),
]
OBSERVED = [
    (base.Template, "render", traced),
    (base.Template, "_render", traced),
    (loader_tags.BlockNode, "render", traced),
    (base.Template, "render", lambda method: traced(traced(method))),
]


@pytest.mark.parametrize(("cls", "name", "patch"), REPLACED + OF_NODES + OF_VALUES)
def test_the_engine_honours_what_is_replaced(cls, name, patch):
    before = texts()
    with patched(cls, name, patch):
        stock, ours = texts()
    assert ours == stock != before[0] == before[1]


@pytest.mark.parametrize(("cls", "name", "patch"), REPLACED)
def test_nothing_is_planned_where_whole_templates_are_rendered_by_others(cls, name, patch, caplog):
    assert originals.replaced() is None
    with patched(cls, name, patch):
        assert f"replaced {cls.__name__}.{name}()" in originals.replaced()
        originals.replaced()
        assert [check.id for check in run_checks() if check.id == "troupe.W044"]
    assert originals.replaced() is None
    assert caplog.text.count("event=rendering_replaced") == 1


def plan():
    return compile_page(engines(FILES)[1].get_template("page.html"), Context({"xs": []}))


@pytest.mark.parametrize(("cls", "name", "patch"), OBSERVED)
def test_what_only_observes_costs_no_slots(cls, name, patch):
    stock, ours = texts()
    with patched(cls, name, patch):
        assert originals.replaced() is None
        assert texts() == [stock, ours]
        assert plan() is not None
        assert not [check.id for check in run_checks() if check.id == "troupe.W044"]


def test_observers_of_a_project(settings):
    with patched(base.Template, "render", wraps):
        assert originals.what_is_replaced()
        settings.TROUPE = {**settings.TROUPE, "OBSERVERS": [__name__]}
        assert originals.what_is_replaced() is None
        with patched(base.Template, "render", plain):
            assert originals.what_is_replaced() is None  # the same module
        settings.TROUPE = {**settings.TROUPE, "OBSERVERS": ["elsewhere"]}
        assert originals.what_is_replaced()


def test_a_tracer_sees_whole_templates():
    with patched(base.Template, "render", traced):
        seen.clear()
        texts()
    assert seen.count("Template") >= 2


def test_all_that_is_lowered_is_djangos_own():
    from troupe.template import lowering

    assert [cls for cls in lowering._KINDS if not originals.class_is_own(cls)] == []
    assert originals.values_are_own()


@pytest.mark.parametrize(("cls", "name", "patch"), OF_NODES[:6] + OF_VALUES[:5])
def test_a_page_keeps_its_slots_where_a_tag_or_a_value_is_replaced(cls, name, patch):
    with patched(cls, name, patch):
        assert plan() is not None


def test_a_replaced_tag_is_called():
    with patched(loader_tags.IncludeNode, "render", wraps):
        assert originals.replaced() is None and plan() is not None
