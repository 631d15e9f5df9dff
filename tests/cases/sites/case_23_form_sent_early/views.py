"""A form that is sent before the page's script is there."""

from django.http import HttpResponse
from django.utils.decorators import method_decorator

from troupe import LiveView, event_handler


class Login(LiveView):
    """Tells who logged in."""

    template_name = "case_23_form_sent_early/page.html"

    def mount(self, request):
        self.who = "-"

    @event_handler
    def login(self, user, password):
        self.who = f"{user} {len(password)}"


def unchanged(view):
    """A decorator that does nothing."""
    return view


@method_decorator(unchanged, name="dispatch")
class Own(LiveView):
    """One that answers a POST by itself: Django's check of forgeries stays in front of it."""

    template_string = "<p>own</p>"

    def dispatch(self, request, *args, **kwargs):
        if request.method == "POST":
            return HttpResponse("done")
        return super().dispatch(request, *args, **kwargs)
