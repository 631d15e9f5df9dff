"""An :int is the very number that the page says, or the event is refused."""

from troupe import LiveView, event_handler


class Ids(LiveView):
    """Rows whose ids a double cannot hold, or that a locale writes with separators."""

    template_name = "case_14_int_parameter/page.html"

    def mount(self, request):
        self.rows, self.got = ["1234567890123456789", "1.234", "1,234", "1\u00a0234", "1e3"], "-"

    @event_handler
    def delete(self, id):
        self.got = repr(id)
