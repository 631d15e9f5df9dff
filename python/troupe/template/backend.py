"""A Django template backend whose templates run in C: `"BACKEND": "troupe.template.TroupeTemplates"` in TEMPLATES.

Everything but the rendering is Django's: settings, loaders, tags, filters, error messages. Forms and widgets have
templates of their own, which TEMPLATES says nothing of: FORM_RENDERER = "troupe.template.FormRenderer" is for them.
"""

from typing import Any

from django.forms.renderers import DjangoTemplates as DjangoFormTemplates
from django.template.backends.django import DjangoTemplates
from django.template.base import Template
from django.template.engine import Engine

from .native import make_native


def _native(template: Any) -> Any:
    return make_native(template) if isinstance(template, Template) else template


class TroupeEngine(Engine):
    """Django's engine; C renders the templates that it returns."""

    def find_template(self, name: str, dirs: Any = None, skip: Any = None) -> Any:
        template, origin = super().find_template(name, dirs, skip)
        return _native(template), origin

    def get_template(self, template_name: str) -> Any:
        return _native(super().get_template(template_name))

    def from_string(self, template_code: str) -> Any:
        return _native(super().from_string(template_code))


class TroupeTemplates(DjangoTemplates):
    """DjangoTemplates with a TroupeEngine."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.engine.__class__ = TroupeEngine


class FormRenderer(DjangoFormTemplates):
    """Django's default form renderer with a TroupeEngine."""

    backend = TroupeTemplates
