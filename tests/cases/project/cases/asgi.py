"""The ASGI application, as docs/guide.md has it, and Django's static files."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cases.settings")
django = get_asgi_application()

from troupe.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {"http": ASGIStaticFilesHandler(django), "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns))}
)
