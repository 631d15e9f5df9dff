"""Each page as a live view, and, where the stock engine renders, as an ordinary one."""

from django.shortcuts import render

from packaged.pages import PAGES
from troupe import LiveView, event_handler


class PackagePage(LiveView):
    """A page of pages.py, by its name."""

    def mount(self, request, name):
        self.name, self.state = name, 0

    def get_template_names(self):
        """The package's own template."""
        return PAGES[self.name](self.request, self.state)[0]

    def get_context_data(self, **kwargs):
        """What the package's own view would give its template."""
        return PAGES[self.name](self.request, self.state)[1]

    @event_handler
    def go(self, state: int):
        """To a state."""
        self.state = state


def stock_page(request, name):
    """The same page in the state that a header names, by the engine of TEMPLATES."""
    return render(request, *PAGES[name](request, int(request.headers.get("X-State", 0))))
