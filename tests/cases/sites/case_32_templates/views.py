"""A page with a parent and includes, for Django's test tools."""

from django.contrib.auth.models import User

from troupe import LiveView, event_handler


class Wizard(LiveView):
    """Shows one of two included templates, and asks the database once."""

    template_name = "case_32_templates/page.html"

    def mount(self, request):
        self.n = 0
        self.users = User.objects.count()

    @event_handler
    def more(self):
        """Counts, with two queries."""
        self.users = User.objects.count() + User.objects.filter(pk=1).count()
        self.n += 1

    @event_handler
    async def later(self):
        """With one query, of the async ORM."""
        self.users = await User.objects.acount()

    @event_handler
    def fail(self):
        """Raises."""
        raise LookupError("not here")
