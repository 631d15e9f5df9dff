"""A method of the project's with the name of a hook: an error when the class is made, unless it can be the hook."""

import functools

import pytest

from troupe import LiveView, event_handler
from troupe.runtime import entry
from troupe.testing import LiveViewTestClient

REFUSED = [
    ("restore", lambda self, item_id: None, "would get request"),
    ("restore", lambda self: None, "cannot be called with request"),
    ("restore", lambda self, item, where: None, "cannot be called with request"),
    ("authorize", lambda self, payment: True, "would get request"),
    ("authorize", lambda self: True, "cannot be called with request"),
    ("migrate", lambda self: None, "cannot be called with version, state"),
    ("migrate", lambda self, source, target: None, "would get version, state"),
    ("request_update", lambda self, field: None, "cannot be called with nothing"),
    ("handle_tick", lambda self, clock: None, "cannot be called with nothing"),
    ("mount", lambda self: None, "cannot be called with request"),
    ("mount", lambda self, disk: None, "would get request"),
    ("get_context_data", lambda self, request: {}, "cannot be called with nothing"),
]
ALLOWED = [
    ("restore", lambda self, request: None),
    ("restore", lambda self, _request, extra=None: None),
    ("restore", lambda self, req: None),
    ("restore", lambda self, *args: None),
    ("restore", lambda self, *args, **kwargs: None),
    ("restore", lambda self, request, /: None),
    ("authorize", lambda self, http_request: True),
    ("migrate", lambda self, old_version, data: None),
    ("migrate", lambda self, _, attributes: None),
    ("mount", lambda self, request, pk, **kwargs: None),
    ("request_update", lambda self: True),
    ("get_context_data", lambda self, **kwargs: {}),
    ("get_context_data", lambda self: {}),
]


@pytest.mark.parametrize(("name", "function", "reason"), REFUSED)
def test_it_cannot_be_the_hook(name, function, reason):
    with pytest.raises(TypeError, match=rf"Trash.{name} \(.*test_hooks.py:\d+\): .*{reason}.*is called .*another"):
        type("Trash", (LiveView,), {name: function})
    mixin = type("Mixin", (), {name: function})
    for bases in ((mixin, LiveView), (LiveView, mixin)):
        with pytest.raises(TypeError, match=f"Trash.{name}"):
            type("Trash", bases, {})


@pytest.mark.parametrize(("name", "function"), ALLOWED)
def test_it_can_be_the_hook(name, function):
    assert type("Trash", (LiveView,), {name: function})


def test_a_value_is_no_hook():
    for value in (5, True, None, "x"):
        with pytest.raises(TypeError, match="Trash.restore: it is a .*, and cannot be called"):
            type("Trash", (LiveView,), {"restore": value})


def test_through_a_decorator_and_as_a_handler():
    def passed_on(self, item_id):
        pass

    @functools.wraps(passed_on)
    def wrapper(self, *args, **kwargs):
        return passed_on(self, *args, **kwargs)

    with pytest.raises(TypeError, match="would get request"):
        type("Trash", (LiveView,), {"restore": wrapper})
    with pytest.raises(TypeError, match="is the framework's own, and never a handler"):
        type("Trash", (LiveView,), {"restore": event_handler(lambda self, request: None)})


def test_an_attribute_that_hides_a_hook():
    class Trash(LiveView):
        template_string = "x"

        def mount(self, request):
            self.restore = True

    with pytest.raises(TypeError, match="self.restore was set, and LiveView.restore"):
        LiveViewTestClient(Trash).mount()
    with pytest.raises(TypeError, match="self.restore was set, and LiveView.restore"):
        entry.mount_view(Trash(), "shop.Trash", None, "/", {})


class Paged:
    """A mixin with an __init__ of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.page_no = getattr(self, "page_no", 1)
        self.ready = True


@pytest.mark.parametrize("bases", [(Paged, LiveView), (LiveView, Paged)])
def test_the_init_of_a_mixin_runs_on_either_side(bases):
    view = type("Board", bases, {"page_no": 0})(page_no=5)
    assert (view.page_no, view.ready) == (5, True)


def test_the_init_of_a_mixin_that_takes_arguments_is_no_secret():
    class Needs:
        def __init__(self, what):
            self.what = what

    with pytest.raises(TypeError, match="what"):
        type("Board", (LiveView, Needs), {})()


def test_djusts_name_of_the_source():
    assert type("Old", (LiveView,), {"template": "<p>"}).template_string == "<p>"
    assert type("Both", (LiveView,), {"template": "x", "template_name": "a.html"}).template_string is None
    assert type("Ours", (LiveView,), {"template": "x", "template_string": "y"}).template_string == "y"
