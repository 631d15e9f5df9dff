"""Users whom a proxy names in a header."""

from django.contrib.auth.middleware import RemoteUserMiddleware
from django.contrib.auth.models import User

from troupe import LiveView, event_handler


class HeaderUser:
    """Behind oauth2-proxy, IAP, Cloudflare Access: there is no Django session."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/case_34"):
            request.user = User.objects.get(username=request.headers["X-Forwarded-User"])
        return self.get_response(request)


class ProxyUser(RemoteUserMiddleware):
    header = "HTTP_X_FORWARDED_USER"

    async def aprocess_request(self, request):
        """As process_request(): Django 5.2 looks for HTTP_HTTP_… otherwise."""
        from asgiref.sync import sync_to_async

        await sync_to_async(self.process_request)(request)


class Who(LiveView):
    template_string = (
        "<main dj-root><b>{{ request.user.username }}</b><output>{{ n }} {{ got }}</output>"
        '<button id="more" dj-click="more">+</button></main>'
    )

    def mount(self, request):
        self.n, self.got = 0, ""

    @event_handler
    def more(self):
        self.n += 1
        self.got = self.request.user.username
