"""A file in a form with dj-submit: there are no uploads yet."""

from troupe import LiveView, event_handler


class Upload(LiveView):
    """Shows what it gets."""

    template_name = "case_41_file/page.html"

    def mount(self, request):
        self.got = "-"

    @event_handler
    def save(self, **fields):
        self.got = repr(fields)
