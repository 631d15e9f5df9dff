"""Middleware of the project's own."""

import zoneinfo

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils import timezone


class place:
    """Sets request.tenant, and the time zone, from cookies of those names."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        request.tenant = request.COOKIES.get("tenant", "")
        if self.is_async:
            return self.answer(request)
        with timezone.override(_zone(request)):
            return self.get_response(request)

    async def answer(self, request):
        """What `__call__` gives under ASGI."""
        with timezone.override(_zone(request)):
            return await self.get_response(request)


def _zone(request):
    name = request.COOKIES.get("zone")
    return zoneinfo.ZoneInfo(name) if name else None
