"""System checks of handlers: hints that name nothing, and decorators that hide what a handler takes."""

import functools

from troupe import LiveView, event_handler, handler_checks


def hides(function):
    def wrapper(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    return wrapper


def shows(function):
    return functools.wraps(function)(hides(function))


def make_checked():
    """A view with a handler of each kind. No check but these sees a class of a function's own."""

    class Checked(LiveView):
        """Has a handler of each kind."""

        @event_handler
        def good(self, id: "int", size: "Inner" = None):
            pass

        class Inner:
            """A name of the class's."""

        @event_handler
        def later(self, id: "Missing", n: "list[Missing]" = ()):  # noqa: F821
            pass

        @event_handler(coerce_types=False)
        def raw(self, id: "Missing"):  # noqa: F821
            pass

        @event_handler
        @hides
        def hidden(self):
            pass

        @event_handler
        @shows
        def shown(self):
            pass

        renamed = event_handler(lambda self, **kwargs: None)

    return Checked


def test_each_mistake_is_named_once(monkeypatch):
    Checked = make_checked()
    child = type("Child", (Checked,), {})
    monkeypatch.setattr(handler_checks, "live_views", lambda: iter([(Checked, {}), (child, {}), (child, {"x": 1})]))
    messages = handler_checks.check_handlers()
    assert [message.id for message in messages] == ["troupe.W028", "troupe.W028", "troupe.W029"]
    assert ["'Missing' of parameter 'id'" in messages[0].msg, "'list[Missing]'" in messages[1].msg] == [True, True]
    assert "Checked.later (" in messages[0].msg and "test_handler_checks.py:" in messages[0].msg
    assert "Checked.hidden" in messages[2].msg and "functools.wraps" in messages[2].hint
