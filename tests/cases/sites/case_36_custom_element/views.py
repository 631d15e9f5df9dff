"""Custom elements that are form controls."""

from troupe import LiveView, event_handler


class Custom(LiveView):
    """One that reports what is typed, and one in a form."""

    template_name = "case_36_custom_element/page.html"

    def mount(self, request):
        self.got = self.sent = ""

    @event_handler
    def typed(self, value, field):
        self.got = f"{field} {value}"

    @event_handler
    def save(self, town):
        self.sent = town
