"""A view that uses the database in whichever way it is told to. What it found out is what it shows."""

import asyncio

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections, transaction
from django.db.models import F

from troupe import LiveView, event_handler

from .models import Item, Note


def query(alias, sql, *params):
    """The first value of a query, or None."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


def backend(alias):
    """The server's process behind this thread's connection."""
    return query(alias, "select pg_backend_pid()")


abackend = sync_to_async(backend)
aquery = sync_to_async(query)


def increment(alias, name):
    """Reads, then writes, under a lock."""
    with transaction.atomic(using=alias):
        item = Item.objects.using(alias).select_for_update().get(name=name)
        query(alias, "select pg_sleep(0.001)")
        item.count += 1
        item.save(using=alias)


class Shop(LiveView):
    """See the module."""

    template_string = "<p dj-root>{{ said }}</p>"

    def mount(self, request):
        self.said = ""

    # Which connection is it?

    @event_handler
    def backend(self, alias):
        self.said = backend(alias)

    @event_handler
    async def abackend(self, alias):
        self.said = await abackend(alias)

    @event_handler
    async def backend_in_a_thread(self, alias):
        self.said = await asyncio.to_thread(backend, alias)

    @event_handler
    async def backends(self, alias):
        """All of a turn's are one: in a row, at once, in tasks, and nested."""
        seen = [await abackend(alias), await abackend(alias)]
        seen += await asyncio.gather(abackend(alias), abackend(alias), asyncio.create_task(abackend(alias)))
        seen.append(await sync_to_async(lambda: async_to_sync(abackend)(alias))())
        self.said = " ".join(sorted({str(each) for each in seen}))

    @event_handler
    async def retries(self, alias):
        """Ends its own connection, and then tries again."""
        before = await abackend(alias)
        try:
            await aquery(alias, "select pg_terminate_backend(pg_backend_pid())")
        except Exception as error:
            self.said = f"{type(error).__name__} {await abackend(alias) != before}"

    # Queries that wait.

    @event_handler
    def lock(self, alias, key):
        with transaction.atomic(using=alias):
            query(alias, "select 1 from pg_advisory_xact_lock(%s)", key)
        self.said = "locked"

    @event_handler
    async def alock(self, alias, key):
        await sync_to_async(self.lock)(alias, key)

    @event_handler
    async def acount(self, alias):
        self.said = await Item.objects.using(alias).acount()

    @event_handler
    async def hold(self, alias):
        """Keeps its connection while it awaits something else."""
        await abackend(alias)
        await asyncio.sleep(0.01)
        self.said = await Item.objects.using(alias).acount()

    # Writes.

    @event_handler
    def increment(self, alias, name):
        increment(alias, name)

    @event_handler
    async def aincrement(self, alias, name):
        await sync_to_async(increment)(alias, name)

    @event_handler
    def take(self, name, key):
        """Holds a row's lock until it has an advisory one."""
        with transaction.atomic():
            Item.objects.select_for_update().get(name=name)
            query("default", "select 1 from pg_advisory_xact_lock(%s)", key)
            Item.objects.filter(name=name).update(count=F("count") + 1)

    @event_handler
    def take_at_once(self, name):
        with transaction.atomic():
            self.said = Item.objects.select_for_update(nowait=True).get(name=name).count

    @event_handler
    def write(self, name, fail=False, later=False):
        item = Item.objects.create(name=name)
        Note.objects.create(text=name)
        if later:
            transaction.on_commit(lambda: self._committed(item))
        if fail:
            raise LookupError("after the writes")

    def _committed(self, item):
        autocommit = transaction.get_autocommit()
        self.said = f"committed {autocommit} {Item.objects.filter(pk=item.pk).exists()}"

    @event_handler
    async def awrite(self, name, fail=False):
        await Item.objects.acreate(name=name)
        await Note.objects.acreate(text=name)
        if fail:
            raise LookupError("after the writes")

    @event_handler
    async def awrite_in_a_transaction(self, name, fail=False, later=False):
        """As in an async view: the transaction is in one sync function."""
        with_fail = fail

        def work():
            with transaction.atomic():
                self.write(name, fail=with_fail, later=later)

        await sync_to_async(work)()

    @event_handler
    async def awrite_across_calls(self, name, fail=False):
        """A transaction that spans calls, and awaits in between."""
        block = transaction.atomic()
        await sync_to_async(block.__enter__)()
        error = None
        try:
            await Item.objects.acreate(name=name)
            await asyncio.sleep(0.01)
            if fail:
                raise LookupError("inside")
        except LookupError as raised:
            error = raised
        await sync_to_async(block.__exit__)(type(error) if error else None, error, None)

    # Server-side cursors.

    @event_handler
    def iterate(self, alias):
        self.said = sum(item.count for item in Item.objects.using(alias).iterator(chunk_size=3))

    @event_handler
    async def aiterate(self, alias):
        total = 0
        async for item in Item.objects.using(alias).aiterator(chunk_size=3):
            total += item.count
            await asyncio.sleep(0)
        self.said = total

    # A task that outlives its event.

    @event_handler
    async def leave_a_task(self, name):
        self._task = asyncio.create_task(self._write_later(name))

    async def _write_later(self, name):
        await asyncio.sleep(0.05)
        for number in range(3):
            await Item.objects.acreate(name=f"{name}{number}")
        self.said = "written"
        self.request_update()
