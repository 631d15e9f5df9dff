"""A Django template backend whose templates run in C: `"BACKEND": "troupe.template.TroupeTemplates"` in TEMPLATES.

Everything but the rendering is Django's: settings, loaders, tags, filters, error messages. Forms and widgets have
templates of their own, which TEMPLATES says nothing of: FORM_RENDERER = "troupe.template.FormRenderer" is for them.
"""

from typing import Any

from django.forms.renderers import DjangoTemplates as DjangoFormTemplates
from django.template.backends.django import DjangoTemplates
from django.template.base import Template
from django.template.engine import Engine
from django.template.loaders import cached

from . import direct
from .native import Template as NativeTemplate
from .native import make_native

_CACHED_GET = cached.Loader.get_template


def _native(template: Any) -> Any:
    return make_native(template) if isinstance(template, Template) else template


class TroupeEngine(Engine):
    """Django's engine; C renders the templates that it returns, and those that code makes of texts with it."""

    def find_template(self, name: str, dirs: Any = None, skip: Any = None) -> Any:
        if skip is None and type(name) is str:
            # What the cached loader would return. Packages render hundreds of small templates for a page.
            loader: Any = self.template_loaders[0] if self.template_loaders else None
            if type(loader) is cached.Loader and cached.Loader.get_template is _CACHED_GET:
                known = loader.get_template_cache.get(name)
                if type(known) is NativeTemplate:
                    return known, known.origin
        template, origin = super().find_template(name, dirs, skip)
        return _native(template), origin

    def from_string(self, template_code: str) -> Any:
        return _native(super().from_string(template_code))


direct.install(TroupeEngine)


class TroupeTemplates(DjangoTemplates):
    """DjangoTemplates with a TroupeEngine."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.engine.__class__ = TroupeEngine


class FormRenderer(DjangoFormTemplates):
    """Django's default form renderer with a TroupeEngine."""

    backend = TroupeTemplates
