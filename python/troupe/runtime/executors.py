"""The threads to which coroutines hand sync code, with housekeeping around each call."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from asgiref.sync import SyncToAsync

from . import housekeeping

P = ParamSpec("P")
R = TypeVar("R")


class Executor(ThreadPoolExecutor):
    """For `sync_to_async`, `asyncio.to_thread` and Django's async ORM. All sessions share its threads and their calls
    interleave, so housekeeping is done for each call.

    keep_connections: connections stay open between the calls of a turn, until turn_over().
    """

    def __init__(self, max_workers: int | None = None, keep_connections: bool = False) -> None:
        super().__init__(max_workers, thread_name_prefix="troupe-sync")
        self._run = _run_and_keep if keep_connections else _run
        self._was_used = False

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See ThreadPoolExecutor."""
        self._was_used = True
        return super().submit(self._run, functools.partial(function, *args, **kwargs))

    def turn_over(self) -> None:
        """After an awaited turn: closes connections that are not to persist, as at the end of a request."""
        if self._was_used:
            self._was_used = False
            super().submit(housekeeping.close_obsolete)


def _run(call: Callable[[], R]) -> R:
    housekeeping.begin()
    try:
        return _settled(call)
    finally:
        housekeeping.end()


def _run_and_keep(call: Callable[[], R]) -> R:
    housekeeping.remember_wrappers()
    try:
        return _settled(call)
    finally:
        housekeeping.restore_connections()
        housekeeping.close_failed()


def _settled(call: Callable[[], R]) -> R:
    try:
        result = call()
    except BaseException:
        housekeeping.clean()
        raise
    housekeeping.settle()
    return result


_thread_sensitive: Executor | None = None


def use_executors(loop: asyncio.AbstractEventLoop) -> None:
    """Makes a loop's coroutines hand their sync code to Executors."""
    global _thread_sensitive
    loop.set_default_executor(Executor())
    _thread_sensitive = SyncToAsync.single_thread_executor = Executor(max_workers=1, keep_connections=True)


def awaited_turn_over() -> None:
    """On the loop, after a turn's coroutine."""
    if _thread_sensitive is not None:
        _thread_sensitive.turn_over()
