"""Tags for the demo's pages: the list of them, and a view's own source."""

import inspect

from django import template
from django.urls import reverse

from demo import views

register = template.Library()

# url name, title, what the page shows
PAGES = [
    ("counter", "Counter", "A click becomes an event, the event a patch, the patch one new number."),
    ("todo", "Todo list", "A form that empties when it is sent, a search that keeps your caret, a filter."),
    ("table", "Thousand rows", "One row of a thousand changes; the others, and your scroll position, stay."),
    ("guestbook", "Guest book", "A form with a database behind it, and everybody with the page open sees each line."),
    ("survive", "Kill a worker", "End the process that your page lives in. The page goes on, with all it had."),
    ("seed", "The first view", "A whole live view whose template is one short string."),
    ("twice", "Two of one class", "Two views of one class on an ordinary page, each with its own state."),
    ("clock", "Clock", "Hands that a worker turns, without a click and without a line of JavaScript."),
    ("burn", "Busy with work", "A handler burns the processor, and the counter beside it goes on."),
    ("sleep", "Busy waiting", "A handler sleeps, the plain way or with await, and nobody else waits for it."),
]


@register.simple_tag
def demo_pages():
    """The demo's pages: a list of {"name", "title", "text", "url"}."""
    return [{"name": name, "title": title, "text": text, "url": reverse(name)} for name, title, text in PAGES]


@register.simple_tag
def view_source(name):
    """The source text of the class `name` in demo/views.py."""
    return inspect.getsource(getattr(views, name)).strip()
