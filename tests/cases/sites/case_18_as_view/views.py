"""as_view() with what no message can carry, and converters whose values are of a type of the project's own."""

import enum
import functools

from case_18_as_view.models import Todo
from django import forms
from django.urls import path, re_path, register_converter
from django.utils.translation import gettext_lazy

from troupe import LiveView, event_handler


class TodoForm(forms.ModelForm):
    """A form class."""

    class Meta:
        """Django's."""

        model = Todo
        fields = ["title"]


class Order(enum.Enum):
    """An enum of the project's own."""

    UP = "title"
    DOWN = "-title"


class StatusConverter:
    """`<status:…>` is a member of Todo.Status."""

    regex = "open|done"

    def to_python(self, value):
        """Django's."""
        return Todo.Status(value)

    def to_url(self, value):
        """Django's."""
        return value.value


register_converter(StatusConverter, "case_18_status")


def twice(number):
    """A function as a keyword of as_view()."""
    return 2 * number


class Board(LiveView):
    """Shows what it was made with."""

    template_name = "case_18_as_view/page.html"
    model = form_class = order = title = compute = None
    columns = ("id",)

    def mount(self, request):
        self.show()

    @event_handler
    def again(self):
        self.show()

    def show(self):
        """Sets what the page shows."""
        form = self.form_class()
        parts = [self.model.objects.count(), ",".join(form.fields), self.order.name, str(self.title)]
        self.shown = " ".join(map(str, [*parts, self.compute(21), type(self.columns).__name__]))


class Typed(LiveView):
    """Shows what mount() got from the URL."""

    template_name = "case_18_as_view/page.html"

    def mount(self, request, *args, **kwargs):
        self.show()

    @event_handler
    def again(self):
        self.show()

    def show(self):
        """Sets what the page shows."""
        labels = [getattr(value, "label", value) for value in self.kwargs.values()]
        types = [type(value).__name__ for value in self.kwargs.values()]
        self.shown = f"{labels} {types} {self.args}"


def wrapped(view):
    """A decorator that changes an argument."""

    @functools.wraps(view)
    def call(request, number):
        return view(request, number=number + 1)

    return call


MADE_OF = {
    "model": Todo,
    "form_class": TodoForm,
    "order": Order.DOWN,
    "title": gettext_lazy("Board"),
    "compute": twice,
    "columns": ("id", "title"),
}
urlpatterns = [
    path("board/", Board.as_view(**MADE_OF)),
    path("status/<case_18_status:status>/", Typed.as_view()),
    path("uuid/<uuid:key>/<int:number>/", Typed.as_view()),
    path("plus-one/<int:number>/", wrapped(Typed.as_view())),
    path("large/<int:number>/", Typed.as_view()),
    re_path(r"^unnamed/(\w+)/$", Typed.as_view()),
]
