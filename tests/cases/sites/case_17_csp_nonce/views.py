"""A page under a strict Content-Security-Policy."""

from troupe import LiveView, event_handler


class Csp(LiveView):
    template_name = "case_17_csp_nonce/page.html"

    def mount(self, request):
        self.n = 0

    @event_handler
    def more(self):
        self.n += 1
