"""What middleware of the project's own sets on the request."""

import datetime
import decimal
import enum
import uuid

from django.contrib.auth.models import User
from django.utils.functional import SimpleLazyObject

from troupe import LiveView, event_handler


class Plan(enum.Enum):
    FREE = "free"


class Organisation:
    """Middleware: the request's organisation, looked up when somebody asks."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.organisation = SimpleLazyObject(lambda: User.objects.get(username="bob"))
        request.terms = {"until": datetime.date(2027, 1, 31), "price": decimal.Decimal("9.90"), "key": uuid.UUID(int=7)}
        request.plan = Plan.FREE
        request.lock = object()
        return self.get_response(request)


class Attrs(LiveView):
    template_string = "<main dj-root><output>{{ got }}</output></main>"

    def mount(self, request):
        self.look()

    @event_handler
    def look(self):
        request = self.request
        terms = request.terms
        self.got = (
            f"{request.organisation.username} {terms['until'].year} {terms['price'] + 1} {terms['key'].int} "
            f"{request.plan.name}"
        )

    @event_handler
    def forgotten(self):
        self.got = self.request.tenant
