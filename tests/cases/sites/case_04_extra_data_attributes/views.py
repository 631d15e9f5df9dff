"""Elements that carry data-* of others: Bootstrap, test ids, extensions of the visitor's browser."""

from troupe import LiveView, event_handler


class Counter(LiveView):
    """Its handlers take what their authors wrote, and nothing else."""

    template_name = "case_04_extra_data_attributes/page.html"

    def mount(self, request):
        self.n, self.word, self.sent = 0, "", ""

    @event_handler
    def inc(self):
        """A button."""
        self.n += 1

    @event_handler
    def typed(self, value):
        """A control."""
        self.word = value

    @event_handler
    def save(self, title):
        """A form."""
        self.sent = title
