"""A view's context and its template, for one rendering by the C runtime."""

import contextlib
from collections.abc import Generator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template
from django.template.context import make_context
from django.views.generic.base import TemplateResponseMixin
from django.views.generic.edit import FormMixin

from ..context import view_names
from ..snapshots.evaluations import forget
from ..template import originals, slow_path
from ..validation import refuse_unused
from ..views import LiveView
from . import gate, template_cache
from .housekeeping import settled
from .locale import current_locale, keep_locale
from .template_cache import MakePlan
from .turn import begin_rendering

_ALREADY_BOUND: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


@settled
def get_context(view: LiveView) -> dict[str, Any]:
    """The context of the next rendering. TypeError: get_context_data() returned no dict."""
    begin_rendering(view)
    forget(view)
    keep_locale(view)
    gate.before_turn(view)
    if isinstance(view, FormMixin) and "form" in vars(view):
        # As form_invalid() passes it: the mixin would show a form of its own, without what a handler bound.
        context = view.get_context_data(form=vars(view)["form"])
    else:
        context = view.get_context_data()
    if type(context) is dict:
        return context
    refuse_unused(context, "it")
    if not isinstance(context, dict):
        raise TypeError(f"get_context_data() must return a dict, not {type(context).__name__}")
    return context


def rendering(
    view: LiveView, path: str, data: dict[str, Any], whole: bool, make_plan: MakePlan
) -> Generator[Any, None, None]:
    """A generator around one rendering. It yields once: (context, plan, locale), with the context bound until the
    generator is closed; or HTML, if the template has no plan, or other code renders in Django's place, or `whole` is
    asked for.

    locale: see current_locale(). make_plan: see template_cache.find_plan().
    """
    backend_template = _template(view, path)
    template = getattr(backend_template, "template", None)
    scope = view_names(view, LiveView)
    if not isinstance(template, Template) or (whole and scope is None):
        yield backend_template.render(data, view.request)
        return
    context = make_context(data, view.request, autoescape=backend_template.backend.engine.autoescape)
    if scope is not None:
        _insert(context, scope)
    if whole or originals.replaced():
        yield template.render(context)
        return
    with _ALREADY_BOUND if _bind(context, template) else context.bind_template(template):
        context.template_name = template.name
        watched = Template._render is not slow_path.TEMPLATE_RENDER_NODES
        if watched:
            template_cache.watch(template)
        plan = template_cache.find_plan(template, context, make_plan)
        if plan is None:
            yield template._render(context)
        else:
            if watched:
                slow_path.template_shown(template, context)
            yield context, plan, current_locale()


def _insert(context: Context, scope: dict[str, Any]) -> None:
    """Adds names that go before those of context processors, and after what get_context_data() returned."""
    context.dicts.insert(getattr(context, "_processors_index", 0) + 1, scope)


def _template(view: LiveView, path: str) -> Any:
    """The backend's template that the view names."""
    try:
        if view.template_string is not None:
            return template_cache.from_source(view.template_string)
        if type(view).get_template_names is not TemplateResponseMixin.get_template_names:
            return template_cache.first_of(view.get_template_names(), view.template_engine)
        if view.template_name is not None:
            return template_cache.get(view.template_name, view.template_engine)
    except template_cache.NoEngine as error:
        raise ImproperlyConfigured(str(error)) from None
    raise ImproperlyConfigured(f"{path} has neither template_name nor template_string")


def _bind(context: Context, template: Template) -> bool:
    """Does what Context.bind_template() and RenderContext.push_state() do, without undoing it: nobody uses the context
    afterwards. False: context processors must be called, which bind_template() does.
    """
    context.render_context.template = template
    context.render_context.push()
    if type(context) is not Context:
        return False
    context.template = template
    return True
