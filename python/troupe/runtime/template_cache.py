"""Templates of views, and the plans that are made of them, once a template.

A plan (template/plan.py) says where in the page each value stands; C executes it. What no plan can be made of is
rendered whole. Any thread, with the GIL.
"""

import logging

from django.core.signals import setting_changed
from django.template import Template, TemplateDoesNotExist, engines
from django.template.loader import get_template
from django.template.loaders import cached

from ..logs import quoted
from ..template import native, plan

logger = logging.getLogger("troupe")

_MOST = 1000  # templates, and sources of templates, that are remembered
_MOST_VARIANTS = 32  # plans of one template whose {% extends %} or {% include %} go by variable

_from_source = {}
_loaded = {}  # name → template


class NoEngine(Exception):
    """TEMPLATES has no Django template engine."""


# Templates


def from_source(source):
    """The template of a view's template_string."""
    template = _from_source.get(source)
    if template is None or not _are_unchanged(_parts(template.template)):
        if len(_from_source) >= _MOST:  # made at run time, it seems: they must not pile up
            _from_source.clear()
        template = _from_source[source] = _engine().from_string(source)
    return template


def _engine():
    for engine in engines.all():
        if hasattr(engine, "engine"):
            return engine
    raise NoEngine("TEMPLATES has no Django template engine")


def named(name):
    """The template of that name, as get_template() finds it: the same object as long as its files do not change."""
    before = _loaded.get(name)
    if before is not None and _is_as_before(before, name):
        return before
    template = get_template(name)
    if _of_django(template) is not None:
        if len(_loaded) >= _MOST:
            _loaded.clear()
        _loaded[name] = template
    return template


def _memory(engine):
    """What the engine's cached loader remembers, by name; None: it has no such loader."""
    for loader in engine.template_loaders:
        if isinstance(loader, cached.Loader):
            return loader.get_template_cache
    return None


def _is_as_before(template, name):
    """Whether the loader still remembers it; or, where no loader does, whether its files still say the same. Without
    a plan nobody knows which files those are.
    """
    django = template.template
    memory = _memory(django.engine)
    if memory is not None:
        return memory.get(name) is django
    plans = getattr(django, "_troupe_pages", ())
    return None not in plans and _are_unchanged([django, *_parts(django)])


def _parts(template):
    """The templates that went into the plans of one, as far as a loader finds them anew each time."""
    pages = getattr(template, "_troupe_pages", ())
    if not pages:
        return ()
    count, parts = getattr(template, "_troupe_parts", (0, ()))
    if count != len(pages):
        every = (one for page in pages if page is not None for one in page.details["templates"])
        parts = [one for one in every if _loader(one) is not None and _memory(one.engine) is None]
        template._troupe_parts = len(pages), parts
    return parts


def _are_unchanged(templates):
    return not templates or all(map(_unchanged, templates))


def _loader(template):
    return getattr(template.origin, "loader", None)


def _unchanged(template):
    loader = _loader(template)
    try:
        return loader is not None and loader.get_contents(template.origin) == template.source
    except TemplateDoesNotExist:
        return False


def _of_django(template):
    """Django's own Template behind that of a backend; None: another engine's."""
    found = getattr(template, "template", None)
    return found if isinstance(found, Template) else None


def _forget(*, setting, **_):
    if setting == "TEMPLATES":
        _from_source.clear()
        _loaded.clear()


setting_changed.connect(_forget, dispatch_uid="troupe.pages")


# Plans


def page_of(template, context, make):
    """The plan of a django.template.base.Template for what `context` (bound to it) names; None: it has none.

    make: from a dict as compile_page() gives it to what C walks.
    """
    try:
        pages = template._troupe_pages
    except AttributeError:
        native.make_native(template)
        pages = template._troupe_pages = []
    for page in pages:
        if page is None or _holds(page.details["variant"], context):
            return page
    if len(pages) >= _MOST_VARIANTS:
        return None
    try:
        made = plan.compile_page(template, context)
    except TemplateDoesNotExist:  # of {% extends %}: rendering says so
        return None
    except Exception:
        logger.exception("event=no_plan template=%s", quoted(template.name or "(a string)"))
        made = None
    page = _made(template, make, made) if made is not None else None
    pages.append(page)
    return page


def _made(template, make, description):
    try:
        others = tuple(one for one in description["templates"] if one is not template)
        return make({**description, "templates": others})
    except Exception:
        logger.exception("event=no_plan template=%s", quoted(template.name or "(a string)"))
        return None


def _holds(variant, context):
    return all(_value(expr, context) == name for expr, name in variant)


def _value(expr, context):
    return expr[1] if expr[0] == "const" else expr[1].resolve(context)
