"""Templates of views, and their plans, which are compiled once per template.

A plan (template/plan.py) locates each value in the page, and C executes it. A template without a plan is rendered as a
whole. Any thread, with the GIL.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.core.signals import setting_changed
from django.template import Context, Engine, Template, TemplateDoesNotExist, engines
from django.template.loader import get_template
from django.template.loaders import cached

from ..logs import quoted
from ..template import native, plan
from ..template.inlining import variant_value

logger = logging.getLogger("troupe")

MAX_TEMPLATES = 1000  # of each of the two caches
MAX_VARIANTS = 32  # plans of one template whose {% extends %} or {% include %} depends on a variable

# A Plan is an object of C's, whose `details` has "variant" and "templates"; MakePlan makes one of what
# template.plan.compile_page() returns.
Plan = Any
MakePlan = Callable[[dict[str, Any]], Plan]

_by_source: dict[str, Any] = {}
_by_name: dict[Any, Any] = {}  # by name, or by (name, engine) where a view names its engine


class NoEngine(Exception):
    """TEMPLATES has no Django template engine."""


# Templates


def from_source(source: str) -> Any:
    """The template of a view's template_string."""
    template = _by_source.get(source)
    if template is None or not _are_unchanged(_uncached_parts(template.template)):
        if len(_by_source) >= MAX_TEMPLATES:  # sources made at run time must not pile up
            _by_source.clear()
        template = _by_source[source] = _engine().from_string(source)
    return template


def _engine() -> Any:
    for engine in engines.all():
        if hasattr(engine, "engine"):
            return engine
    raise NoEngine("TEMPLATES has no Django template engine")


def get(name: str, using: str | None = None) -> Any:
    """The template of that name, as get_template() finds it: the same object while its files do not change. using: the
    alias of its engine.
    """
    key = name if using is None else (name, using)
    template = _by_name.get(key)
    if template is not None and _is_current(template, name):
        return template
    template = get_template(name, using)
    if isinstance(getattr(template, "template", None), Template):  # and not of another engine
        if len(_by_name) >= MAX_TEMPLATES:
            _by_name.clear()
        _by_name[key] = template
    return template


def first_of(names: Any, using: str | None = None) -> Any:
    """The template that get_template_names() means: a name, the first of several that exists, or a template."""
    if isinstance(names, str):
        return get(names, using)
    if not isinstance(names, (list, tuple)):
        return names
    missing = []
    for name in names:
        try:
            return get(name, using)
        except TemplateDoesNotExist as error:
            missing.append(str(error.args[0]))
    raise TemplateDoesNotExist(", ".join(missing) or "get_template_names() returned no names")


def _loader_cache(engine: Engine) -> dict[str, Any] | None:
    """The engine's cached templates, by name. None: it has no cached loader."""
    for loader in engine.template_loaders:
        if isinstance(loader, cached.Loader):
            return loader.get_template_cache
    return None


def _is_current(backend_template: Any, name: str) -> bool:
    """Whether the cached loader still has this template; without such a loader, whether its files are unchanged. Which
    files those are is known only with a plan.
    """
    template = backend_template.template
    cache = _loader_cache(template.engine)
    if cache is not None:
        return cache.get(name) is template
    plans = getattr(template, "_troupe_plans", ())
    return None not in plans and _are_unchanged([template, *_uncached_parts(template)])


def _uncached_parts(template: Template) -> Iterable[Template]:
    """The templates that are part of this one's plans and have a loader without a cache."""
    plans = getattr(template, "_troupe_plans", ())
    if not plans:
        return ()
    count, parts = getattr(template, "_troupe_parts", (0, ()))
    if count != len(plans):
        every = (part for known in plans if known is not None for part in known.details["templates"])
        parts = [part for part in every if _loader(part) is not None and _loader_cache(part.engine) is None]
        template._troupe_parts = len(plans), parts
    return parts


def _are_unchanged(templates: Iterable[Template]) -> bool:
    return not templates or all(map(_is_unchanged, templates))


def _loader(template: Template) -> Any:
    return getattr(template.origin, "loader", None)


def _is_unchanged(template: Template) -> bool:
    loader = _loader(template)
    try:
        return loader is not None and loader.get_contents(template.origin) == template.source
    except TemplateDoesNotExist:
        return False


def _clear(*, setting: str, **_: object) -> None:
    if setting == "TEMPLATES":
        _by_source.clear()
        _by_name.clear()


setting_changed.connect(_clear, dispatch_uid="troupe.runtime.template_cache")


# Plans


def find_plan(template: Template, context: Context, make_plan: MakePlan) -> Plan | None:
    """The template's plan for the templates that `context`, bound to it, names. None: it has none."""
    try:
        plans = template._troupe_plans
    except AttributeError:
        native.make_native(template)
        plans = template._troupe_plans = []
    for known in plans:
        if known is None or _matches(known.details["variant"], context):
            return known
    if len(plans) >= MAX_VARIANTS:
        return None
    try:
        description = plan.compile_page(template, context)
    except TemplateDoesNotExist:  # of {% extends %}: rendering reports it
        return None
    except Exception:
        logger.exception("event=no_plan template=%s", quoted(template.name or "(a string)"))
        description = None
    made = _make(template, make_plan, description) if description is not None else None
    plans.append(made)
    return made


def watch(template: Template) -> None:
    """Forgets plans that were made before tests wanted to know which templates are rendered: they do not say it all."""
    if getattr(template, "_troupe_plans", ()) and not getattr(template, "_troupe_watched", False):
        template._troupe_plans = []
    template._troupe_watched = True


def _make(template: Template, make_plan: MakePlan, description: dict[str, Any]) -> Plan | None:
    try:
        others = tuple(part for part in description["templates"] if part is not template)
        return make_plan({**description, "templates": others})
    except Exception:
        logger.exception("event=no_plan template=%s", quoted(template.name or "(a string)"))
        return None


def _matches(variant: Iterable[tuple[Any, str]], context: Context) -> bool:
    """Whether the expressions that choose a variant's templates still have the values that they had."""
    return all(variant_value(expr, context) == value for expr, value in variant)
