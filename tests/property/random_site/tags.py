"""A person's own tags and filters, of every kind, and a context processor."""

from django import template
from django.template import Context, Engine
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe

register = template.Library()


def site(request):
    """A context processor."""
    return {"site": "Site & Co"}


@register.filter
def bang(value):
    """No markup, and not marked as safe."""
    return f"{value}!"


@register.filter(is_safe=True)
def shy(value):
    """What is safe stays so."""
    return f"{value}\u00ad"


@register.filter(needs_autoescape=True)
def badge(value, autoescape=True):
    """Markup around a value."""
    text = conditional_escape(value) if autoescape else value
    return mark_safe(f'<em class="badge">{text}</em>')


@register.simple_tag
def shout(value):
    """A text."""
    return str(value).upper()


@register.simple_tag(takes_context=True)
def mine(context):
    """Depends on the context as a whole."""
    return f"{context.get('a')}/{context.get('n')}"


@register.simple_tag(name="badge")
def badge_tag(value):
    """Markup."""
    return format_html("<em>{}</em>", value)


class Panel(template.Node):
    """What an inclusion tag is, with its template at hand."""

    inner = None

    def __init__(self, value):
        self.value = value

    def render(self, context):
        """One element with a text in it."""
        if Panel.inner is None:
            Panel.inner = Engine().from_string('<div class="panel">{{ value }}</div>')
        return Panel.inner.render(Context({"value": self.value.resolve(context)}))


@register.tag
def panel(parser, token):
    """{% panel value %}"""
    return Panel(parser.compile_filter(token.contents.split(None, 1)[1]))


class Loud(template.Node):
    """A block tag of one's own."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        """Its content between marks."""
        with context.push(b="loud b"):
            return "¡" + self.nodelist.render(context) + "!"


@register.tag
def loud(parser, token):
    """{% loud %}…{% endloud %}"""
    nodelist = parser.parse(("endloud",))
    parser.delete_first_token()
    return Loud(nodelist)


class Keep(template.Node):
    """Sets a name for all that follows."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def render(self, context):
        """Nothing to see."""
        context[self.name] = self.value.resolve(context)
        return ""


@register.tag
def keep(parser, token):
    """{% keep name=value %}"""
    name, _, value = token.contents.split(None, 1)[1].partition("=")
    return Keep(name, parser.compile_filter(value))
