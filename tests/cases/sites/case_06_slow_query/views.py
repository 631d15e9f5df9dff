"""A query that waits for a lock, and one that does not."""

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, transaction

from troupe import LiveView, event_handler


def wait_for_lock(key):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [key])


class Slow(LiveView):
    template_name = "case_06_slow_query/page.html"

    def mount(self, request):
        self.got = "-"

    @event_handler
    async def slow(self):
        await sync_to_async(wait_for_lock)(6)
        self.got = "slow"

    @event_handler
    async def orm(self):
        self.got = await User.objects.acount()

    @event_handler
    async def write(self, name):
        await User.objects.acreate(username=name)
        self.got = name
