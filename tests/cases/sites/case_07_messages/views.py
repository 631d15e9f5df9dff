"""Messages of ordinary views and of live ones."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from troupe import LiveView, event_handler


class Page(LiveView):
    """Shows messages."""

    template_name = "case_07_messages/page.html"

    def mount(self, request):
        self.n = 0
        self.names = ["save", "later", "leave", "count"]

    @event_handler
    def save(self):
        """A message here."""
        messages.success(self.request, "saved")

    @event_handler
    async def later(self):
        """The same, awaited."""
        messages.success(self.request, "saved")

    @event_handler
    def leave(self):
        """A message there."""
        messages.success(self.request, "left")
        return redirect("messages-list")

    @event_handler
    def count(self):
        """Something else."""
        self.n += 1


class Welcome(Page):
    """Greets."""

    tick_interval = 30

    def mount(self, request):
        super().mount(request)
        messages.info(request, "welcome")

    def handle_tick(self):
        """Renders the page again and again."""
        self.n += 1


def add(request):
    """An ordinary view that redirects to a live page."""
    messages.success(request, "x")
    return redirect("/case_07_messages/Page/")


def show(request):
    """An ordinary page."""
    items = "".join(f"<li>{message}</li>" for message in messages.get_messages(request))
    return HttpResponse(f"<!doctype html><title>l</title><ul>{items}</ul><p>ordinary</p>")


urlpatterns = [path("add/", add), path("list/", show, name="messages-list")]
