"""A view as djust's users write it: defaults on the class, properties in the template."""

from troupe import LiveView, computed, event_handler, state


class Todos(LiveView):
    """Shows what is open, by a property."""

    template_name = "djust_04_class_names/page.html"
    title = "Todos"
    filter = "all"
    items = state(default_factory=list)

    def mount(self, request):
        self.items = [{"id": number, "text": f"t{number}", "done": False} for number in range(4)]

    @property
    def visible(self):
        return [item for item in self.items if self.filter == "all" or not item["done"]]

    @property
    def active_count(self):
        return sum(not item["done"] for item in self.items)

    @property
    def broken(self):
        raise LookupError("nobody asks for this")

    @computed("active_count")
    def label(self):
        return f"{self.active_count} left"

    @event_handler
    def toggle(self, item_id: int = 0, **kwargs):
        """A row, by data-item-id."""
        for item in self.items:
            if item["id"] == item_id:
                item["done"] = not item["done"]

    @event_handler
    def show(self, value):
        """The filter."""
        self.filter = value
