"""Text that an input method composes."""

from troupe import LiveView, event_handler


class Search(LiveView):
    """Remembers what it heard."""

    template_name = "case_input_05_composed/page.html"

    def mount(self, request):
        self.v, self.heard = "", []

    @event_handler
    def typed(self, value):
        self.v = value
        self.heard = [*self.heard, value]
