"""What django-components does: components leave comments, of which a Template.render() of its own makes something."""

import re

from django.apps import AppConfig
from django.template.base import Template

MARK = re.compile(r"<!-- _RENDERED (\w+) -->")


class ComponentsConfig(AppConfig):
    """Puts it in place."""

    name, label = "cases", "components"

    def ready(self):
        """See the module."""

        def render(self, context):
            with context.render_context.push_state(self):
                if context.template is not None:
                    return self._render(context)
                with context.bind_template(self):
                    context.template_name = self.name
                    text = self._render(context)
            styles = "".join(f"<style>.{name} {{ color: rgb(1, 2, 3) }}</style>" for name in set(MARK.findall(text)))
            return MARK.sub("", text).replace("</head>", f"{styles}</head>")

        Template.render = render
