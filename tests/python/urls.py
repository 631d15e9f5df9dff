"""The test project's URLs, over HTTP and WebSocket."""

from channels.routing import URLRouter
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.urls import path, re_path
from samples import Broken, Counter, Missing, Moved, Refusing

from troupe.routing import websocket_urlpatterns

TEMPLATE = """{% load troupe %}<html><body>{% live_view "samples.Counter" start=3 %}
{% live_view path start=4 as second %}{{ second }}{% troupe_script %}</body></html>"""


def embedding(request, path="samples.Counter"):
    """An ordinary, sync page with two live views in it."""
    return HttpResponse(Template(TEMPLATE).render(RequestContext(request, {"path": path})))


urlpatterns = [
    path("counter/", Counter.as_view()),
    path("counter/<int:start>/", Counter.as_view(step=2)),
    re_path(r"^unnamed/(\d+)/$", Counter.as_view()),
    path("moved/", Moved.as_view()),
    path("missing/", Missing.as_view()),
    path("refusing/", Refusing.as_view()),
    path("broken/", Broken.as_view()),
    path("embedding/", embedding),
    path("embedding/<str:path>/", embedding),
]
application = URLRouter(websocket_urlpatterns)
