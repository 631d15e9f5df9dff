"""manage.py troupe_template shop/list.html: what of a template is a slot of its own, and what is sent as HTML."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError, loader
from django.template.base import Template

from ...template import originals
from ...template.explain import count_slots, explain
from ...template.inlining import Unplannable
from ...template.plan import plan_page

_NAMES = {
    "t": "text", "a": "attribute", "g": "tag", "r": "raw text", "b": "branch", "l": "list", "h": "region", "T": "title",
}  # fmt: skip


class Command(BaseCommand):
    """See above."""

    help = "Shows how a live view's template is cut into slots, and which places are sent as HTML, and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="template")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
        for name in names:
            self.stdout.write(f"{name}\n{self.outline(name)}\n")

    def outline(self, name: str) -> str:
        """The outline of a template by name."""
        try:
            template = getattr(loader.get_template(name), "template", None)
        except (TemplateDoesNotExist, TemplateSyntaxError) as error:
            raise CommandError(f"{name}: {error}") from error
        if not isinstance(template, Template):
            raise CommandError(f"{name}: not one of Django's own templates")
        replaced = originals.what_is_replaced()
        if replaced is not None:
            return f"sent as a whole whenever it changes: {replaced}"
        try:
            page = plan_page(template, Context())
        except Unplannable as error:
            return f"sent as a whole whenever it changes: {error}"
        classes, _ = count_slots(page)
        total = ", ".join(f"{n} {_NAMES[letter]}" for letter, n in sorted(classes.items()))
        return f"{explain(page)}\nslots: {total or 'none'}"
