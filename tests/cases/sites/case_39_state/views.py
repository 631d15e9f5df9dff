"""What a page's state has in it when its worker goes, and rows that are deleted meanwhile."""

import collections
import dataclasses
import threading
from pathlib import Path

from django import forms
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template import RequestContext, Template
from django.urls import path

from troupe import LiveView, event_handler

from . import changing
from .models import Task

N = "<output>{{ n }}</output>"


@dataclasses.dataclass
class Line:
    """One of a cart's."""

    title: str
    count: int = 1
    notes: list = dataclasses.field(default_factory=list)


class Counting(LiveView):
    """What all of these have."""

    template_string = f"<!doctype html><title>s</title><main dj-root>{N}<button dj-click='inc'>+</button></main>"

    def mount(self, request, **kwargs):
        self.n = 0

    @event_handler
    def inc(self):
        self.n += 1


class Kinds(Counting):
    """What Django code keeps in attributes."""

    template_string = (
        "<!doctype html><title>s</title><main dj-root>" + N + "{% for v, label in choices %}{{ label }} {% endfor %}"
        "{{ words.a }} {{ by.x }} {{ last|join:'' }} {{ line.title }} {{ path.name }} {{ numbers|length }} "
        "{% for t in tasks %}{{ t.title }}{{ t.n }} {% endfor %}{{ chosen.title }} {{ same }}</main>"
    )

    def mount(self, request):
        super().mount(request)
        self.choices, self.status = Task.Status.choices, Task.Status.DONE
        self.words = collections.Counter("aab")
        self.by = collections.defaultdict(list, x=[1])
        self.last = collections.deque("abc", maxlen=2)
        self.lines = [Line("tea"), Line("milk", 2)]
        self.line = self.lines[1]
        self.path, self.numbers = Path("/a/file.txt"), range(3)
        self.tasks = Task.objects.order_by("pk").annotate(n=Count("pk"))
        self.rows = list(self.tasks)
        self.chosen = self.rows[-1]

    @property
    def same(self):
        return self.line is self.lines[1] and self.chosen is self.rows[-1]

    @event_handler
    def rename(self):
        self.lines[1].title = "cream"


class Form(Counting):
    """Its state cannot be kept."""

    def mount(self, request):
        super().mount(request)
        self.form = forms.Form()


class Careless(Counting):
    """Its restore() makes one of two attributes again."""

    def mount(self, request):
        super().mount(request)
        self.lock, self.form = threading.Lock(), forms.Form()

    def restore(self, request):
        self.lock = threading.Lock()


class Raising(Counting):
    """Its restore() does not suit what was kept."""

    def restore(self, request):
        raise ValueError("no price in the answer")


class Forgetting(Careless):
    """What its restore() does not make is shown."""

    def get_context_data(self, **kwargs):
        return super().get_context_data(fields=list(self.form), **kwargs)


class Never(Raising):
    """What it needs is not there while CASE_39_DEPLOYED is set."""

    def mount(self, request):
        super().mount(request)
        if not changing.OLD_CODE:
            raise OSError("no route to the host")


class Changing(Counting):
    """Has a value in its state that a deploy may change."""

    def mount(self, request, kind):
        super().mount(request)
        self.value = {**changing.GONE, **changing.KEPT}[kind]() if changing.OLD_CODE else None


class Tasks(LiveView):
    """A queryset for the life of a page."""

    template_string = (
        "<!doctype html><title>s</title><main dj-root><ul>{% for t in tasks %}<li>{{ t.title }}</li>{% endfor %}</ul>"
        "<output>{{ tasks.count }}</output></main>"
    )

    def mount(self, request):
        self.tasks = Task.objects.order_by("pk")

    @event_handler
    def add(self, title):
        Task.objects.create(title=title)


class OneTask(Counting):
    def mount(self, request, pk):
        super().mount(request)
        self.task = get_object_or_404(Task, pk=pk)


class Refreshing(Counting):
    """Looks for its row in restore()."""

    def mount(self, request, pk):
        super().mount(request)
        self.pk = pk
        get_object_or_404(Task, pk=pk)

    def restore(self, request):
        self.task = Task.objects.get(pk=self.pk)


class Ticking(Refreshing):
    """Looks for its row now and then."""

    tick_interval = 50

    def handle_tick(self):
        get_object_or_404(Task, pk=self.pk)


def embedding(request, pk):
    """An ordinary page with two views, of which one shows a row."""
    source = (
        '{% load troupe %}<!doctype html><title>s</title>{% live_view "case_39_state.views.Kinds" %}'
        '{% live_view "case_39_state.views.OneTask" pk=pk %}{% troupe_script %}'
    )
    return HttpResponse(Template(source).render(RequestContext(request, {"pk": pk})))


urlpatterns = [
    path("one/<int:pk>/", OneTask.as_view()),
    path("refreshing/<int:pk>/", Refreshing.as_view()),
    path("ticking/<int:pk>/", Ticking.as_view()),
    path("changing/<slug:kind>/", Changing.as_view()),
    path("embedding/<int:pk>/", embedding),
]
