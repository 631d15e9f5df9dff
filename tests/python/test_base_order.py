"""Mixins behind LiveView: they are used as they would be before it, and nothing else changes its place."""

import abc
import types
from typing import Generic, Protocol, TypeVar

import pytest
from django.http import HttpRequest
from django.views.generic.base import View

from troupe import LiveView

T = TypeVar("T")


class Recording:
    """Its dispatch() says that it was called."""

    def dispatch(self, request, *args, **kwargs):
        return [*self.before(), Recording, *super().dispatch(request, *args, **kwargs)]

    def before(self):
        return []


class Abstract(abc.ABC):  # noqa: B024
    """Of a layout that Python does not take for a first base in place of LiveView."""

    def dispatch(self, request, *args, **kwargs):
        return [Abstract, *super().dispatch(request, *args, **kwargs)]


class Typed(Generic[T]):
    def dispatch(self, request, *args, **kwargs):
        return [Typed, *super().dispatch(request, *args, **kwargs)]


class Slotted:
    __slots__ = ("more",)

    def dispatch(self, request, *args, **kwargs):
        return [Slotted, *super().dispatch(request, *args, **kwargs)]


class OfDjango(View):
    def dispatch(self, request, *args, **kwargs):
        return [OfDjango, *super().dispatch(request, *args, **kwargs)]


class Derived(Recording):
    """What LiveView hides is defined in a base of it."""

    color = "red"


class Plain:
    color = "green"


class Base(LiveView):
    color = "blue"


class Overriding(LiveView):
    def dispatch(self, request, *args, **kwargs):
        return [Overriding, *super().dispatch(request, *args, **kwargs)]


class WithPlain(LiveView, Plain):
    """LiveView stays where it is: there is nothing that it hides."""


class Last:
    """Behind a class that has LiveView's place decided already."""

    def dispatch(self, request, *args, **kwargs):
        return [Last, *super().dispatch(request, *args, **kwargs)]


def make(*bases, **attributes):
    """A class with these bases. No system check sees a class of a function's own."""
    attributes["__qualname__"] = "make.<locals>.V"
    return types.new_class("V", bases, exec_body=lambda names: names.update(attributes))


def calls(cls):
    """The classes whose dispatch() is called, in this order."""
    return cls().dispatch(HttpRequest())


@pytest.fixture(autouse=True)
def dispatch_ends(monkeypatch):
    monkeypatch.setattr(LiveView, "dispatch", lambda self, request, *args, **kwargs: [LiveView])


@pytest.mark.parametrize(
    ("bases", "expected"),
    [
        ((LiveView, Recording), [Recording]),
        ((LiveView, Plain, Recording), [Recording]),
        ((LiveView, Derived), [Recording]),
        ((LiveView, Abstract), [Abstract]),
        ((LiveView, Typed[int]), [Typed]),
        ((LiveView, Slotted), [Slotted]),
        ((LiveView, OfDjango), [OfDjango]),
        ((LiveView, Recording, Abstract, OfDjango), [Recording, Abstract, OfDjango]),
        ((Recording, LiveView, Abstract), [Recording, Abstract]),
        ((Base, Recording), [Recording]),
        ((Base, Derived), [Recording]),
        ((WithPlain, Recording), [Recording]),
        ((WithPlain, Derived), [Recording]),
        ((Overriding, Recording), [Overriding, Recording]),
        ((Overriding, Base, Recording), [Overriding, Recording]),
    ],
)
def test_a_dispatch_behind_is_called(bases, expected):
    cls = make(*bases)
    assert calls(cls) == calls(make(cls, Plain)) == [*expected, LiveView]
    assert calls(make(cls, Last)) == [*expected, Last, LiveView]


def test_super_in_the_class_itself_reaches_it():
    class V(LiveView, Recording):
        def dispatch(self, request, *args, **kwargs):
            return [V, *super().dispatch(request, *args, **kwargs)]

    assert calls(V) == [V, Recording, LiveView]


def test_attributes_keep_their_order():
    assert make(Base, Derived).color == "blue"
    assert make(LiveView, Plain, Derived).color == "green"
    named = type("Named", (), {"template_name": "mixin.html", "mount": lambda self, request: None})
    assert make(LiveView, named).template_name == "mixin.html"
    assert make(LiveView, named, template_name="own.html").template_name == "own.html"


def test_nothing_moves_without_need():
    class Stubs(Protocol):
        def dispatch(self, request): ...

    assert WithPlain.__bases__ == (LiveView, Plain)
    value = type("Value", (), {"template_name": "a.html"})
    assert make(LiveView, value, template_name="b.html").__mro__[1] is LiveView
    assert make(LiveView, Stubs).__mro__[1] is LiveView


def test_what_cannot_be_moved_is_refused(monkeypatch):
    monkeypatch.setattr(Plain, "dispatch", Recording.dispatch, raising=False)  # after WithPlain has been made
    with pytest.raises(TypeError, match=r"V\.dispatch, of .*Plain: LiveView comes before Plain.* Put Plain first"):
        make(WithPlain)
