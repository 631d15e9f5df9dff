"""Pages that fail in each place where user code runs. A receiver of got_request_exception writes down what it hears."""

import json
import os
import sys

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpResponse

from troupe import LiveView, event_handler


def heard(sender, request, **_):
    """A line of JSON in the file CASE_22_HEARD: which exception, for which path, in which process."""
    if "CASE_22_HEARD" in os.environ:
        error = sys.exc_info()[1]
        line = {"type": type(error).__name__, "path": request and request.path, "pid": os.getpid(), "sender": sender}
        with open(os.environ["CASE_22_HEARD"], "a") as file:
            file.write(json.dumps(line) + "\n")


got_request_exception.connect(heard, dispatch_uid="case_22")


class Failing(LiveView):
    """Fails where a test asks for it."""

    template_name = "case_22_errors/page.html"
    tick_interval = None

    def mount(self, request):
        self.where = ""
        self.ticks = 0

    def get_context_data(self, **kwargs):
        if self.where == "context":
            raise LookupError("in the context")
        return {**super().get_context_data(**kwargs), "boom": self.boom}

    def boom(self):
        """For the template."""
        if self.where == "template":
            raise ArithmeticError("in the template")
        return ""

    def handle_tick(self):
        self.tick_interval = None
        raise OSError("in a tick")

    @event_handler
    def fail(self):
        """The button of the case."""
        secret_number = 4711  # noqa: F841  the mail shows it
        raise ValueError("boom")

    @event_handler
    def fail_otherwise(self):
        """Another kind of error."""
        raise KeyError("other")

    @event_handler
    async def fail_later(self):
        """In a coroutine."""
        raise ConnectionError("while awaiting")

    @event_handler
    def fail_in(self, where):
        """In "context" or "template" of this very event."""
        self.where = where

    @event_handler
    def tick(self):
        """Makes the next tick fail."""
        self.tick_interval = 20

    @event_handler
    def suspicious(self):
        """An error of its own logger."""
        raise SuspiciousOperation("who are you?")

    @event_handler
    def bad_request(self):
        """A warning."""
        raise BadRequest("what is this?")


class BrokenMount(LiveView):
    """Fails at HTTP."""

    template_name = "case_22_errors/page.html"

    def mount(self, request):
        number_of_the_beast = 666  # noqa: F841  the debug page shows it
        raise ZeroDivisionError("in <mount>")


class BadMount(LiveView):
    """Refuses its request, as Django does what is suspicious."""

    template_name = "case_22_errors/page.html"

    def mount(self, request):
        raise SuspiciousOperation("that is no address")


class BrokenTemplate(LiveView):
    """Fails at HTTP, in its template."""

    template_name = "case_22_errors/broken.html"

    def boom(self):
        """For the template."""
        raise ArithmeticError("on line three")

    def get_context_data(self, **kwargs):
        return {**super().get_context_data(**kwargs), "boom": self.boom}


class NoTemplate(LiveView):
    """Names a template that is nowhere."""

    template_name = "case_22_errors/nowhere.html"


class Paused(LiveView):
    """Stops in a debugger."""

    template_string = "<!doctype html><title>d</title><main dj-root><output>{{ n }}</output></main>"

    def mount(self, request):
        self.n = 41

    @event_handler
    def pause(self):
        """As one writes it."""
        breakpoint()
        self.n += 1

    @event_handler
    def pause_by_hand(self):
        """As one wrote it before."""
        import pdb

        pdb.set_trace()
        self.n += 1


class Partly(LiveView):
    """Breaks in its template, at an event."""

    template_name = "case_22_errors/partly.html"

    def mount(self, request):
        self.values = [1]

    @event_handler
    def fail(self):
        """Leaves a zero for the template."""
        self.values = [0]

    def get_context_data(self, **kwargs):
        return {**super().get_context_data(**kwargs), "inverse": lambda: 1 // self.values[0]}


class StrictPolicy:
    """Middleware: a page may load scripts and styles from its own origin only."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 200:
            policy = "default-src 'self'; frame-src 'none'; style-src 'self'; script-src 'self'; object-src 'none'"
            response["Content-Security-Policy"] = policy
        return response


def sorry(request):
    """The site's own page for status 500."""
    return HttpResponse("We are sorry.", status=500)
