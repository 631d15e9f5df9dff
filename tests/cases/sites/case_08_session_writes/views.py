"""What live views do to the session."""

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from troupe import LiveView, event_handler


class Cart(LiveView):
    """Counts in the session."""

    template_name = "case_08_session_writes/page.html"

    def mount(self, request):
        self.n = request.session.get("n", 0)
        self.names = ["inc", "log_in", "log_in_here", "log_out", "cycle"]

    @event_handler
    def inc(self):
        """One more."""
        self.n += 1
        self.request.session["n"] = self.n

    @event_handler
    def log_in(self):
        """Logs in, and goes to a page for those who are."""
        login(self.request, authenticate(self.request, username="ann", password="ann"))
        return redirect("private")

    @event_handler
    def log_in_here(self):
        """Logs in, and stays."""
        login(self.request, authenticate(self.request, username="ann", password="ann"))

    @event_handler
    def log_out(self):
        """Logs out."""
        logout(self.request)

    @event_handler
    def cycle(self):
        """Another key for the same session."""
        self.request.session.cycle_key()
        self.n += 1


class Private(LoginRequiredMixin, Cart):
    """For those who are logged in."""


def touch(request):
    """An ordinary view that counts, too."""
    request.session["touched"] = request.session.get("touched", 0) + 1
    return HttpResponse("touched")


def show(request):
    """What the session has."""
    items = "".join(f"<li>{key}={request.session[key]}</li>" for key in ("n", "touched") if key in request.session)
    return HttpResponse(f"<!doctype html><title>s</title><ul>{items}</ul>")


@login_required
def private(request):
    """Only for those who are logged in."""
    return HttpResponse(f"<!doctype html><title>p</title><p>private to {request.user}</p>")


urlpatterns = [path("touch/", touch), path("show/", show), path("private/", private, name="private")]
