"""WebSocket routes, for the project's asgi.py:

application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": AuthMiddlewareStack(URLRouter(troupe.routing.websocket_urlpatterns)),
})
"""

import re

from django.urls import re_path

from . import conf
from .web.consumer import LiveViewConsumer


def _pattern(socket_path: str) -> str:
    """The regular expression for TROUPE["SOCKET_PATH"] wherever the site is mounted.

    Pages ask below the script name (web/page_facts.py). What of it arrives here depends: a proxy may strip it,
    Channels strips root_path, and nobody strips FORCE_SCRIPT_NAME. So any prefix is allowed; and the path may lack a
    beginning, as it may have been set with the script name in it.
    """
    segments = [re.escape(segment) for segment in socket_path.strip("/").split("/")]
    end = "/" if socket_path.endswith("/") else ""
    ends = ["/".join(segments[start:]) for start in range(1, len(segments))]
    return "^(?:" + "|".join(["(?:.*/)?" + "/".join(segments), *ends]) + ")" + end + "$"


websocket_urlpatterns = [re_path(_pattern(conf.get("SOCKET_PATH")), LiveViewConsumer.as_asgi())]
