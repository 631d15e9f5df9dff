"""A page that shows one question after the other, in the same elements."""

from troupe import LiveView, event_handler


class Quiz(LiveView):
    """Its controls have other ids and names at each question."""

    template_name = "case_input_02_next_question/page.html"

    def mount(self, request):
        self.q, self.got, self.draft = 1, "", ""

    @event_handler
    def next(self):
        self.q += 1

    @event_handler
    def typed(self, value, field):
        self.draft = f"{field}={value}"

    @event_handler
    def answer(self, **fields):
        self.got = repr(sorted(fields.items()))
