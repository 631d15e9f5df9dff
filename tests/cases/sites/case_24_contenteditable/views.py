"""Elements with contenteditable, whose text is also what the server renders."""

from troupe import LiveView, event_handler


class Editable(LiveView):
    """Repeats what is typed."""

    template_name = "case_24_contenteditable/page.html"

    def mount(self, request):
        self.text, self.n = "hello", 0

    @event_handler
    def typed(self, value):
        self.text = value

    @event_handler
    def shout(self):
        self.text = self.text.upper()

    @event_handler
    def more(self):
        self.n += 1
