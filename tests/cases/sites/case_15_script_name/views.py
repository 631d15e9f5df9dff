"""Where the site is mounted: links, redirects and the socket stay inside."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from troupe import LiveView, event_handler


class Prefix(LiveView):
    template_name = "case_15_script_name/page.html"

    def mount(self, request):
        self.n, self.reversed = 0, reverse("case_15_plain")

    @event_handler
    def more(self):
        self.n += 1
        self.reversed = reverse("case_15_plain")

    @event_handler
    async def later(self):
        self.n += 1
        self.reversed = reverse("case_15_plain")


class Moved(LiveView):
    template_string = ""

    def mount(self, request):
        return redirect("case_15_plain")


def plain(request):
    """An ordinary page: what the live page must show, too."""
    match = request.resolver_match.view_name
    return HttpResponse(f"{request.path} {request.path_info} {request.META['SCRIPT_NAME']} {match}")


urlpatterns = [path("plain/", plain, name="case_15_plain"), path("Prefix/", Prefix.as_view(), name="case_15_prefix")]
