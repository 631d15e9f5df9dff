"""A page with components that a replaced Template.render() makes complete, live and ordinary."""

from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html

from troupe import LiveView, event_handler

PAGE = "case_46_components/page.html"


def context(n):
    """A component, and one that comes later."""
    return {"n": n, "card": component("card", n), "late": component("late", n)}


def component(name, value):
    """A component's HTML, with a comment that says what it needs."""
    return format_html("<!-- _RENDERED {} --><section class='{}'>{}</section>", name, name, value)


class Components(LiveView):
    template_name = PAGE
    n = 0

    def get_context_data(self, **kwargs):
        return context(self.n)

    @event_handler
    def more(self):
        self.n += 1


def ordinary(request, n):
    """The same page without a live view."""
    return render(request, PAGE, context(n))


urlpatterns = [path("ordinary/<int:n>/", ordinary)]
