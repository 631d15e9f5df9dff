"""Live views that leave something behind on the thread that ran them, or in the database."""

import asyncio
import decimal
import os

from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.urls import set_urlconf
from django.utils import timezone, translation

from troupe import LiveView, event_handler

from .models import Row


def _enter():
    """A transaction that nobody ends."""
    transaction.atomic().__enter__()
    Row.objects.create(text="left")


def _no_autocommit():
    transaction.set_autocommit(False)
    Row.objects.create(text="left")


def _begin():
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    Row.objects.create(text="left")


def _doomed():
    _enter()
    transaction.set_rollback(True)


def _nested():
    with transaction.atomic():
        Row.objects.create(text="left")
        transaction.atomic().__enter__()


def _closed():
    _enter()
    connection.close()


def _behind_a_copy():
    """A second connection by the same alias, which was opened last."""
    _enter()
    copy = connection.copy()
    copy.ensure_connection()
    copy.close()


def _in_a_copy():
    copy = connection.copy()
    copy.ensure_connection()
    copy.set_autocommit(False)
    with copy.cursor() as cursor:
        cursor.execute("UPDATE house_row SET text = 'left' WHERE text = 'nowhere'")


def _raise():
    _enter()
    raise LookupError("inside of a transaction")


WAYS = {
    "enter": _enter,
    "no_autocommit": _no_autocommit,
    "begin": _begin,
    "doomed": _doomed,
    "nested": _nested,
    "closed": _closed,
    "behind_a_copy": _behind_a_copy,
    "in_a_copy": _in_a_copy,
    "raise": _raise,
}


class Leaves(LiveView):
    """Leaves a transaction open: how, and where, is told."""

    template_string = "<p dj-root><output>{{ count }}</output>{{ show }}</p>"

    def mount(self, request, how=None, where="mount"):
        self.count = 0
        self.rendered = self.asked = None
        if how and where == "template":
            self.rendered = how
        elif how and where == "context":
            self.asked = how
        elif how:
            WAYS[how]()

    def get_context_data(self, **kwargs):
        asked, self.asked = self.asked, None
        if asked:
            WAYS[asked]()
        rendered, self.rendered = self.rendered, None
        return {"count": self.count, "show": WAYS[rendered] if rendered else ""}

    @event_handler
    def leave(self, how):
        WAYS[how]()

    @event_handler
    def leave_context(self, how):
        self.asked = how

    @event_handler
    def leave_template(self, how):
        self.rendered = how

    @event_handler
    def leave_and_await(self, how):
        WAYS[how]()
        return asyncio.sleep(0)

    @event_handler
    async def leave_sync_to_async(self, how):
        await sync_to_async(WAYS[how])()

    @event_handler
    async def leave_to_thread(self, how):
        await asyncio.to_thread(WAYS[how])

    @event_handler
    async def leave_on_the_loop(self, how):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        try:
            WAYS[how]()
        finally:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]

    @event_handler
    async def write_later(self, text):
        await Row.objects.acreate(text=text)
        await asyncio.to_thread(Row.objects.create, text=text)
        self.count = await Row.objects.acount()


def _refuse(execute, sql, params, many, context):
    raise PermissionError("a wrapper of somebody else's turn")


class Changes(LiveView):
    """Changes what belongs to the thread or the turn, and shows it."""

    template_string = "<p dj-root>{{ shown }}</p>"

    def mount(self, request):
        self.shown = ""

    @event_handler
    def change(self):
        Row.objects.count()
        translation.activate("de")
        timezone.activate("Asia/Tokyo")
        decimal.getcontext().prec = 3
        set_urlconf("nowhere.urls")
        connection.execute_wrappers.append(_refuse)
        connection.needs_rollback = True

    @event_handler
    def show(self):
        from django.urls import get_urlconf

        place = translation.get_language(), timezone.get_current_timezone_name(), get_urlconf()
        self.shown = (
            f"{place} {decimal.getcontext().prec} {len(connection.execute_wrappers)} {Row.objects.count() >= 0}"
        )

    @event_handler
    async def show_later(self):
        await sync_to_async(self.show)()

    @event_handler
    async def change_later(self):
        await sync_to_async(self.change)()
