"""What a template sees of a view's class: attributes, properties, state() and @computed."""

import functools

import pytest
from django.contrib.auth.models import Group
from django.db import models
from django.utils.functional import cached_property
from live_page import Page, Shown

from troupe import LiveView, computed, event_handler, state, wire
from troupe.context import view_names
from troupe.testing import LiveViewTestClient


class Paged:
    """A mixin, on either side of LiveView."""

    page_size = 10

    @property
    def pages(self):
        return self.total // self.page_size


class Board(LiveView, Paged):
    """Has everything that a template may ask for."""

    template_string = """<main dj-root>|{{ example }}|{{ total }}|{{ pages }}|{{ Status.OPEN.label }}|{{ filter }}
      |{{ tags|join:"," }}|{{ price }}|{% if broken %}{{ fails }}{% endif %}{{ greet }}|</main>"""
    example = "<b>"
    total = 5
    _private = "hidden"
    calls: list = []  # noqa: RUF012  on purpose: of the class
    filter = state(default="all")
    tags = state(default_factory=list)
    groups = state({"a": [1]})
    bulk = functools.partialmethod(print, "x")

    class Status(models.TextChoices):
        OPEN = "o", "open"

    class Helper:
        """Is called by templates, so it is no value."""

    def mount(self, request):
        self.count, self.broken = 2, False

    @property
    def fails(self):
        raise KeyError("no such thing")

    @computed("count", "total")
    def price(self):
        self.calls.append("price")
        return self.count * self.total

    @computed
    def items(self):
        return [self.count] * 2

    @cached_property
    def once(self):
        return object()

    @staticmethod
    def helper():
        return "never"

    def greet(self):
        return "never"

    @event_handler
    def add(self):
        self.count += 1
        self.total = 30
        self.filter = "done"
        self.tags.append("t")

    @event_handler
    def fail(self):
        self.broken = True


def test_the_names_of_a_class():
    names = view_names(Board(), LiveView)
    assert sorted(names) == [
        "Status", "calls", "example", "fails", "filter", "groups", "items", "once", "page_size", "pages", "price",
        "tags", "total",
    ]  # fmt: skip
    assert names["page_size"] == 10 and names["pages"] == 0 and names.get("nothing", 1) == 1
    assert names["once"] is names["once"]
    assert view_names(type("Empty", (LiveView,), {"template_string": "x", "tick_interval": 50})(), LiveView) is None


def test_a_page_shows_them_and_follows_their_changes():
    def shown():
        return [part.strip() for part in client.html.split("|")[1:-1]]

    client = LiveViewTestClient(Board).mount()
    assert shown() == ["&lt;b&gt;", "5", "0", "open", "all", "", "10", ""]  # methods are for {{ view.greet }}
    result = client.send_event("add")
    assert shown() == ["&lt;b&gt;", "30", "3", "open", "done", "t", "90", ""]
    assert result["patches"]  # and the page was told
    client.assert_state(total=30, pages=3, example="<b>")
    assert Board.total == 5 and Board().tags == [] and vars(Board()) == {}


def test_a_property_that_fails_fails_only_what_shows_it():
    client = LiveViewTestClient(Board).mount()
    with pytest.raises(KeyError, match="no such thing"):
        client.send_event("fail")


@pytest.mark.parametrize("error", [AttributeError, TypeError, IndexError, ValueError, LookupError])
def test_whatever_it_raises_it_is_not_taken_for_a_missing_name(error):
    class Fails(LiveView):
        template_string = "<main dj-root>{{ bad }}</main>"

        @property
        def bad(self):
            raise error("mine")

    with pytest.raises(error, match="mine"):
        LiveViewTestClient(Fails).mount()


def test_what_get_context_data_says_goes_first():
    class Says(LiveView):
        template_string = "<main dj-root>{{ a }}{{ b }}{{ c }}</main>"
        a, b, c = "a", "b", property(lambda view: "c")

        def get_context_data(self, **kwargs):
            return {**super().get_context_data(**kwargs), "b": "B"}

    client = LiveViewTestClient(Says).mount()
    assert "aBc</main>" in client.html
    assert (client.state["a"], client.state["b"], client.state["c"]) == ("a", "B", "c")


def test_state_is_a_pages_own_and_computed_cannot_be_set():
    one, other = Board(), Board()
    one.groups["a"].append(2)
    assert (one.groups, other.groups) == ({"a": [1, 2]}, {"a": [1]})
    one.filter = "x"
    assert vars(one) == {"groups": {"a": [1, 2]}, "filter": "x"}
    with pytest.raises(AttributeError, match="price is computed"):
        one.price = 3
    for wrong in (lambda: state(1, default_factory=list), lambda: state(default_factory=[])):
        with pytest.raises(TypeError, match="state\\(\\) takes"):
            wrong()
    for wrong in (lambda: computed(), lambda: computed("a b"), lambda: computed("a", 3)):
        with pytest.raises(TypeError, match="takes the names of attributes"):
            wrong()


def test_computed_is_computed_when_what_it_depends_on_changed():
    view = Board()
    view.count = 2
    Board.calls.clear()
    assert (view.price, view.price) == (10, 10) and len(Board.calls) == 1
    view.count = 2.0
    assert view.price == 10 and len(Board.calls) == 2
    view.count = [1]
    assert view.price == view.price and len(Board.calls) == 4  # a list may change in place
    assert view.items == [[1], [1]]


@pytest.mark.django_db
def test_a_queryset_of_the_class_does_not_keep_its_rows():
    class Lists(LiveView):
        template_string = "<main dj-root>{% for group in queryset %}{{ group.name }}{% endfor %}</main>"
        queryset = Group.objects.all()

        @event_handler
        def again(self):
            pass

    client = LiveViewTestClient(Lists).mount()
    Group.objects.create(name="new")
    client.send_event("again")
    assert "new</main>" in client.html


def test_a_view_without_such_names_pays_nothing():
    page = Page("<p>{{ n }}</p>", n=1)
    assert view_names(page.view, LiveView) is None and isinstance(page.view, Shown)
    assert page.ask(wire.EVENT, {"view": b"v" * 16, "name": "nothing", "params": {}}, number=1)[0] == wire.DONE
