"""The ASGI application: pages, static files and, for live pages, the socket."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

import troupe

if os.environ.get("BENCH_BUILD"):
    troupe.__path__.insert(0, os.path.join(os.environ["BENCH_BUILD"], "worker", "py"))

django_app = get_asgi_application()

from troupe.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {"http": ASGIStaticFilesHandler(django_app), "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns))}
)
