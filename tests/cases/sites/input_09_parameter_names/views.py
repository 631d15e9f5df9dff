"""A handler whose parameter has a name under which nothing comes."""

from troupe import LiveView, event_handler


class Field(LiveView):
    """djust's name for it was field_name once."""

    template_name = "input_09_parameter_names/page.html"

    def mount(self, request):
        self.out = ""

    @event_handler
    def validate_field(self, field_name="", value=None, **kw):
        """Any of several inputs."""
        self.out = f"{field_name}/{value}/{kw.get('field')}"
