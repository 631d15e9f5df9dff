"""Messages that Enter sends, without a form."""

from troupe import LiveView, event_handler


class Composer(LiveView):
    """A textarea that reports what is typed, and an input that does not."""

    template_name = "case_input_04_enter/page.html"

    def mount(self, request):
        self.messages, self.composer = [], ""

    @event_handler
    def typed(self, value):
        self.composer = value

    @event_handler
    def send(self, value):
        self.messages = [*self.messages, value]
        self.composer = ""
