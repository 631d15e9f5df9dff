"""WebSocket routes, for the project's asgi.py:

application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": AuthMiddlewareStack(URLRouter(troupe.routing.websocket_urlpatterns)),
})
"""

from django.urls import path

from . import conf
from .web.consumer import LiveViewConsumer

websocket_urlpatterns = [path(conf.get("SOCKET_PATH").lstrip("/"), LiveViewConsumer.as_asgi())]
