"""What a handler returns or raises."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path

from troupe import LiveView, event_handler


class Form(LiveView):
    """A form after which the visitor is thanked."""

    template_name = "case_09_redirect/page.html"

    def mount(self, request):
        self.n = 0
        self.names = "download later cookie nothing missing denied strange answer file again".split()

    @event_handler
    def save(self, title):
        """The form."""
        return redirect("thanks")

    @event_handler
    async def later(self):
        """As above, and awaited."""
        return redirect("thanks")

    @event_handler
    def download(self):
        """The browser stays on the page, which shows what changed."""
        self.n += 1
        return redirect("file")

    @event_handler
    def cookie(self):
        """A redirect with a cookie that JavaScript must not see."""
        response = redirect("thanks")
        response.set_cookie("tea", "hot", httponly=True)
        return response

    @event_handler
    def nothing(self):
        """Nothing but a patch."""
        self.n += 1
        return HttpResponse(status=204)

    @event_handler
    def missing(self):
        """Not there."""
        raise Http404("no such thing")

    @event_handler
    def denied(self):
        """Not allowed."""
        raise PermissionDenied

    @event_handler
    def strange(self):
        """Not acceptable."""
        raise SuspiciousOperation("what is this")

    @event_handler
    def answer(self):
        """Nobody would see it."""
        return JsonResponse({"n": self.n})

    @event_handler
    def file(self):
        """Nor this."""
        return FileResponse(open(__file__, "rb"))

    @event_handler
    def again(self):
        """A redirect to the page itself loads it anew, with a fragment too."""
        self.n = 7
        return redirect(self.request.path + "#end")


def thanks(request):
    """Says which cookies came."""
    return HttpResponse(f"<!doctype html><title>t</title><p>thanks</p><b>{request.COOKIES.get('tea', 'none')}</b>")


def file(request):
    """A download."""
    return HttpResponse("text", headers={"Content-Disposition": "attachment; filename=a.txt"})


urlpatterns = [path("thanks/", thanks, name="thanks"), path("file/", file, name="file")]
