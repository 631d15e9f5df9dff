"""A chat over a long line: what is typed while a message is under way."""

from troupe import LiveView, event_handler


class Chat(LiveView):
    """One message a submit. "no" is not accepted, and "bang" raises."""

    template_name = "case_input_03_typed_on/page.html"

    def mount(self, request):
        self.messages, self.error, self.title = [], "", "Draft"

    @event_handler
    def send(self, t):
        if t == "bang":
            raise ValueError(t)
        self.error = "not that" if t == "no" else ""
        if not self.error:
            self.messages = [*self.messages, t]

    @event_handler
    def rename(self, title):
        self.title = title
