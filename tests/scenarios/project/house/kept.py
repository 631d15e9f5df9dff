"""Views whose state outlives their worker, and one whose state cannot."""

import datetime
import decimal
import enum
import threading
import uuid
from pathlib import Path

from django.utils import timezone
from django.utils.safestring import mark_safe

from troupe import LiveView, event_handler, fencing_token

from .models import Row
from .views import wait_for_gate


class Guarded(LiveView):
    """Its page's address names a file that says who may see it: nobody ("closed"), or that none can tell ("broken")."""

    template_string = "<div dj-root><p>{{ count }}</p></div>"

    def authorize(self, request):
        said = Path(request.GET["guard"]).read_text()
        if said == "broken":
            raise OSError("nobody can say")
        return said != "closed"

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class History(LiveView):
    """Appends the numbers that it is given: what is missing, doubled or out of order shows."""

    template_string = "<div dj-root><p>{{ numbers|join:' ' }}</p></div>"

    def mount(self, request):
        self.numbers = []

    @event_handler
    def append(self, number):
        self.numbers.append(number)

    @event_handler
    def append_then_hold(self, number, gate):
        self.numbers.append(number)
        wait_for_gate(gate)

    @event_handler(retry_safe=True)
    def append_safely(self, number, gate):
        self.numbers.append(number)
        wait_for_gate(gate)

    @event_handler
    def append_and_raise(self, number):
        self.numbers.append(number)
        raise ValueError(f"after {number}")


class Token(LiveView):
    """Says under which number its session is owned."""

    template_string = "<p dj-root>{{ token }}</p>"

    def mount(self, request):
        self.token = fencing_token()

    @event_handler
    def look(self):
        self.token = fencing_token()

    @event_handler
    async def look_async(self):
        self.token = fencing_token()


class Versioned(LiveView):
    """Is edited by a scenario: what it left under an older state_version is taken over, or not."""

    template_string = "<p dj-root>{{ count }}</p>"
    state_version = 1

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Kind(enum.Enum):
    """A choice."""

    FIRST = 1
    SECOND = 2


class Everything(LiveView):
    """Holds a value of each kind that is kept, and says whether they are what they were."""

    template_string = "<div dj-root>{{ text }}</div>"

    def mount(self, request):
        self.text, self.looked = "mounted", 0
        self.kinds = self._kinds()
        self.user = request.user
        self._private = {"ü": [1, (2, 3), {4}], 5: b"six", (7, 8): None}
        self.row = Row.objects.create(text="in the database")

    @staticmethod
    def _kinds():
        day = datetime.datetime(2026, 3, 1, 12, 30, 0, 5)
        return [
            None, True, -1, 2**63, 10**40, 0.1, "text", "\ud800", b"\0", [], {}, (1, (2,)), {1, 2}, frozenset((3,)),
            day, day.date(), day.time(), datetime.timedelta(days=-1, microseconds=3),
            timezone.make_aware(day, datetime.UTC), timezone.make_aware(day, timezone.get_default_timezone()),
            decimal.Decimal("1.10"), uuid.UUID(int=7), mark_safe("<b>"), Kind.SECOND,
        ]  # fmt: skip

    @event_handler
    def look(self):
        self.looked += 1
        now = self._kinds()
        same = [kind == other and type(kind) is type(other) for kind, other in zip(self.kinds, now, strict=True)]
        wrong = [repr(now[at]) for at, well in enumerate(same) if not well]
        if self._private != {"ü": [1, (2, 3), {4}], 5: b"six", (7, 8): None}:
            wrong.append(repr(self._private))
        if self.row.text != "in the database" or str(self.user) not in ("AnonymousUser", "ann"):
            wrong.append("row or user")
        self.text = f"wrong: {wrong}" if wrong else f"all the same for {self.user}, {self.looked}"


class Locked(LiveView):
    """Has what no snapshot can hold."""

    template_string = "<div dj-root>{{ count }}</div>"

    def mount(self, request):
        self.count = 0
        self.lock = threading.Lock()

    @event_handler
    def increment(self):
        with self.lock:
            self.count += 1


class Rebuilt(Locked):
    """The same, but it knows how to make it again."""

    def restore(self, request):
        self.lock = threading.Lock()
        self.count += 100
