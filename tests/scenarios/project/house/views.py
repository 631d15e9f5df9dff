"""Live views that behave."""

import asyncio
import os
import time
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import localize

from troupe import LiveView, event_handler

from .models import Row

GATE_SECONDS = 20  # a gate that nobody opens must not hold a worker for ever


def wait_for_gate(gate):
    """Say that it is reached, and wait until somebody opens it."""
    end = time.monotonic() + GATE_SECONDS
    Path(gate + ".reached").touch()
    while not os.path.exists(gate) and time.monotonic() < end:
        time.sleep(0.005)


class Counter(LiveView):
    """Counts, and knows other things to do with text."""

    template_string = "<div dj-root><h1>{{ title }}</h1><output>{{ count }}</output>{{ text }}</div>"
    title = "counter"

    def mount(self, request, start=0):
        self.count = start
        self.title = self.title
        self.text = ""

    @event_handler
    def increment(self):
        self.count += 1

    @event_handler
    def add(self, by):
        self.count += by

    @event_handler
    async def later(self):
        await asyncio.sleep(0)
        self.count += 10

    @event_handler
    def say(self, text):
        self.text = text

    @event_handler
    def measure(self, text):
        self.text = str(len(text))

    @event_handler
    def fill(self, size):
        self.text = "x" * size

    @event_handler
    def count_of(self, **params):
        self.count = len(params)

    def undecorated(self):
        self.count = -1


class Paper(LiveView):
    """A whole document, with its live part in the middle."""

    template_name = "house/paper.html"

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Where(LiveView):
    """Says which process it lives in."""

    template_string = "<p dj-root><b>{{ pid }}</b> <output>{{ count }}</output></p>"

    def mount(self, request):
        self.pid = os.getpid()
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1
        self.pid = os.getpid()


class Gated(LiveView):
    """Its handlers wait until a file is there: order can be tested without looking at a clock."""

    template_string = "<p dj-root><output>{{ count }}</output> {{ said }}</p>"

    def mount(self, request):
        self.count = 0
        self.said = ""

    @event_handler
    def hold(self, gate):
        wait_for_gate(gate)
        self.count += 1

    @event_handler
    async def hold_async(self, gate):
        end = time.monotonic() + GATE_SECONDS
        Path(gate + ".reached").touch()
        while not os.path.exists(gate) and time.monotonic() < end:
            await asyncio.sleep(0.005)
        self.count += 1

    @event_handler
    def burn(self, gate):
        end = time.monotonic() + GATE_SECONDS
        Path(gate + ".reached").touch()
        while not os.path.exists(gate) and time.monotonic() < end:
            sum(range(1000))
        self.count += 1

    @event_handler
    def say(self, word):
        self.said += word


class Big(LiveView):
    """A page of so many bytes."""

    template_string = "<p dj-root>{{ text }}</p>"

    def mount(self, request, size):
        self.text = "x" * size


class Facts(LiveView):
    """Shows what it knows of the request, again after each event."""

    template_name = "house/facts.html"

    def mount(self, request, what):
        self.what = what
        self.looked = 0

    @event_handler
    def look(self):
        self.looked += 1

    def get_context_data(self, **kwargs):
        request = self.request
        match = request.resolver_match
        return super().get_context_data(
            user=str(request.user),
            path=request.path,
            query=request.META["QUERY_STRING"],
            full=request.build_absolute_uri(),
            q=request.GET.get("q", ""),
            match=f"{match.view_name} {match.kwargs}" if match else "none",
            cookie=request.COOKIES.get("fruit", ""),
            agent=request.headers.get("User-Agent", ""),
            kept=request.session.get("kept", ""),
            tenant=request.tenant,
            zone=timezone.get_current_timezone_name(),
            number=localize(1234.5),
            method=request.method,
            secure=request.is_secure(),
        )


class Form(LiveView):
    """A form with Django's own CSRF token."""

    template_string = "<form dj-root>{% csrf_token %}<output>{{ count }}</output></form>"

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Members(LiveView):
    """For logged-in users."""

    template_string = "<p dj-root>welcome {{ name }} <output>{{ count }}</output></p>"

    def authorize(self, request):
        return request.user.is_authenticated

    def mount(self, request):
        self.name = request.user.get_username()
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Rows(LiveView):
    """Writes into the database."""

    template_string = "<p dj-root><output>{{ count }}</output></p>"

    def mount(self, request):
        self.count = 0

    @event_handler
    def write(self, text):
        Row.objects.create(text=text)
        self.count += 1

    @event_handler
    def write_and_fail(self, text):
        Row.objects.create(text=text)
        raise ValueError("after the write")


class Redirects(LiveView):
    """Its mount() answers with a redirect."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        return HttpResponseRedirect("/plain/?from=mount")


class Missing(LiveView):
    """Its mount() raises Http404."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        raise Http404("no such thing")


class Denied(LiveView):
    """Its mount() raises PermissionDenied."""

    template_string = "<p dj-root>never</p>"

    def mount(self, request):
        raise PermissionDenied("not for you")


class Remembers(LiveView):
    """Its mount() writes into the Django session; with ?go it redirects as well."""

    template_string = "<p dj-root>{{ visits }}</p>"

    def mount(self, request):
        self.visits = request.session["visits"] = request.session.get("visits", 0) + 1
        if "go" in request.GET:
            return HttpResponseRedirect("/plain/")


class Reloaded(LiveView):
    """Is edited by a scenario."""

    template_name = "house/reloaded.html"

    def mount(self, request):
        self.word = "before"
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1
