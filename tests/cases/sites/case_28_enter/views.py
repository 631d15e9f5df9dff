"""Enter in a field of a form with buttons of its own."""

from troupe import LiveView, event_handler


class Tags(LiveView):
    """Buttons with dj-click, of type submit since they say no type, before the form's own."""

    template_name = "case_28_enter/page.html"

    def mount(self, request):
        self.tags = ["one", "two"]

    @event_handler
    def remove(self, tag):
        self.tags.remove(tag)

    @event_handler
    def save(self, tag):
        self.tags.append(tag)
