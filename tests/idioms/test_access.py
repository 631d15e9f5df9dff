"""Who may have a page: Django's access mixins, dispatch() and setup() of one's own, and decorators around as_view().
They are asked over HTTP, at a join, and before each event: what is taken away while the page is open counts from then.
"""

import types

import pytest
from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.test import AsyncClient
from django.urls import path
from django.utils.decorators import method_decorator
from live_pages import LivePage

from troupe import LiveView, event_handler

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

PERMISSION = "auth.view_user"


def may(request):
    return request.user.has_perm(PERMISSION)


class Page(LiveView):
    """Counts; without protection."""

    template_string = "<main dj-root><b>secret {{ n }} of {{ owner }}</b></main>"
    owner = "nobody"

    def mount(self, request):
        self.n = 0

    @event_handler
    def add(self):
        self.n += 1

    @event_handler
    async def add_later(self):
        self.n += 1


def page(*bases, **attributes):
    """A class with these bases before Page (or around it), which a worker finds in this module."""
    name = f"Guarded{len(globals())}"
    attributes = {"__module__": __name__, **attributes}
    bases = bases if Page in bases else (*bases, Page)
    cls = globals()[name] = types.new_class(name, bases, exec_body=lambda names: names.update(attributes))
    cls.guarded = cls
    return cls


def deny(error):
    def dispatch(self, request, *args, **kwargs):
        if not may(request):
            raise error
        return super(self.guarded, self).dispatch(request, *args, **kwargs)

    return dispatch


def answer(make):
    def dispatch(self, request, *args, **kwargs):
        return super(self.guarded, self).dispatch(request, *args, **kwargs) if may(request) else make()

    return dispatch


def set_up(self, request, *args, **kwargs):
    super(self.guarded, self).setup(request, *args, **kwargs)
    if not may(request):
        raise PermissionDenied("not set up")


def permitted(self, request):
    if not may(request):
        raise PermissionDenied


def found(request):
    if not may(request):
        raise Http404


def unwrapped(view):
    """A decorator without functools.wraps."""

    def call(request, **kwargs):
        return view(request, **kwargs) if may(request) else HttpResponse("pay", status=402)

    return call


def chosen(request):
    """A view function that shows a page of one class or another."""
    return (Page if may(request) else Other).as_view()(request)


def by_url(self):
    """Known once setup() has been called."""
    return PERMISSION if self.kwargs == {} and self.request.path else None


class RefusesBehind:
    """As third-party mixins have it: a dispatch() of its own, and nothing of Django's."""

    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs) if may(request) else HttpResponse("pay", status=402)


class Behind(Page, RefusesBehind):
    """Its own dispatch() is called first."""

    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)


class Other(LiveView):
    template_string = "<main dj-root>for everybody</main>"


class Dispatched(Page):
    """Its dispatch() is decorated where it is written."""

    @method_decorator(permission_required(PERMISSION, raise_exception=True))
    def dispatch(self, *args, **kwargs):
        return super().dispatch(*args, **kwargs)


class OfAsView:
    """As access mixins were written before there were any in Django."""

    @classmethod
    def as_view(cls, **initkwargs):
        return login_required(super().as_view(**initkwargs))


class OfAnObject:
    """As django-guardian's: permission_required is asked in another way, and the user need not have it in general."""

    def dispatch(self, request, *args, **kwargs):
        if not (self.permission_required == "auth.of_an_object" and may(request)):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class LoadsUser:
    """A mixin that puts the user there once, with what is asked of it often."""

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        if request.user.is_authenticated and not hasattr(request.user, "is_regular"):
            request.user = User.objects.get(pk=request.user.pk)
            request.user.is_regular = True


LOGIN, STAFF = {"is_active": False}, {"is_staff": False}
# name → (view function, status without the right, what of the user takes the right away: nothing: the permission)
GUARDS = {
    "LoginRequiredMixin": (page(LoginRequiredMixin).as_view(), 302, LOGIN),
    "PermissionRequiredMixin": (page(PermissionRequiredMixin, permission_required=PERMISSION).as_view(), 403, {}),
    "UserPassesTestMixin": (page(UserPassesTestMixin, test_func=lambda self: may(self.request)).as_view(), 403, {}),
    "LoginRequiredMixin behind": (page(Page, LoginRequiredMixin).as_view(), 302, LOGIN),
    "PermissionRequiredMixin behind": (
        page(Page, PermissionRequiredMixin, permission_required=PERMISSION).as_view(),
        403,
        {},
    ),
    "mixins on both sides": (
        page(LoginRequiredMixin, Page, PermissionRequiredMixin, permission_required=PERMISSION).as_view(),
        403,
        {},
    ),
    "a mixin behind with a dispatch of its own": (page(Page, RefusesBehind).as_view(), 402, {}),
    "a mixin behind, called by super": (Behind.as_view(), 402, {}),
    "two mixins": (
        page(LoginRequiredMixin, PermissionRequiredMixin, permission_required=PERMISSION).as_view(),
        403,
        {},
    ),
    "dispatch raises PermissionDenied": (page(dispatch=deny(PermissionDenied())).as_view(), 403, {}),
    "dispatch raises Http404": (page(dispatch=deny(Http404("nothing here"))).as_view(), 404, {}),
    "dispatch redirects": (page(dispatch=answer(lambda: redirect("/pay/"))).as_view(), 302, {}),
    "dispatch answers": (page(dispatch=answer(lambda: HttpResponse("pay", status=402))).as_view(), 402, {}),
    "setup raises": (page(setup=set_up).as_view(), 403, {}),
    "login_required": (login_required(Page.as_view()), 302, LOGIN),
    "permission_required": (permission_required(PERMISSION)(Page.as_view()), 302, {}),
    "permission_required raises": (permission_required(PERMISSION, raise_exception=True)(Page.as_view()), 403, {}),
    "user_passes_test": (user_passes_test(lambda user: user.has_perm(PERMISSION))(Page.as_view()), 302, {}),
    "staff_member_required": (staff_member_required(Page.as_view(), login_url="/login/"), 302, STAFF),
    "a decorator without wraps": (unwrapped(Page.as_view()), 402, {}),
    "method_decorator on the class": (
        method_decorator(login_required, name="dispatch")(page()).as_view(),
        302,
        LOGIN,
    ),
    "method_decorator on dispatch": (Dispatched.as_view(), 403, {}),
    "the attribute login_required": (page(login_required=True).as_view(), 302, LOGIN),
    "the attribute permission_required": (page(permission_required=PERMISSION).as_view(), 403, {}),
    "a mixin that reads permission_required": (
        page(OfAnObject, permission_required="auth.of_an_object").as_view(),
        403,
        {},
    ),
    "one behind that reads permission_required": (
        page(Page, OfAnObject, permission_required="auth.of_an_object").as_view(),
        403,
        {},
    ),
    "admin_view": (admin.site.admin_view(Page.as_view()), 302, STAFF),
    "as_view() of a mixin": (page(OfAsView).as_view(), 302, LOGIN),
    "as_view() of a mixin behind": (page(Page, OfAsView).as_view(), 302, LOGIN),
    "a user that setup() loads": (
        page(LoadsUser, PermissionRequiredMixin, permission_required=PERMISSION).as_view(),
        403,
        {},
    ),
    "a property permission_required": (page(permission_required=property(by_url)).as_view(), 403, {}),
    "a property login_required": (page(login_required=property(by_url)).as_view(), 302, LOGIN),
    "several in permission_required": (page(permission_required=[PERMISSION]).as_view(), 403, {}),
    "check_permissions raises": (page(check_permissions=permitted).as_view(), 403, {}),
    "check_permissions says no": (page(check_permissions=lambda self, request: may(request)).as_view(), 403, {}),
    "check_permissions redirects": (
        page(check_permissions=lambda self, request: None if may(request) else redirect("/pay/")).as_view(),
        302,
        {},
    ),
    "has_object_permission": (
        page(
            get_object=lambda self: PERMISSION,
            has_object_permission=lambda self, request, obj: request.user.has_perm(obj),
        ).as_view(),
        403,
        {},
    ),
    "get_object finds nothing": (
        page(
            get_object=lambda self: found(self.request),
            has_object_permission=lambda self, request, obj: True,
        ).as_view(),
        404,
        {},
    ),
    "a function that chooses": (chosen, 200, {}),
    "two layers": (login_required(page(PermissionRequiredMixin, permission_required=PERMISSION).as_view()), 403, {}),
}
AroundAsView = page(OfAsView)


def around(request):
    """A page with a view in it whose as_view() is never called."""
    source = "{% load troupe %}<body>{% live_view path %}{% troupe_script %}</body>"
    path = f"{AroundAsView.__module__}.{AroundAsView.__qualname__}"
    return HttpResponse(engines["django"].from_string(source).render({"path": path}, request))


urlpatterns = [path(f"{name.replace(' ', '-')}/", view) for name, (view, _, _) in GUARDS.items()]
urlpatterns += [path("around/", around), path("admin/", admin.site.urls)]
every_guard = pytest.mark.parametrize("name", GUARDS)


@pytest.fixture
def ann():
    user = User.objects.create_user("ann", password="ann", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    return user


@pytest.fixture
def client(ann):
    client = AsyncClient()
    client.force_login(ann)
    return client


@sync_to_async
def take_away(user, rights):
    if rights:
        User.objects.filter(pk=user.pk).update(**rights)
    else:
        user.user_permissions.clear()


@sync_to_async
def give_back(user):
    User.objects.filter(pk=user.pk).update(is_active=True, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))


@every_guard
async def test_a_stranger_does_not_see_the_page(name):
    response = await AsyncClient().get(f"/{name.replace(' ', '-')}/")
    status = GUARDS[name][1]
    assert b"secret" not in response.content
    # Whoever is not signed in is sent to the login page by what refuses everybody else with a 403.
    assert response.status_code == (302 if status == 403 and "Location" in response else status)
    if "required" in name.lower() and response.status_code == 302:
        assert response["Location"].partition("?")[2] == f"next=/{name.replace(' ', '-')}/"


class Odd(Page):
    answer = None

    def check_permissions(self, request):
        return self.answer


class OddHook(Page):
    on_mount = [lambda view, request: view.answer]
    answer = None


ODD = {"a text": "/login/", "a tuple": (False, "no"), "nothing": 0, "a set": set()}
urlpatterns += [
    path(f"odd/{cls.__name__}/{name.replace(' ', '-')}/", cls.as_view(answer=answer))
    for cls in (Odd, OddHook)
    for name, answer in {**ODD, "yes": True, "no": False}.items()
]


@pytest.mark.parametrize("cls", ["Odd", "OddHook"])
@pytest.mark.parametrize("name", ODD)
async def test_what_is_neither_yes_nor_no_lets_nobody_in(cls, name, client):
    if cls == "OddHook" and name == "a text":  # a URL, there
        return
    client.raise_request_exception = False
    response = await client.get(f"/odd/{cls}/{name.replace(' ', '-')}/")
    assert response.status_code == 500 and b"secret" not in response.content
    assert (await client.get(f"/odd/{cls}/yes/")).status_code == 200
    assert (await client.get(f"/odd/{cls}/no/")).status_code == 403


@every_guard
@pytest.mark.parametrize("handler", ["add", "add_later"])
async def test_what_is_taken_away_counts_from_then_on(name, handler, ann, client, caplog):
    _, status, rights = GUARDS[name]
    async with LivePage(f"/{name.replace(' ', '-')}/", client) as page:
        assert b"secret 0" in page.response.content
        assert "d" in await page.event(handler)
        assert "secret 1" in await page.html()
        tokens = list(page.tokens)
        await take_away(ann, rights)
        frame = await page.event(handler)
        kind = "not_found" if status == 404 else "forbidden"
        assert (frame["t"], frame["error"]["kind"]) == ("failed", kind), frame
        refused = await page.ask(t="refresh", v=page.view)
        assert "secret" not in str(refused) and "d" not in refused, refused
        page.tokens = tokens
        joined = await page.connect()
        assert joined["t"] == "reload" or joined["views"][0]["error"]["kind"] == "forbidden", joined
        assert "secret" not in str(joined)
    response = await client.get(f"/{name.replace(' ', '-')}/")
    assert response.status_code in (status, 302) and b"secret" not in response.content
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@every_guard
async def test_a_refused_event_runs_nothing(name, ann, client):
    _, status, rights = GUARDS[name]
    async with LivePage(f"/{name.replace(' ', '-')}/", client) as page:
        await take_away(ann, rights)
        assert (await page.event("add"))["t"] == "failed"
        await give_back(ann)
        if status == 404:  # what the page shows is gone: it is loaded again
            assert (await page.ask(t="ping"))["t"] == "reload"
            await page.connect()
        assert "secret 0" in await page.html()


async def test_as_view_of_a_mixin_is_asked_for_a_view_without_a_url(ann, client):
    response = await AsyncClient().get("/around/")
    assert response.status_code == 403 and b"secret" not in response.content
    async with LivePage("/around/", client) as page:
        assert "d" in await page.event("add")
        await take_away(ann, LOGIN)
        assert (await page.event("add"))["error"]["kind"] == "forbidden"
