"""One handler for several controls."""

from troupe import LiveView, event_handler


class Field(LiveView):
    """Tells which control an event is of."""

    template_name = "case_input_09_field/page.html"

    def mount(self, request):
        self.out = ""

    @event_handler
    def validate_field(self, field="", value=None, **kwargs):
        self.out = f"{field} {value} {kwargs.get('_target')}"

    @event_handler
    def pressed(self, key, code, field=""):
        self.out = f"{field} {key} {code}"
