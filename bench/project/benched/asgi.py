"""Over ASGI: Troupe's pages and socket, and the plain Channels consumer that it is compared with."""

import os

from django.core.asgi import get_asgi_application

import troupe

if os.environ.get("BENCH_BUILD"):  # with inproc:// the sessions are here, in the build that is measured
    troupe.__path__.insert(0, os.path.join(os.environ["BENCH_BUILD"], "worker", "py"))

django_app = get_asgi_application()  # sets Django up, so the imports below come after it

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from benched.peer import Peer  # noqa: E402
from troupe.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_app,
        "websocket": URLRouter([path("ws/peer/", Peer.as_asgi()), *websocket_urlpatterns]),
    }
)
