"""What a tick does to the request, and what an embedded view does."""

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template import RequestContext, Template
from django.urls import path

from troupe import LiveView, event_handler

LOOP = "{% for m in messages %}<li>{{ m }}</li>{% endfor %}"


def add_and_go(view):
    """A message for the page that the user is sent to."""
    messages.success(view.request, "left by a tick")
    return redirect("stored")


def with_cookie(view):
    """A redirect with a cookie of its own."""
    response = redirect("stored")
    response.set_cookie("tea", "hot", httponly=True)
    return response


def write(view):
    """The first write of an anonymous visitor, say."""
    view.request.session["ticked"] = view.request.session.get("ticked", 0) + 1


def log_in(view):
    """As a page does that waits for a mail to be confirmed."""
    login(view.request, authenticate(view.request, username="ann", password="ann"))


def log_in_and_go(view):
    """The usual end of that."""
    log_in(view)
    return redirect("stored")


def raising(error):
    """A tick that raises."""

    def run(view):
        raise error

    return run


DOES = {
    "go": lambda view: redirect("stored"),
    "go_off_site": lambda view: redirect("https://example.org/"),
    "add": lambda view: messages.info(view.request, "of a tick"),
    "add_and_go": add_and_go,
    "with_cookie": with_cookie,
    "write": write,
    "expire": lambda view: view.request.session.set_expiry(77),
    "cycle": lambda view: view.request.session.cycle_key(),
    "flush": lambda view: view.request.session.flush(),
    "log_in": log_in,
    "log_in_and_go": log_in_and_go,
    "log_out": lambda view: logout(view.request),
    "nothing": lambda view: HttpResponse(status=204),
    "missing": raising(Http404("gone")),
    "denied": raising(PermissionDenied("no")),
    "strange": raising(SuspiciousOperation("odd")),
    "answer": lambda view: JsonResponse({}),
    "text": lambda view: "text",
}


class Ticking(LiveView):
    """Does once, with its next tick, what an event asks for."""

    template_string = "<main dj-root>" + LOOP + "<output>{{ n }} {{ user }}</output></main>"
    tick_interval = 40

    def mount(self, request):
        self.n, self.next = 0, None

    @event_handler
    def then(self, what):
        """Arms the next tick."""
        self.next = what

    @event_handler
    def do(self, what):
        """At once."""
        self.n += 1
        return DOES[what](self)

    @event_handler
    def more(self):
        """Nothing special."""
        self.n += 1

    def handle_tick(self):
        """Ticks change nothing but once."""
        what, self.next = self.next, None
        if what:
            self.n += 1
            return DOES[what](self)


class TickingLater(Ticking):
    """The same, awaited."""

    async def handle_tick(self):
        """As above."""
        what, self.next = self.next, None
        if what:
            from asgiref.sync import sync_to_async

            self.n += 1
            return await sync_to_async(DOES[what])(self)


def around(request):
    """An ordinary page with a live view."""
    source = (
        "{% load troupe %}<!doctype html><html><head><title>a</title></head><body>"
        "{% live_view 'case_44_ticks.views.Ticking' %}{% troupe_script %}</body></html>"
    )
    return HttpResponse(Template(source).render(RequestContext(request)))


def stored(request):
    """What the next page has."""
    texts = [str(message) for message in messages.get_messages(request)]
    session = {key: value for key, value in request.session.items() if not key.startswith("_")}
    tea = request.COOKIES.get("tea", "")
    return JsonResponse({"messages": texts, "session": session, "user": str(request.user), "tea": tea})


urlpatterns = [path("around/", around), path("stored/", stored, name="stored")]
