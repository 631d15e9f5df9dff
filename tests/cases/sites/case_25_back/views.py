"""What the browser fills in when the user comes back by its Back button."""

from django.http import HttpResponse
from django.urls import path

from troupe import LiveView, event_handler


class Filter(LiveView):
    """Shows what it knows of its controls."""

    template_name = "case_25_back/page.html"

    def mount(self, request):
        self.s, self.c, self.n = "a", False, 0

    @event_handler
    def sort(self, value):
        self.s = value

    @event_handler
    def check(self, value):
        self.c = value

    @event_handler
    def more(self):
        self.n += 1


urlpatterns = [path("elsewhere/", lambda request: HttpResponse("<!doctype html><title>x</title><p>elsewhere"))]
