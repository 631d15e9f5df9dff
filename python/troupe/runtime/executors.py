"""The threads to which a worker's coroutines hand sync code, with housekeeping around it.

An awaited turn's `sync_to_async`, and so Django's async ORM, has a thread of its own (turn_threads.py). Two executors
are for the rest: `asyncio.to_thread`, and thread-sensitive code outside of any turn. Sessions share their threads, so
housekeeping is done for each call.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync

from . import housekeeping
from .turn_threads import Lease, TurnThreads, awaitable_error

P = ParamSpec("P")
R = TypeVar("R")


class Executor(ThreadPoolExecutor):
    """For calls that belong to no turn's thread."""

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__(max_workers, thread_name_prefix="troupe-sync")

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See ThreadPoolExecutor."""
        return super().submit(_run, functools.partial(function, *args, **kwargs))


def _run(call: Callable[[], R]) -> R:
    housekeeping.begin()
    try:
        return housekeeping.settled(call)()
    except StopIteration as error:
        raise awaitable_error(error) from error
    finally:
        housekeeping.end()


_turn_threads: TurnThreads | None = None


def use_executors(loop: asyncio.AbstractEventLoop, limit: int) -> None:
    """Makes a loop hand its sync code to Executors, and that of turns to TurnThreads. limit: how many of those."""
    global _turn_threads
    loop.set_default_executor(Executor())
    SyncToAsync.single_thread_executor = Executor(max_workers=1)
    _turn_threads = TurnThreads(limit)


def enter_scope() -> Lease | None:
    """On the loop, before a turn's coroutine, in its context: the turn's claim to a thread. None: not in a worker."""
    return None if _turn_threads is None else _turn_threads.enter_scope()
