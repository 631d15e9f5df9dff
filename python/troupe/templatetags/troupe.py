"""{% load troupe %}: live views inside ordinary pages."""

from typing import Any

from django import template

from ..web import page

register = template.Library()


@register.simple_tag(takes_context=True)
def live_view(context: template.Context, path: str, **params: Any) -> str:
    """{% live_view "shop.views.Basket" size=3 %}: mount a view here, with `mount(request, size=3)`.

    Needs `request` in the context, and {% troupe_script %} once on the page.
    """
    request = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            "{% live_view %} needs `request` in the context: add "
            "django.template.context_processors.request, and pass the request"
        )
    if getattr(request, "_troupe_worker", False):
        raise template.TemplateSyntaxError(
            "{% live_view %} works in ordinary templates only: a LiveView's own template cannot hold another view yet"
        )
    # A literal in a template is a SafeString, which would travel as one.
    return page.embed(request, str.__str__(path), params)


@register.simple_tag(takes_context=True)
def troupe_script(context: template.Context) -> str:
    """The <script> that brings a page's live views to life; pages of LiveView.as_view() get it themselves."""
    return page.script_tag(context.get("request"))
