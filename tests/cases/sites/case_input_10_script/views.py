"""A script that a patch brings."""

from troupe import LiveView, event_handler


class Late(LiveView):
    """One script is there from the start, another one comes."""

    template_name = "case_input_10_script/page.html"

    def mount(self, request):
        self.n = 0

    @event_handler
    def go(self):
        self.n += 1
