"""Rows that are deleted while a page shows them: what the page shows is gone, so that it is loaded again, as any page
would then say 404; what a handler does not find, the page is told.
"""

import pytest
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.models import Group
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.generic.detail import SingleObjectMixin
from live_pages import LivePage

from troupe import LiveView, event_handler
from troupe.web.transport import inproc

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class Base(LiveView):
    template_string = "<main dj-root>{{ group.name }}</main>"

    @event_handler
    def again(self):
        self.n = 1

    @event_handler
    def find(self):
        get_object_or_404(Group, pk=self.pk)


class Mounted(Base):
    """Finds it in mount() only."""

    def mount(self, request, pk):
        self.pk, self.group = pk, get_object_or_404(Group, pk=pk)

    @event_handler
    def refresh(self):
        self.group.refresh_from_db()


class InContext(Base):
    def mount(self, request, pk):
        self.pk = pk

    def get_context_data(self, **kwargs):
        return super().get_context_data(group=Group.objects.get(pk=self.pk), **kwargs)


class NotFoundInContext(InContext):
    def get_context_data(self, **kwargs):
        return super(InContext, self).get_context_data(group=get_object_or_404(Group, pk=self.pk), **kwargs)


class Detail(SingleObjectMixin, LiveView):
    """Django's own mixin."""

    model = Group
    template_string = "<main dj-root>{{ object.name }}</main>"

    def mount(self, request, pk):
        self.pk = pk

    def get_context_data(self, **kwargs):
        self.object = self.get_object()
        return super().get_context_data(**kwargs)

    @event_handler
    def again(self):
        pass


class GotInMount(Base):
    def mount(self, request, pk):
        self.pk, self.group = pk, Group.objects.get(pk=pk)


class Guarded(Base):
    """Django's own object is asked for its permission before each event."""

    def mount(self, request, pk):
        self.pk = pk

    def get_object(self):
        return get_object_or_404(Group, pk=self.kwargs["pk"])

    def has_object_permission(self, request, obj):
        return True


class GuardedByGet(Guarded):
    def get_object(self):
        return Group.objects.get(pk=self.kwargs["pk"])


class Dispatching(Base):
    """Finds it before everything else, as views do that are about a part of something."""

    def dispatch(self, request, *args, **kwargs):
        self.group = get_object_or_404(Group, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def mount(self, request, pk):
        pass


class Asking(UserPassesTestMixin, Base):
    def test_func(self):
        return Group.objects.get(pk=self.kwargs["pk"]) is not None

    def mount(self, request, pk):
        pass


VIEWS = {view.__name__.lower(): view for view in (Mounted, InContext, NotFoundInContext, Detail, GotInMount)}
VIEWS |= {view.__name__.lower(): view for view in (Guarded, GuardedByGet, Dispatching, Asking)}
urlpatterns = [path(f"{name}/<int:pk>/", view.as_view()) for name, view in VIEWS.items()]


async def opened(name):
    group = await Group.objects.acreate(name="a")
    return LivePage(f"/{name}/{group.pk}/"), group


@pytest.mark.parametrize(
    "name", ["incontext", "notfoundincontext", "detail", "guarded", "guardedbyget", "dispatching", "asking"]
)
async def test_what_the_page_shows(name):
    page, group = await opened(name)
    async with page:
        await group.adelete()
        frame = await page.event("again")
        assert frame["t"] == "failed"
        frame = await page.ask(t="ping")
        assert (frame["t"], frame["reason"]) == ("reload", "not_found")


@pytest.mark.parametrize("name", ["mounted", "gotinmount", "incontext", "detail", "guarded", "dispatching"])
async def test_a_page_whose_state_is_gone_as_well(name):
    """It is mounted anew over its socket."""
    page, group = await opened(name)
    async with page:
        await group.adelete()
        await page.socket.disconnect()
        inproc.reset()
        frame = await page.connect()
        assert (frame["t"], frame["reason"]) == ("reload", "not_found")


async def test_what_a_handler_does_not_find():
    page, group = await opened("mounted")
    async with page:
        await group.adelete()
        frame = await page.event("find")
        assert frame["t"] == "failed" and frame["error"]["message"] == "that does not exist any more."
        assert (await page.event("refresh"))["error"]["kind"] == "python"
        assert (await page.event("again"))["a"]  # it goes on
