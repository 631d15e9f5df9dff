"""request.auser() and request.user in async handlers."""

from troupe import LiveView, event_handler


class Ask(LiveView):
    template_name = "case_11_async_request_user/page.html"

    def mount(self, request):
        self.got = "-"

    @event_handler
    async def auser(self):
        self.got = (await self.request.auser()).get_username() or "nobody"

    @event_handler
    async def both(self):
        await self.request.auser()
        self.got = self.request.user.username + "!"

    @event_handler
    async def user(self):
        self.got = self.request.user.username
