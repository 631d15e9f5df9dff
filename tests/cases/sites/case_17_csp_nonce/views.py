"""A page under a strict Content-Security-Policy."""

from django.utils.html import format_html

from troupe import LiveView, event_handler


class Csp(LiveView):
    template_name = "case_17_csp_nonce/page.html"

    def mount(self, request):
        self.n = 0

    @event_handler
    def more(self):
        self.n += 1


class Region(LiveView):
    """The same nonce in HTML that is morphed in its place."""

    template_string = (
        "<!doctype html><html><head><title>c</title></head><body><main dj-root>{{ html }}"
        '<button id="more" dj-click="more">more</button></main></body></html>'
    )
    n = 0

    def html(self):
        """A region, with parts that need the nonce, one of them only later."""
        nonce = self.request.csp_nonce
        late = format_html('<script nonce="{}" id="late">window.late = 1</script>', nonce) if self.n else ""
        return format_html(
            '<style nonce="{}" id="style">output {{ color: rgb(1, 2, {}) }}</style><output>{}</output>{}',
            nonce,
            self.n,
            self.n,
            late,
        )

    def get_context_data(self, **kwargs):
        return {"html": self.html()}

    @event_handler
    def more(self):
        self.n += 1
