"""Live pages that htmx or Turbo fetch, and put into another page."""

from django.shortcuts import render
from django.urls import path

from troupe import LiveView, event_handler


class Page(LiveView):
    """The library is named in the address."""

    def mount(self, request):
        self.library = request.GET["library"]
        self.n = 0

    @event_handler
    def inc(self):
        self.n += 1


class Counter(Page):
    template_name = "case_33_roots_later/counter.html"


class Framed(Page):
    template_name = "case_33_roots_later/framed.html"


class Whole(Page):
    template_name = "case_33_roots_later/whole.html"


class Wizard(LiveView):
    template_name = "case_33_roots_later/wizard.html"

    def mount(self, request):
        self.library = request.GET["library"]
        self.step = 1

    @event_handler
    def next(self, a):
        self.step = int(a) + 1


def home(request):
    """An ordinary page."""
    return render(request, "case_33_roots_later/base.html", {"library": request.GET["library"]})


urlpatterns = [path("", home)]
