"""Counts with the async ORM."""

from django.contrib.auth.models import User

from troupe import LiveView, event_handler


class Stock(LiveView):
    template_name = "case_05_async_orm/page.html"

    def mount(self, request):
        self.n = "-"

    @event_handler
    async def orm(self):
        self.n = await User.objects.acount()
