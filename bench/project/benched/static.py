"""What a browser needs besides: the client's modules, and headers with which its clock is fine enough."""

from pathlib import Path

from django.http import HttpResponse

import troupe

FOLDER = Path(troupe.__file__).resolve().parent / "static" / "troupe"


def module(request, name):
    """One of the client's modules."""
    return HttpResponse((FOLDER / name).read_bytes(), content_type="text/javascript")


def isolated(get_response):
    """A middleware: pages that are cross-origin isolated have a clock of 5 µs, others one of 100."""

    def headed(response):
        response["Cross-Origin-Opener-Policy"] = "same-origin"
        response["Cross-Origin-Embedder-Policy"] = "require-corp"
        return response

    from asgiref.sync import iscoroutinefunction, markcoroutinefunction

    if not iscoroutinefunction(get_response):
        return lambda request: headed(get_response(request))

    async def middleware(request):
        return headed(await get_response(request))

    return markcoroutinefunction(middleware)


isolated.sync_capable = isolated.async_capable = True
