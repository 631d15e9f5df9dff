"""A page that shows all that it can read of its request, in its worker and after that has died."""

import json

from django.http import JsonResponse
from django.urls import path

from troupe import LiveView, event_handler

from .rows import read

NOT_HERE = ("site",)  # django.contrib.sites is not installed


class Live(LiveView):
    """See the module."""

    template_string = "<main dj-root><pre>{{ seen }}</pre></main>"

    def mount(self, request, n):
        self.look()

    @event_handler
    def look(self):
        """As of this turn."""
        self.seen = json.dumps(read(self.request, NOT_HERE))


def ordinary(request, n):
    """The same of an ordinary view."""
    request.session["basket"] = 3
    return JsonResponse(read(request, NOT_HERE))


urlpatterns = [
    path("ordinary/<int:n>/", ordinary, name="ordinary"),
    path("live/<int:n>/", Live.as_view()),
]
