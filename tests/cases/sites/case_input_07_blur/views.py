"""dj-debounce="blur"."""

from troupe import LiveView, event_handler


class Draft(LiveView):
    """Remembers what it heard."""

    template_name = "case_input_07_blur/page.html"

    def mount(self, request):
        self.heard = []

    @event_handler
    def typed(self, value):
        self.heard = [*self.heard, value]
