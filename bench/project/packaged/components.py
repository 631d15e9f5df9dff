"""Components of django-components."""

from django_components import Component, register


@register("card")
class Card(Component):
    """A card with a title and a slot."""

    template = """
      <section class="card">
        <header><h2>{{ title }}</h2><span class="badge">{{ count|floatformat:1 }}</span></header>
        <div class="card-body">{% slot "body" default %}Nothing yet{% endslot %}</div>
      </section>
    """
    css = ".card { border: 1px solid }"
    js = "console.log('card')"

    def get_template_data(self, args, kwargs, slots, context):
        """What the template sees."""
        return {"title": kwargs["title"], "count": kwargs.get("count", 0)}


@register("meter")
class Meter(Component):
    """A component without media."""

    template = '<div class="meter" data-value="{{ value }}"><i style="width: {{ value }}%"></i>{{ label }}</div>'

    def get_template_data(self, args, kwargs, slots, context):
        """What the template sees."""
        return {"value": kwargs["value"], "label": kwargs["label"]}
