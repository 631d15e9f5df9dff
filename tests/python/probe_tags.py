"""Tags and filters of a project: the tests of templates use them."""

from django import template
from django.template.base import Node, VariableNode
from django.urls import path, reverse

register = template.Library()
urlpatterns = [
    path("page/<int:number>/", lambda request, number: None, name="page"),
    path("query/<str:text>/", lambda request, text: None, name="query"),
]


@register.simple_tag
def said(value, *args, **kwargs):
    return f"<{value}|{args}|{sorted(kwargs.items())}>"


@register.simple_tag(takes_context=True)
def sees(context, name="forloop"):
    value = context.get(name)
    if isinstance(value, dict):
        return sorted((key, value[key]) for key in value if isinstance(key, str) and key != "parentloop")
    return value


@register.simple_tag(takes_context=True)
def puts(context, name, value):
    context[name] = value
    return ""


@register.simple_tag
def nothing():
    return None


@register.inclusion_tag("included.html")
def box(value):
    return {"value": value}


@register.filter
def shout(value):
    return f"{value}!<"


@register.filter(is_safe=True)
def same(value):
    return value


@register.filter(needs_autoescape=True)
def mode(value, autoescape=None):
    return f"{value}:{autoescape}"


@register.filter
def between(value, arg):
    return f"{value}{arg!r}{type(arg).__name__}"


@register.filter
def reverses(value):
    """A filter whose own reverse() finds nothing."""
    return reverse("nowhere", args=[value])


@register.filter
def fails(value):
    raise ValueError(f"the filter failed with {value!r}")


class Odd(Node):
    """Gives what is no str."""

    def __init__(self, what):
        self.what = what

    def render(self, context):
        return self.what


@register.tag
def number(parser, token):
    return Odd(42)


@register.tag
def none(parser, token):
    return Odd(None)


class Loud(VariableNode):
    """A subclass of one of Django's nodes."""

    def render(self, context):
        return super().render(context).upper()


@register.tag
def loud(parser, token):
    return Loud(parser.compile_filter(token.split_contents()[1]))


class Wrap(Node):
    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        with context.push(wrapped=True):
            return f"[{self.nodelist.render(context)}]"


@register.tag
def wrap(parser, token):
    nodelist = parser.parse(("endwrap",))
    parser.delete_first_token()
    return Wrap(nodelist)


class Switch(Node):
    """Changes what the rendering has looked up already."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def render(self, context):
        setattr(context, self.name, self.value)
        return ""


@register.tag
def switch(parser, token):
    _, name, value = token.split_contents()
    return Switch(name, {"on": True, "off": False, "none": None}[value])


@register.tag
def speak(parser, token):
    return Speak(token.split_contents()[1].strip("'"))


class Speak(Node):
    def __init__(self, language):
        self.language = language

    def render(self, context):
        from django.utils import translation

        translation.activate(self.language)
        return ""
