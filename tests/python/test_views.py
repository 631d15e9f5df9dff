"""LiveView, event_handler, and the client for a project's own tests."""

import asyncio

import pytest
from django.contrib.auth.models import User
from samples import Counter

from troupe import ActorError, LiveView, event_handler
from troupe.testing import LiveViewTestClient


def test_the_context_is_the_public_attributes():
    view = Counter(step=5)
    view.mount(None, start=1)
    view.request = object()
    view.args, view.kwargs = (1,), {"start": 1}
    assert view.get_context_data() == {"step": 5, "count": 1, "view": view}
    assert view.get_context_data(count=2, extra=3) == {"step": 5, "count": 2, "extra": 3, "view": view}
    view.extra_context, view.view = {"count": 7}, "grid"
    assert view.get_context_data()["count"] == 7 and view.get_context_data()["view"] == "grid"


def test_defaults():
    view = LiveView()
    assert view.mount(None) is None and view.authorize(None) is True and view.use_actors is True
    assert view.template_name is None and view.template_string is None


def test_nothing_ticks_by_default_and_no_worker_is_told():
    view = Counter()
    assert view.tick_interval is None and view.handle_tick() is None and view.request_update() is False


@pytest.mark.parametrize("interval", [0, -1, "1000", True, float("nan")])
def test_an_interval_that_is_none(interval):
    with pytest.raises(TypeError, match="Clock.tick_interval must be milliseconds or None"):
        type("Clock", (LiveView,), {"tick_interval": interval})
    assert type("Clock", (LiveView,), {"tick_interval": 0.5}).tick_interval == 0.5
    assert type("Clock", (LiveView,), {"tick_interval": property(lambda view: 7)})().tick_interval == 7


def test_event_handler_with_and_without_brackets():
    @event_handler
    def one():
        """One."""

    @event_handler()
    def two():
        pass

    @event_handler(retry_safe=True)
    async def three():
        pass

    marks = [(f._troupe_event_handler, f._troupe_retry_safe) for f in (one, two, three)]
    assert marks == [(True, False), (True, False), (True, True)]
    assert one.__doc__ == "One." and asyncio.iscoroutinefunction(three)


class Remembering(LiveView):
    template_string = "<p>{{ key }} {{ seen }}</p>"

    def mount(self, request):
        request.session["seen"] = 1
        request.session.save()
        self.first = request.session.session_key
        request.session.cycle_key()
        self.key = request.session.session_key
        self.seen = request.session["seen"]
        self.there = request.session.exists(self.key)


def test_the_test_clients_session(native):
    client = LiveViewTestClient(Remembering).mount()
    assert len(client.state["key"]) == 32 and client.state["first"] != client.state["key"]
    client.assert_state(seen=1, there=False)


class Moving(LiveView):
    template_string = "<p>{{ moved }}</p>"

    @event_handler
    def move(self, id: int, column, quick=False):
        self.moved = (id, column, quick)


def test_the_test_client_passes_arguments_by_position():
    client = LiveViewTestClient(Moving).mount()
    client.send_event("move", "3", "done", quick=True)
    client.assert_state(moved=(3, "done", True))
    with pytest.raises(ActorError, match="takes 3 arguments by position, and 4 came") as caught:
        client.send_event("move", 1, 2, 3, 4)
    assert caught.value.kind == "params"


class Greeting(LiveView):
    template_string = "<p>{{ name }}</p>"

    def mount(self, request, greeting="hello"):
        self.name = f"{greeting} {request.user} {request.session.session_key}"


def test_the_test_client(native):
    client = LiveViewTestClient(Counter, step=3)
    with pytest.raises(AssertionError, match="mount"):
        client.send_event("increment")
    assert client.mount(start=5) is client and ">5<" in client.html and client.version == 1
    result = client.send_event("increment")
    client.assert_state(count=8)
    assert ">8<" in client.html == result["html"] and client.patches and client.version == 2
    client.send_event("later")
    client.assert_state(count=18, step=3)
    assert client.view.count == client.state["count"] == 18
    with pytest.raises(AssertionError, match="count is 18, not 1"):
        client.assert_state(count=1)
    with pytest.raises(AssertionError, match="'nothing' is not in the state"):
        client.assert_state(nothing=1)
    with pytest.raises(ActorError, match="nothing to count"):
        client.send_event("broken")
    with pytest.raises(ActorError, match="Handler 'undecorated' not found"):
        client.send_event("undecorated")
    client.mount()
    client.assert_state(count=0)
    assert len(native) == 1
    client.close()
    client.close()
    assert len(native) == 0


def test_the_test_client_needs_no_setting_and_knows_people(native, settings):
    settings.TROUPE = {"BROKER": "ipc:///nowhere"}
    assert "hello AnonymousUser None" in LiveViewTestClient(Greeting).mount().html
    assert "hi ada" in LiveViewTestClient(Greeting, user=User(username="ada")).mount(greeting="hi").html
