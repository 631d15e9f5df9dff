"""autofocus in what a patch brings."""

from troupe import LiveView, event_handler


class Edit(LiveView):
    """A button that opens a field."""

    template_name = "case_26_autofocus/page.html"
    tick_interval = None

    def mount(self, request):
        self.editing, self.words = False, ""

    @event_handler
    def edit(self):
        self.editing = True

    @event_handler
    def typed(self, value):
        self.words = value
        self.editing = value == "open"
