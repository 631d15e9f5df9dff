"""The pages that are open while things break."""

from django.http import HttpResponse
from django.urls import path

from faulted.views import Bad, Broken, History


def login(request):
    """Begins a session with something in it, so that the page's socket needs the database."""
    request.session["known"] = True
    return HttpResponse("welcome")


urlpatterns = [
    path("login/", login),
    path("history/", History.as_view()),
    path("bad/", Bad.as_view()),
    path("broken/", Broken.as_view()),
]
