"""What a view's class may declare: the rest is an error when the class is made, or fails when it is called."""

import asyncio
import functools
import re
import types

import pytest
from django.utils.functional import SimpleLazyObject

from troupe import LiveView, event_handler
from troupe.runtime import entry, faults
from troupe.testing import LiveViewTestClient
from troupe.web.transport import inproc


def passes_on(function):
    """A decorator as projects write them."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


def marked(function):
    """A copy of it with @event_handler."""
    return event_handler(types.FunctionType(function.__code__, function.__globals__, function.__name__))


def generator(self):
    self.count = yield 1


async def async_generator(self):
    yield 1


async def coroutine(self):
    pass


def plain(self):
    pass


DESCRIPTORS = [property, staticmethod, classmethod, functools.partial, functools.partialmethod, functools.cache]
NEVER_CALLED = {
    "a generator": {"add": marked(generator)},
    "an async generator": {"add": marked(async_generator)},
    "a lambda that yields": {"add": event_handler(lambda self: (yield))},
    "of a private name": {"_add": event_handler(lambda self: None)},
    "of a name that is none": {"add to cart": event_handler(lambda self: None)},
    "of LiveView's name": {"mount": event_handler(lambda self: None)},
    "of LiveView's attribute": {"template_name": event_handler(lambda self: None)},
    **{f"inside of a {kind.__name__}": {"add": kind(event_handler(lambda self: None))} for kind in DESCRIPTORS},
    "a handle_tick that generates": {"handle_tick": generator},
    "a handle_tick that generates later": {"handle_tick": async_generator},
}
for hook in ("mount", "authorize", "restore", "migrate", "get_context_data", "request_update", "setup", "dispatch"):
    NEVER_CALLED |= {f"{hook} awaits": {hook: coroutine}, f"{hook} generates": {hook: generator}}
    NEVER_CALLED |= {f"{hook} is partial": {hook: functools.partial(coroutine, None)}}
    NEVER_CALLED |= {f"{hook} awaits behind": {"__bases__": (LiveView, type("Mixin", (), {hook: coroutine}))}}


def make(attributes):
    """A class Cart of shop.views with these attributes."""
    attributes = {"__module__": "shop.views", "__qualname__": "Cart", **attributes}
    return type("Cart", attributes.pop("__bases__", (LiveView,)), attributes)


@pytest.mark.parametrize("attributes", NEVER_CALLED.values(), ids=NEVER_CALLED)
def test_what_would_never_run_is_no_class(attributes):
    with pytest.raises(TypeError, match=r"^shop\.views\.Cart") as raised:
        make(attributes)
    name = next((name for name in attributes if name != "__bases__"), "")
    assert name in str(raised.value)
    if "__bases__" not in attributes:
        assert re.search(r"\(.*test_validation\.py:\d+\): ", str(raised.value))
    assert re.search(r"[a-z)]\. [A-Z]|Define authorize", str(raised.value)), "what to do is not said"


@pytest.mark.parametrize("value", [*(kind(plain) for kind in DESCRIPTORS), type("Inner", (), {}), 5, None, print])
def test_what_is_no_method_cannot_be_marked(value):
    if value is None:
        assert callable(event_handler(value))  # with brackets
        return
    with pytest.raises(TypeError, match="@event_handler is for methods made by `def` or `async def`"):
        event_handler(value)
    with pytest.raises(TypeError, match="and this is a "):
        event_handler(retry_safe=True)(value)


def test_a_mixin_is_looked_at_where_it_is_used():
    class Searches:
        @event_handler
        def search(self):
            yield

    for bases in ((Searches, LiveView), (LiveView, Searches)):
        with pytest.raises(TypeError, match=r"shop.views.Cart.search, of .*Searches \(.*: it is a generator"):
            make({"__bases__": bases})


def test_what_is_fine():
    class Counts:
        @event_handler
        def count(self):
            pass

        def authorize(self, request):
            return True

    class Shows:
        @event_handler
        async def show(self):
            pass

    class Cart(Counts, LiveView, Shows):
        lazy = SimpleLazyObject(lambda: 1 / 0)  # not evaluated
        add = event_handler(lambda self: None)
        wrapped = passes_on(marked(plain))
        nothing = None

        @staticmethod
        def mount(request):
            pass

        async def handle_tick(self):
            pass

        @property
        def total(self):
            return 1

        def undecorated_generator(self):
            yield 1

        async def undecorated_coroutine(self):
            pass

    for name in ("count", "show", "add", "wrapped"):
        assert entry.find_handler(Cart(), "shop.Cart", name, True)  # on whichever side of LiveView a mixin stands


class Base(LiveView):
    """Has a handler."""

    @event_handler
    def add(self):
        pass


def test_an_override_says_whether_it_is_a_handler():
    with pytest.raises(TypeError, match=r"Cart.add \(.*\): it takes the place of the handler Base.add, without"):
        make({"__bases__": (Base,), "add": plain})
    for value in (5, property(plain), staticmethod(plain)):
        with pytest.raises(TypeError, match="takes the place of the handler Base.add"):
            make({"__bases__": (Base,), "add": value})
    with pytest.raises(TypeError, match="Cart.add, of .*Helper"):
        make({"__bases__": (type("Helper", (), {"add": plain}), Base)})


def test_a_handler_can_be_taken_away_and_given_back():
    taken = make({"__bases__": (Base,), "add": None})
    with pytest.raises(faults.Refused):
        entry.find_handler(taken(), "shop.Cart", "add", False)
    given = make({"__bases__": (taken,), "add": event_handler(lambda self: None)})
    assert entry.find_handler(given(), "shop.Cart", "add", True)
    with pytest.raises(TypeError, match="takes the place of the handler"):
        make({"__bases__": (taken,), "add": plain})


class Returns(LiveView):
    """Its handlers return what they are told to."""

    template_string = "<p>{{ count }}</p>"

    def mount(self, request):
        self.count = 0

    @event_handler
    def give(self, result):
        return RESULTS[result](self)

    @event_handler
    async def give_later(self, result):
        return RESULTS[result](self)

    @event_handler
    @passes_on
    async def add(self):
        await asyncio.sleep(0)
        self.count += 1


class Awaitable:
    """Can be awaited, and is no coroutine."""

    def __init__(self, view):
        self.view = view

    def __await__(self):
        self.view.count += 1
        yield from ()


RESULTS = {
    "generator": generator,
    "async_generator": async_generator,
    "coroutine": coroutine,
    "map": lambda self: map(generator, [self]),
    "filter": lambda self: filter(generator, [self]),
    "expression": lambda self: (x for x in (self,)),
    "awaitable": Awaitable,
    "text": lambda self: "dropped",
    "dict": lambda self: {"dropped": True},
    "list": lambda self: [1],
    "number": lambda self: 1,
}


@pytest.fixture
def turns():
    """The worker's own turns, over inproc://."""
    pytest.importorskip("troupe._native")
    inproc.reset()
    yield
    inproc.reset()


@pytest.mark.parametrize("name", ["give", "give_later"])
@pytest.mark.parametrize("result", RESULTS)
def test_what_a_handler_returns(turns, name, result):
    client = LiveViewTestClient(Returns).mount()
    awaited = name == "give" and result in ("coroutine", "awaitable")
    if awaited or result in ("list", "number"):
        client.send_event(name, result=result)
        client.assert_state(count=int(result == "awaitable"))
        return
    with pytest.raises(TypeError, match="it returned an? "):
        client.send_event(name, result=result)


def test_a_wrapped_coroutine_is_awaited(turns):
    client = LiveViewTestClient(Returns).mount()
    client.send_event("add")
    client.assert_state(count=1)


CALLS = {
    "mount": lambda view: entry.mount_view(view, "shop.Cart", {"path": "/"}, "", {}),
    "authorize": lambda view: entry.join_view(view, "shop.Cart", {"path": "/"}, "", False),
    "restore": lambda view: entry.join_view(view, "shop.Cart", {"path": "/"}, "", True),
    "migrate": lambda view: entry.apply_state(view, "shop.Cart", {"count": 1}),
    "get_context_data": entry.get_context,
}


@pytest.mark.parametrize("hook", CALLS)
@pytest.mark.parametrize("result", [generator, async_generator, coroutine, Awaitable])
def test_what_a_hook_returns(hook, result):
    cls = make({hook: lambda self, *args, **kwargs: result(self), "state_version": 1})
    with pytest.raises(TypeError, match="returned an? "):
        CALLS[hook](cls())


def test_a_restore_without_a_page_is_looked_at_too():
    cls = make({"restore": lambda self, request: coroutine(self)})
    with pytest.raises(TypeError, match="returned a coroutine"):
        entry.restore_view(cls())
