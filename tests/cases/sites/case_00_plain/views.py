"""What every other case takes for granted: a click becomes a patch, for an anonymous visitor and for one who is
logged in.
"""

from troupe import LiveView, event_handler


class Counter(LiveView):
    """Counts, and says for whom."""

    template_name = "case_00_plain/page.html"

    def mount(self, request):
        self.n = 0
        self.name = str(request.user)

    @event_handler
    def more(self):
        """The button."""
        self.n += 1
