"""The demo's live views. Each is a class with state in its attributes and handlers that change it."""

import asyncio
import os
import random
import signal
import threading
import time
from string import ascii_uppercase

from django import forms
from django.conf import settings
from django.utils import timezone

from demo.models import Entry
from troupe import LiveView, event_handler


class Counter(LiveView):
    """A number and three buttons."""

    template_name = "counter.html"

    def mount(self, request, start=0):
        self.start = start
        self.count = start

    @event_handler
    def increment(self, by=1):
        self.count += int(by)

    @event_handler
    def reset(self):
        self.count = self.start


class CounterView(LiveView):
    """The smallest live view: its template is a string."""

    template_string = """
<div>{{ count }}</div>
<button type="button" dj-click="increment">Increment</button>
"""

    def mount(self, request):
        self.count = 0

    @event_handler
    def increment(self):
        self.count += 1


class Todo(LiveView):
    """A list with a form, a search box and a filter."""

    template_name = "todo.html"

    def mount(self, request):
        self.tasks = [
            {"id": 1, "text": "Learn the lines", "done": True},
            {"id": 2, "text": "Find the props", "done": False},
            {"id": 3, "text": "Sweep the stage", "done": False},
        ]
        self.show = "all"
        self.search = ""

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        wanted = {"all": (True, False), "open": (False,), "done": (True,)}[self.show]
        context["shown"] = [
            task
            for task in self.tasks
            if task["done"] in wanted and self.search.lower() in task["text"].lower()
        ]
        context["left"] = sum(not task["done"] for task in self.tasks)
        context["filters"] = ["all", "open", "done"]
        return context

    @event_handler
    def add(self, text=""):
        text = text.strip()[:200]
        if text and len(self.tasks) < 100:
            number = max((task["id"] for task in self.tasks), default=0) + 1
            self.tasks.append({"id": number, "text": text, "done": False})

    @event_handler
    def tick(self, task, value):
        for row in self.tasks:
            if row["id"] == int(task):
                row["done"] = bool(value)

    @event_handler
    def delete(self, task):
        self.tasks = [row for row in self.tasks if row["id"] != int(task)]

    @event_handler
    def choose(self, which):
        if which in ("all", "open", "done"):
            self.show = which

    @event_handler
    def find(self, value=""):
        self.search = value[:200]


class Table(LiveView):
    """A thousand rows, of which one changes."""

    template_name = "table.html"

    def mount(self, request):
        seats = [f"{letter}{number}" for letter in ascii_uppercase[:25] for number in range(1, 41)]
        self.rows = [{"id": n, "seat": seat, "sold": 0} for n, seat in enumerate(seats, 1)]
        self.changed = None
        self.changes = 0

    @event_handler
    def change_one(self):
        self.sell(random.choice(self.rows)["id"])

    @event_handler
    def sell(self, row):
        row = self.rows[int(row) - 1]
        row["sold"] += 1
        self.changed = dict(row)
        self.changes += 1


class EntryForm(forms.ModelForm):
    """An ordinary form of Django's."""

    class Meta:
        model = Entry
        fields = ["name", "text"]


class GuestBook(LiveView):
    """A validated form, a table of a database, and everybody who has the page open."""

    template_name = "guestbook.html"
    tick_interval = 1000  # ms; for what others write

    def mount(self, request):
        self.name = self.text = ""
        self.errors = {}
        self.shown = 10
        self.load()

    def load(self):
        self.total = Entry.objects.count()
        self.entries = [
            {"id": entry.pk, "name": entry.name, "text": entry.text, "written": entry.written}
            for entry in Entry.objects.all()[: self.shown]
        ]

    def handle_tick(self):
        self.load()

    @event_handler
    def typed(self, **fields):
        """Checks what has been filled in so far: an empty field is no mistake yet."""
        self.name, self.text = fields.get("name", ""), fields.get("text", "")
        errors = EntryForm({"name": self.name, "text": self.text}).errors
        self.errors = {name: errors[name][0] for name in errors if getattr(self, name)}

    @event_handler
    def sign(self, **fields):
        form = EntryForm(fields)
        if form.is_valid():
            form.save()
            self.name, self.text, self.errors = form.cleaned_data["name"], "", {}
            self.load()
        else:
            self.name, self.text = fields.get("name", ""), fields.get("text", "")
            self.errors = {name: messages[0] for name, messages in form.errors.items()}

    @event_handler
    def more(self):
        self.shown = min(self.shown + 10, 200)
        self.load()


class Survive(LiveView):
    """A page that outlives its worker."""

    template_name = "survive.html"

    def mount(self, request):
        self.clicks = 0
        self.note = ""
        self.workers = [os.getpid()]  # where this page has lived; the last one is where it lives now

    def get_context_data(self, **kwargs):
        may_kill = settings.DEBUG and not settings.TROUPE["BROKER"].startswith("inproc:")
        return super().get_context_data(worker=os.getpid(), may_kill=may_kill, **kwargs)

    def restore(self, request):
        self.workers = [*self.workers[-9:], os.getpid()]

    @event_handler
    def click(self):
        self.clicks += 1

    @event_handler
    def write(self, value=""):
        self.note = value[:200]

    @event_handler
    def kill(self):
        """Ends this worker as the kernel does that is out of memory, once this event has been answered."""
        if settings.DEBUG:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()


class Clock(LiveView):
    """A clock that a worker turns, and how late each of its ticks came."""

    template_name = "clock.html"
    tick_interval = 1000  # ms

    def mount(self, request):
        self.choices = ["1", "4", "10", "none"]
        self.pace = "1"
        self.ticks = 0
        self._late = [0]
        self._last = None

    def handle_tick(self):
        now = time.monotonic()
        if self._last is not None:
            late = 1000 * (now - self._last) - self.tick_interval
            self._late = [*self._late[-59:], max(0, round(late))]
        self._last = now
        self.ticks += 1

    @event_handler
    def choose(self, pace):
        if pace in self.choices:
            self.pace = pace
            self.tick_interval = None if pace == "none" else 1000 // int(pace)
            self._last = None

    def get_context_data(self, **kwargs):
        now = timezone.localtime()
        second = now.second + now.microsecond / 1e6
        minute = now.minute + second / 60
        high = max(20, *self._late)
        line = " ".join(f"{at},{48 - 46 * late / high:.1f}" for at, late in enumerate(self._late))
        return super().get_context_data(
            time=now.strftime("%H:%M:%S"),
            second=f"{6 * second:.1f}",
            minute=f"{6 * minute:.1f}",
            hour=f"{30 * (now.hour % 12 + minute / 60):.1f}",
            line=line,
            now=self._late[-1],
            most=max(self._late),
        )


class Burn(LiveView):
    """A handler that computes and computes."""

    template_name = "burn.html"

    def mount(self, request):
        self.runs = 0
        self.steps = 0
        self.seconds = "1"
        self.choices = ["0.5", "1", "2", "3"]

    @event_handler
    def choose(self, seconds):
        if seconds in self.choices:
            self.seconds = seconds

    @event_handler
    def burn(self):
        end = time.monotonic() + float(self.seconds)
        self.steps = 0
        while time.monotonic() < end:
            self.steps += 1
        self.runs += 1


class Sleep(LiveView):
    """Handlers that wait: one holds its thread, one lets its loop go on."""

    template_name = "sleep.html"

    def mount(self, request):
        self.waits = 0
        self.awaits = 0
        self.seconds = "1"
        self.choices = ["0.5", "1", "2", "3"]

    @event_handler
    def choose(self, seconds):
        if seconds in self.choices:
            self.seconds = seconds

    @event_handler
    def wait(self):
        time.sleep(float(self.seconds))
        self.waits += 1

    @event_handler
    async def wait_async(self):
        await asyncio.sleep(float(self.seconds))
        self.awaits += 1
