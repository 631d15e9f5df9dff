"""Each public class of django.views.generic and django.contrib.auth.mixins beside LiveView, in both orders: it works,
or the class is refused with what to do.
"""

import importlib
import inspect

import pytest
from django.contrib.auth import mixins
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path
from django.views import generic

from troupe import LiveView, event_handler
from troupe.testing import LiveViewTestClient

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

PARTS = ("base", "dates", "detail", "edit", "list")
MODULES = [generic, mixins, *(importlib.import_module(f"django.views.generic.{part}") for part in PARTS)]
CLASSES = {
    name: cls
    for module in MODULES
    for name, cls in vars(module).items()
    if inspect.isclass(cls)
    and not issubclass(cls, Exception)
    and cls.__module__.startswith(("django.views.generic", "django.contrib.auth.mixins"))
}

HTML = "<main dj-root>{{ shown }}</main>"


def made(*bases, **attributes):
    """A class with these bases, which a worker finds in this module."""
    name = f"Made{len(globals())}"
    cls = type(name, bases, {"__module__": __name__, "template_string": HTML, **attributes})
    globals()[name] = cls
    return cls


def shown_by(cls, **params):
    """The page of a view, and its template's context."""
    client = LiveViewTestClient(cls, user=User(username="ann")).mount(**params)
    return client.html, client.state


def check_objects(cls):
    """MultipleObjectMixin and what derives from it."""

    def mount(self, request):
        self.object_list = self.get_queryset()

    User.objects.create_user("bob")
    names = "{% for user in user_list %}{{ user.username }}{% endfor %}"
    view = made(*cls, model=User, mount=mount, template_string=names)
    html, state = shown_by(view)
    assert "bob" in html and list(state["object_list"]) == list(User.objects.all()) and "paginator" in state


def check_object(cls):
    """SingleObjectMixin and what derives from it."""

    def mount(self, request, pk):
        self.object = self.get_object()

    bob = User.objects.create_user("bob")
    attributes = {"model": User, "fields": ["username"]} if "fields" in dir(cls[0]) + dir(cls[1]) else {"model": User}
    view = made(*cls, mount=mount, template_string="{{ object.username }} {{ user.pk }}", **attributes)
    html, state = shown_by(view, pk=bob.pk)
    assert "bob" in html and state["object"] == bob


def check_form(cls):
    """FormMixin."""
    from django.contrib.auth.forms import AuthenticationForm

    view = made(*cls, form_class=AuthenticationForm, initial={"username": "zed"}, template_string="{{ form.as_p }}")
    html, state = shown_by(view)
    assert 'name="password"' in html and 'value="zed"' in html and not state["form"].is_bound


def check_template_names(cls):
    """get_template_names() of a mixin decides."""
    names = ["missing.html", "admin/includes/object_delete_summary.html"]
    view = made(*cls, template_string=None, get_template_names=lambda self: names)
    assert view.get_template_names is not LiveView.get_template_names
    html, _ = shown_by(view)
    assert "Summary" in html


def check_dates(cls):
    """A part of a date from the URL."""
    part = named(cls).__name__.removesuffix("Mixin").lower()

    def mount(self, request, **kwargs):
        self.shown = getattr(self, f"get_{part}")()

    html, _ = shown_by(made(*cls, mount=mount), **{part: 7})
    assert ">7<" in html


def check_context(cls):
    """extra_context, and a subclass's get_context_data() above it."""

    def get_context_data(self, **kwargs):
        return super(view, self).get_context_data(shown=3, **kwargs)

    view = made(*cls, get_context_data=get_context_data, extra_context={"more": 4})
    html, state = shown_by(view)
    assert "3" in html and state["more"] == 4 and state["view"].__class__ is view


def check_access(cls):
    """Strangers are not let in, over HTTP."""
    attributes = {
        "PermissionRequiredMixin": {"permission_required": "auth.view_user"},
        "UserPassesTestMixin": {"test_func": lambda self: self.request.user.is_active},
    }
    view = made(*cls, **attributes.get(named(cls).__name__, {}))
    urlpatterns[:] = [path("page/", view.as_view())]
    response = Client().get("/page/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/page/")


def check_nothing(cls):
    """It has no behaviour of its own."""
    assert "main" in shown_by(made(*cls))[0]


def named(cls):
    """Of two bases, the one that is not LiveView."""
    return cls[1] if cls[0] is LiveView else cls[0]


WORKS = {
    "AccessMixin": check_nothing,
    "ContextMixin": check_context,
    "DateMixin": check_nothing,
    "DayMixin": check_dates,
    "FormMixin": check_form,
    "LoginRequiredMixin": check_access,
    "ModelFormMixin": check_object,
    "MonthMixin": check_dates,
    "MultipleObjectMixin": check_objects,
    "MultipleObjectTemplateResponseMixin": check_template_names,
    "PermissionRequiredMixin": check_access,
    "SingleObjectMixin": check_object,
    "SingleObjectTemplateResponseMixin": check_template_names,
    "TemplateResponseMixin": check_template_names,
    "UserPassesTestMixin": check_access,
    "View": check_nothing,
    "WeekMixin": check_dates,
    "YearMixin": check_dates,
}
# Python itself refuses LiveView's own bases before it.
NOT_BEFORE = {"ContextMixin", "TemplateResponseMixin", "View"}


@pytest.mark.parametrize("order", ["before", "behind"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_djangos_works_or_is_refused(name, order):
    cls = CLASSES[name]
    bases = (cls, LiveView) if order == "before" else (LiveView, cls)
    check = WORKS.get(name)
    if check is not None and (order == "behind" or name not in NOT_BEFORE):
        return check(bases)
    with pytest.raises(TypeError) as raised:
        made(*bases)
    text = str(raised.value)
    if name in NOT_BEFORE:
        assert "method resolution" in text
    else:
        assert name in text or "would never be" in text
        assert any(advice in text for advice in ("Use ", "Return ", "leave ", "Delete "))


@pytest.mark.parametrize(
    ("attributes", "advice"),
    [
        ({"get": lambda self, request: None}, "Move its code into mount"),
        ({"post": lambda self, request: None}, "an @event_handler"),
        ({"delete": lambda self: None}, "give it another name"),
        ({"render_to_response": lambda self, context: None}, "answer from dispatch"),
        ({"response_class": object}, "change the response in dispatch"),
        ({"view_is_async": True}, "async def"),
        ({"http_method_names": ["post"]}, "Add it"),
        ({"content_type": "application/json"}, "Leave it out"),
    ],
)
def test_what_django_would_never_ask_for_is_refused(attributes, advice):
    with pytest.raises(TypeError, match=advice):
        made(LiveView, **attributes)


def test_a_packages_view_is_taken_apart():
    """As FilterView of django-filter, say: what to do is not to edit it."""
    of_package = {"__module__": "package.views"}
    mixin = type("FilterMixin", (generic.list.MultipleObjectMixin,), of_package)
    base = type("BaseFilterView", (mixin, generic.View), {**of_package, "get": lambda self, request: None})
    with pytest.raises(TypeError, match="Leave BaseFilterView out, .*: FilterMixin, MultipleObjectMixin. Do in mount"):
        made(type("FilterView", (base,), of_package), LiveView)
    made(mixin, LiveView, model=User)


class Verbs(LiveView):
    """Handlers with the names of HTTP's methods, and state with those of a view's."""

    template_string = "<main dj-root>{{ done }}</main>"

    def mount(self, request):
        self.done = ""

    @event_handler
    def delete(self, what="x"):
        self.done += f"deleted {what} "

    @event_handler
    async def get(self):
        self.done += "got "

    @event_handler
    def options(self):
        self.done += "options "


def test_http_methods_are_good_names_for_handlers():
    urlpatterns[:] = [path("verbs/", Verbs.as_view())]
    assert Client().get("/verbs/").status_code == 200
    assert Client().delete("/verbs/").status_code == 405
    response = Client().options("/verbs/")
    assert response.status_code == 200 and response["Allow"] == "GET, HEAD, OPTIONS" and not response.content
    client = LiveViewTestClient(Verbs).mount()
    for event in ("delete", "get", "options"):
        client.send_event(event)
    client.assert_state(done="deleted x got options ")


def test_methods_that_a_view_forbids():
    view = made(LiveView, http_method_names=["get"])
    urlpatterns[:] = [path("page/", view.as_view())]
    assert [getattr(Client(), method)("/page/").status_code for method in ("get", "head", "options")] == [200, 405, 405]
    with pytest.raises(TypeError, match="Add it"):
        view.as_view(http_method_names=["put"])
    with pytest.raises(TypeError, match="received an invalid keyword"):
        view.as_view(unknown=1)


urlpatterns = []
