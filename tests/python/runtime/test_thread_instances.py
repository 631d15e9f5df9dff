"""One cache backend for each thread of a worker, and one for each task: not one for each event."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache

from troupe.runtime import thread_instances


class Connected(LocMemCache):
    """A cache with a connection."""

    closed = 0

    def close(self, **kwargs):
        Connected.closed += 1


@pytest.fixture(autouse=True)
def worker(settings, monkeypatch):
    """As in a worker."""
    path = f"{__name__}.Connected"
    settings.CACHES = {name: {"BACKEND": path, "LOCATION": name} for name in ("default", "other")}
    monkeypatch.setattr(caches, "_connections", caches._connections)
    thread_instances.install()
    Connected.closed = 0


def turn(function):
    """Calls a function as a turn of a sync handler: in a context of its own."""
    return contextvars.Context().run(function)


def instance():
    cache.set("key", 1)
    return caches["default"]


def test_events_of_a_thread_share_one():
    assert turn(instance) is turn(instance)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(turn, instance).result() is not turn(instance)


def test_tasks_have_their_own():
    async def task():
        await cache.aset("key", 2)
        return caches["default"], await asyncio.to_thread(instance)

    async def both():
        return await asyncio.gather(task(), task())

    first, second = asyncio.run(both())
    assert first[0] is not second[0]
    assert instance() not in (first[0], second[0])


def test_what_was_used_is_closed_at_the_end():
    thread_instances.close_caches()
    assert Connected.closed == 0
    turn(instance)
    turn(lambda: caches["other"].get("key"))
    thread_instances.close_caches()
    assert Connected.closed == 2


def test_django_manages_them_as_ever():
    turn(instance)
    assert len(caches.all(initialized_only=True)) == 1
    caches.close_all()
    assert Connected.closed == 1
    del caches["default"]
    assert not caches.all(initialized_only=True)
    thread_instances.install()  # twice is once
    assert type(thread_instances.of_thread(caches)) is dict
