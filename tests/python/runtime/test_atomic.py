"""ATOMIC_REQUESTS around mount(), handlers and ticks, non_atomic_requests(), and decorators that end too early."""

import contextlib
import functools
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.db import connections, transaction
from django.utils import timezone, translation
from django.utils.decorators import method_decorator

from troupe import LiveView, event_handler
from troupe.decorators import login_required
from troupe.runtime import entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


def is_atomic():
    return transaction.get_connection().in_atomic_block


def call(cls, name="go", request=None):
    """What a handler returns or awaits, as run_handler() has it."""
    view = cls()
    view.request = request
    result = entry.run_handler(entry.find_handler(view, "shop.View", name, True), view, {})
    if result is not None:
        async_to_sync(entry.await_handler)(result)
    return view


class Plain(LiveView):
    template_string = ""

    def mount(self, request, fail=False):
        self.seen = is_atomic()
        transaction.on_commit(lambda: setattr(self, "committed", not is_atomic()))
        if fail:
            raise LookupError("mine")

    @event_handler
    def go(self):
        self.seen = is_atomic()

    @event_handler
    @transaction.non_atomic_requests
    def below(self):
        self.seen = is_atomic()

    @transaction.non_atomic_requests(using="default")
    @event_handler
    def above(self):
        self.seen = is_atomic()

    @transaction.non_atomic_requests
    def handle_tick(self):
        self.seen = is_atomic()

    @event_handler
    @transaction.non_atomic_requests
    async def late(self):
        self.seen = is_atomic()


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class Exempt(Plain):
    @transaction.non_atomic_requests
    def mount(self, request):
        self.seen = is_atomic()


def test_mount_is_in_a_transaction():
    view = Plain()
    entry.mount_view(view, "shop.Plain", None, "", {})
    assert (view.seen, view.committed) == (True, True)
    view = Plain()
    with pytest.raises(LookupError):
        entry.mount_view(view, "shop.Plain", None, "", {"fail": True})
    assert not hasattr(view, "committed") and not is_atomic()


def test_handlers_that_are_in_none():
    assert call(Plain).seen
    for name in ("below", "above", "late"):
        assert not call(Plain, name).seen
    view = Plain()
    entry.run_handler(entry.find_tick(view), view, None)
    assert not view.seen


def test_a_class_that_is_in_none():
    assert not call(Exempt).seen
    view = Exempt()
    entry.mount_view(view, "shop.Exempt", None, "", {})
    assert not view.seen


def test_a_url_that_is_in_none():
    plain, exempt = Plain.as_view(), transaction.non_atomic_requests(Plain.as_view())
    for function, expected in ((plain, True), (exempt, False)):
        assert "default" in function._non_atomic_requests  # in the web process
        request = SimpleNamespace(resolver_match=SimpleNamespace(func=function), user=None)
        assert call(Plain, request=request).seen is expected


@contextlib.contextmanager
def measured():
    yield


@pytest.mark.parametrize(
    "decorator",
    [transaction.atomic, translation.override("de"), timezone.override(None), measured()],
)
def test_a_context_manager_that_ends_before_the_coroutine_runs(decorator):
    def make():
        async def go(self):
            pass

        return go

    for handler in (event_handler(decorator(make())), decorator(event_handler(make()))):
        with pytest.raises(TypeError, match=r"go.*is left before anything of the coroutine runs\. Write `with` inside"):
            type("Refused", (LiveView,), {"go": handler})
    with pytest.raises(TypeError, match="is left before anything"):
        type("Refused", (LiveView,), {"handle_tick": decorator(make())})


def test_one_that_is_found_only_when_it_is_called(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", False)

    class Guarded(LiveView):
        @event_handler
        @transaction.atomic
        @login_required
        async def go(self):
            raise AssertionError("it ran")

    with pytest.raises(TypeError, match="its decorator Atomic is left before anything"):
        call(Guarded)


def test_decorators_that_are_fine():
    ran = []

    def synced(function):
        return functools.wraps(function)(lambda *args: async_to_sync(function)(*args))

    @contextlib.asynccontextmanager
    async def opened():
        ran.append("opened")
        yield

    class Fine(LiveView):
        @event_handler
        @transaction.atomic
        @synced
        async def go(self):
            ran.append(is_atomic())

        @event_handler
        @transaction.non_atomic_requests
        @opened()
        async def late(self):
            ran.append("late")

    call(Fine)
    call(Fine, "late")
    assert ran[1:] == ["opened", "late"]
