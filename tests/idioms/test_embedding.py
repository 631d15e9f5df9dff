"""{% live_view %}: what a view's mount() raises is what an ordinary view's would be, for the page around it."""

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, SynchronousOnlyOperation
from django.http import Http404, HttpResponse
from django.template import RequestContext, Template
from django.test import AsyncClient, Client
from django.urls import path

from troupe import LiveView

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class Inner(LiveView):
    template_string = "<b dj-root>{{ what }}</b>"

    def mount(self, request, what):
        if what == "missing":
            raise Http404("no such thing")
        if what == "forbidden":
            raise PermissionDenied
        self.what = what


class Closed(Inner):
    login_required = True


def around(request, view, what):
    source = "{% load troupe %}<body>{% live_view path what=what %}{% troupe_script %}</body>"
    context = RequestContext(request, {"path": f"{__name__}.{view}", "what": what})
    return HttpResponse(Template(source).render(context))


async def around_async(request):
    return around(request, "Inner", "here")


async def around_in_a_thread(request):
    return await sync_to_async(around)(request, "Inner", "here")


async def own_page(request):
    return Inner.as_view()(request, what="here")


urlpatterns = [
    path("async/", around_async),
    path("thread/", around_in_a_thread),
    path("own/", own_page),
    path("<str:view>/<str:what>/", around),
]


@pytest.mark.parametrize(
    ("url", "status"),
    [("/Inner/here/", 200), ("/Inner/missing/", 404), ("/Inner/forbidden/", 403), ("/Closed/here/", 403)],
)
def test_what_the_page_around_it_answers(url, status):
    response = Client().get(url)
    assert response.status_code == status, response.content
    assert (b">here</b>" in response.content) == (status == 200)


@pytest.mark.asyncio
async def test_an_async_view_is_told_what_to_do():
    for url in ("/async/", "/own/"):
        with pytest.raises(SynchronousOnlyOperation, match="await sync_to_async"):
            await AsyncClient().get(url)
    assert b">here</b>" in (await AsyncClient().get("/thread/")).content
