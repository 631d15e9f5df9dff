"""Names of access checks for which nobody asks: an error where they would keep somebody out, else a finding."""

import functools
import re
import types

import pytest
from django.contrib.auth import decorators as auth
from django.contrib.auth.mixins import AccessMixin, LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin
from django.core.exceptions import PermissionDenied
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from troupe import LiveView, access_checks, event_handler
from troupe.access_names import GUARDS
from troupe.decorators import login_required


def refuse(self, *args):
    return False


def make(*bases, **attributes):
    """A class Report of shop.views with these bases (before LiveView, unless it is among them) and attributes. No check
    sees a class of a function's own.
    """
    attributes = {"__module__": "shop.views", "__qualname__": "make.<locals>.Report", **attributes}
    bases = bases if LiveView in bases else (*bases, LiveView)
    return types.new_class("Report", bases, exec_body=lambda names: names.update(attributes))


class Other:
    """A mixin that asks for something else."""

    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


@pytest.mark.parametrize("name", GUARDS)
@pytest.mark.parametrize("where", ["the class", "a mixin before", "a mixin behind", "beside another mixin"])
def test_a_guard_that_nobody_asks_is_an_error(name, where):
    guard = {name: (lambda self: False) if name != "group_required" else ["editors"]}
    mixin = type("Mixin", (), guard)
    with pytest.raises(TypeError, match=rf"^shop\.views\.make.*\.{name}.* everybody would see the page: ") as raised:
        if where == "the class":
            make(**guard)
        elif where == "beside another mixin":
            make(Other, **guard)
        else:
            make(*((mixin,) if where == "a mixin before" else (LiveView, mixin)))
    assert re.search(r"\. (Put|Ask in|Define) ", str(raised.value)), "what to do is not said"


class Asks:
    """A mixin of the project's own."""

    def dispatch(self, request, *args, **kwargs):
        if not self.test_func():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


def enforce(view):
    if not getattr(view, "has_permission")():  # noqa: B009
        raise PermissionDenied


def decorated(function):
    @functools.wraps(function)
    def call(self, request, *args, **kwargs):
        enforce(self)
        return function(self, request, *args, **kwargs)

    return call


class Decorated(LiveView):
    """A decorator of the project's own asks."""

    @decorated
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)


def let_in(self):
    return self.has_permission()


@event_handler
def handle(self):
    self.has_permission()


FINE = {
    "UserPassesTestMixin": ((UserPassesTestMixin,), {"test_func": refuse}),
    "UserPassesTestMixin behind": ((LiveView, UserPassesTestMixin), {"test_func": refuse}),
    "PermissionRequiredMixin": ((PermissionRequiredMixin,), {"has_permission": refuse}),
    "get_permission_required": ((PermissionRequiredMixin,), {"get_permission_required": refuse}),
    "a mixin with more than it uses": ((type("Unused", (AccessMixin,), {}),), {}),
    "a mixin of the project's own": ((Asks,), {"test_func": refuse}),
    "one behind": ((LiveView, Asks), {"test_func": refuse}),
    "a decorator that asks": ((Decorated,), {"has_permission": lambda self: False}),
    "check_permissions asks": ((), {"has_permission": refuse, "check_permissions": lambda s, r: s.has_permission()}),
    "a property asks": ((), {"has_permission": lambda self: True, "may": property(let_in)}),
    "a handler asks": ((), {"has_permission": lambda self: True, "save": handle}),
    "a helper that takes more": ((), {"has_permission": lambda self, name: True}),
    "a handler of that name": ((), {"test_func": event_handler(lambda self: False)}),
    "a property of that name": ((), {"has_permission": property(refuse), "test_func": property(refuse)}),
    "nothing in it": ((), {"permission_classes": [], "test_func": None}),
}


@pytest.mark.parametrize(("bases", "attributes"), FINE.values(), ids=FINE)
def test_what_somebody_asks_for_is_fine(bases, attributes):
    make(*bases, **attributes)


def test_what_a_class_decorator_sets_is_seen_too():
    cls = make()
    cls.permission_classes = [refuse]
    with pytest.raises(TypeError, match="permission_classes: nothing here asks for it"):
        cls.as_view()


def open_page(self, request):
    pass


@pytest.mark.parametrize(
    "decorate",
    [
        auth.login_required,
        method_decorator(auth.login_required),
        method_decorator(auth.permission_required("shop.view", raise_exception=True)),
        method_decorator([never_cache, auth.user_passes_test(lambda user: user.is_staff)]),
    ],
)
def test_mount_is_no_place_to_ask(decorate):
    with pytest.raises(TypeError, match=r"mount: .* never again .* name='dispatch'"):
        make(mount=decorate(open_page))
    make(mount=method_decorator(never_cache)(open_page))


def test_a_decorator_for_mount_around_the_class():
    cls = method_decorator(auth.login_required, name="mount")(make(mount=open_page))
    with pytest.raises(TypeError, match="never again"):
        cls.as_view()
    method_decorator(auth.login_required, name="dispatch")(make(mount=open_page)).as_view()


@pytest.mark.parametrize("name", ["permission_classes", "authentication_classes", "throttle_classes"])
@pytest.mark.parametrize("first", [True, False])
def test_decorators_of_rest_framework_around_a_handler(name, first):
    def decorate(function):  # as rest_framework.decorators have it
        setattr(function, name, [refuse])
        return function

    def save(self):
        pass

    handler = event_handler(decorate(save)) if first else decorate(event_handler(save))
    with pytest.raises(TypeError, match=r"save.*: the decorators of Django REST framework .* troupe\.decorators"):
        make(save=handler)


def test_super_alone_asks_nobody():
    class Base:
        def has_permission(self):
            return super().has_permission()

    with pytest.raises(TypeError, match="everybody would see"):
        make(Base, has_permission=lambda self: super(self).has_permission())


async def later(self):
    return False


def never(self):
    yield False


@pytest.mark.parametrize("function", [later, never])
def test_an_answer_that_is_always_true_is_an_error(function):
    for mixin, name in ((UserPassesTestMixin, "test_func"), (PermissionRequiredMixin, "has_permission")):
        with pytest.raises(TypeError, match=rf"{name} \(.*for a yes\. Make it a plain function"):
            make(mixin, **{name: function})
    make(has_permission=later, save=handle)  # awaited there


def findings(monkeypatch, cls, **initkwargs):
    monkeypatch.setattr(access_checks, "live_views", lambda: iter([(cls, initkwargs), (cls, initkwargs)]))
    return [(message.id, message.msg.split()[0].rpartition(".")[2]) for message in access_checks.check_access()]


@event_handler
@login_required
def save(self):
    pass


@pytest.mark.parametrize(
    ("bases", "attributes", "names"),
    [
        ((), {"raise_exception": True}, ["raise_exception"]),
        ((), {"login_url": "/in/", "redirect_field_name": "to"}, ["login_url", "redirect_field_name"]),
        ((), {"login_url": "/in/", "login_required": True}, []),
        ((), {"login_url": "/in/", "permission_required": "shop.view"}, []),
        ((AccessMixin,), {"login_url": "/in/"}, []),
        ((LoginRequiredMixin,), {"login_url": "/in/", "raise_exception": True}, []),
        ((LiveView, LoginRequiredMixin), {"login_url": "/in/"}, []),
        ((), {"handle_no_permission": refuse}, ["handle_no_permission"]),
        ((LoginRequiredMixin,), {"handle_no_permission": refuse}, []),
        ((), {"login_requierd": True}, ["login_requierd"]),
        ((), {"permissions_required": ["shop.view"]}, ["permissions_required"]),
        ((), {"check_permission": refuse}, ["check_permission"]),
        ((), {"check_permission": refuse, "mount": lambda self, request: self.check_permission()}, []),
        ((), {"check_permission": event_handler(lambda self: False)}, []),
        ((), {"permission": "shop.view", "login": refuse, "required": True}, []),
    ],
)
def test_what_has_no_effect_is_found(bases, attributes, names, monkeypatch):
    assert findings(monkeypatch, make(*bases, **attributes)) == [("troupe.W042", name) for name in names]


def test_who_else_may_ask_for_a_login(monkeypatch, settings):
    assert findings(monkeypatch, make(login_url="/in/", save=save)) == []
    page = make(login_url="/in/")
    assert findings(monkeypatch, page, login_required=True) == []
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert findings(monkeypatch, page) == []
    settings.MIDDLEWARE = []
    assert findings(monkeypatch, page) == [("troupe.W042", "login_url")]
    child = make(page, login_required=True)
    assert findings(monkeypatch, page) == findings(monkeypatch, child) == []


def test_a_decorated_dispatch_is_looked_into():
    def passes(view):
        return view

    guarded = method_decorator(passes, name="dispatch")(type("Guarded", (Asks,), {}))
    make(guarded, test_func=refuse)
