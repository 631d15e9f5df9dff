"""A handler that asks the user itself."""

from troupe import LiveView, event_handler


class Guarded(LiveView):
    """Says what request.user may."""

    template_name = "input_01_permissions/page.html"

    def mount(self, request):
        self.n, self.out = 0, ""

    @event_handler
    def go(self, **kw):
        """The button."""
        self.n += 1
        user = self.request.user
        self.out = "allowed" if user.has_perm("auth.change_user") else "denied"
        self.out += "" if user.is_authenticated else " anonymous"
