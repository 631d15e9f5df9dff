"""Pages that not everybody may see."""

from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin, UserPassesTestMixin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from troupe import LiveView, adisconnect_user, disconnect_user, event_handler


class Counting(LiveView):
    """Counts."""

    template_name = "case_01_access/page.html"

    def mount(self, request):
        self.n = 0

    @event_handler
    def add(self):
        self.n += 1


class Private(LoginRequiredMixin, Counting):
    """For those who are logged in."""


class PrivateBehind(Counting, LoginRequiredMixin):
    """The same, with the mixin on the other side."""


class Permitted(PermissionRequiredMixin, Counting):
    """For those with a permission. What setup() makes cannot be in a snapshot."""

    permission_required = "auth.view_user"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.audit = print


class Tested(UserPassesTestMixin, Counting):
    """For those with a permission, in another way."""

    def test_func(self):
        return self.request.user.has_perm("auth.view_user")


class Ticking(Counting):
    """For those with a permission; it moves by itself."""

    permission_required = "auth.view_user"
    tick_interval = 100

    def handle_tick(self):
        self.n += 1


class Support(Counting):
    """Disconnects users from a handler."""

    @event_handler
    def disconnect(self, name: str):
        disconnect_user(User.objects.get(username=name))

    @event_handler
    async def disconnect_later(self, name: str):
        await adisconnect_user(await User.objects.aget(username=name))


@transaction.atomic
def disconnected(request, name):
    """Disconnects a user from an ordinary view, in a transaction."""
    disconnect_user(User.objects.get(username=name))
    return HttpResponse("done")


def around(request, name):
    """An ordinary page with one of these views in it."""
    return render(request, "case_01_access/around.html", {"path": f"case_01_access.views.{name}"})


urlpatterns = [
    path("login_required/", login_required(Counting.as_view())),
    path("permission_required/", permission_required("auth.view_user", raise_exception=True)(Counting.as_view())),
    path("around/<str:name>/", around),
    path("disconnected/<str:name>/", disconnected),
]
