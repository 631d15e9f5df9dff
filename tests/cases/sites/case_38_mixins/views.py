"""Handlers in mixins, on either side of LiveView."""

from troupe import LiveView, event_handler


class Paged:
    """Has a handler, and an attribute of the instance's own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.page_no = 1

    @event_handler
    def next(self):
        """The button."""
        self.page_no += 1


class Right(LiveView, Paged):
    """The mixin after LiveView."""

    template_name = "case_38_mixins/page.html"


class Left(Paged, LiveView):
    """The mixin before LiveView."""

    template_name = "case_38_mixins/page.html"
