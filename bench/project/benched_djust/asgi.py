"""djust's consumer over ASGI, behind the middleware that its documentation gives."""

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()  # sets Django up, so the imports below come after it

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from djust.routing import DjustMiddlewareStack  # noqa: E402
from djust.websocket import LiveViewConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_app,
        "websocket": DjustMiddlewareStack(URLRouter([path("ws/live/", LiveViewConsumer.as_asgi())])),
    }
)
