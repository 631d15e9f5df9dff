"""Views that the tests mount."""

import asyncio

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect

from troupe import LiveView, event_handler


class Counter(LiveView):
    """Counts."""

    template_string = "<html><body><main dj-root>{{ count }}</main></body></html>"
    step = 1

    def mount(self, request, start=0):
        self.count = start
        self._private = "not shown"

    @event_handler
    def increment(self, by=None):
        self.count += by or self.step

    @event_handler(retry_safe=True)
    async def later(self):
        await asyncio.sleep(0)
        self.count += 10

    @event_handler()
    def broken(self):
        raise ValueError("nothing to count")

    def undecorated(self):
        self.count = -1


class Moved(LiveView):
    """Sends the visitor elsewhere."""

    def mount(self, request, **params):
        response = HttpResponseRedirect("/elsewhere/")
        response.set_cookie("seen", "yes", max_age=60, httponly=True)
        return response


class Missing(LiveView):
    """Is not there."""

    def mount(self, request):
        raise Http404("no such thing")


class Refusing(LiveView):
    """Is nobody's."""

    template_string = "<main dj-root>secret</main>"

    def authorize(self, request):
        raise PermissionDenied("members only")


class Broken(LiveView):
    """Raises when mounted."""

    def mount(self, request, **params):
        raise ValueError("<b>broken</b> mount")
