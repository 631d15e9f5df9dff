"""The table as a Troupe view."""

import time

from django.template import engines

from benched.rows import TABLE, Table
from troupe import LiveView, event_handler


class TableView(Table, LiveView):
    """A table that can be changed in many ways. `left`: when the last handler returned, in ns."""

    template_string = TABLE

    def mount(self, request, count=1000, keys="numbers", things=False):
        self.fill(count, keys, things)

    def get_context_data(self, **kwargs):
        return {"rows": self.rows, "title": self.title, "tone": self.tone}

    @event_handler
    def change(self, name="one_cell"):
        """One of the changes of benched.rows."""
        getattr(self, name)()
        TableView.left = time.perf_counter_ns()


def django_render(view):
    """A function that renders the view's table by Django alone."""
    template = engines["django"].from_string(TABLE)
    return lambda: template.render(view.get_context_data())
