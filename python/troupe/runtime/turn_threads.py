"""Threads for the sync code of coroutines. An awaited turn has one of them, and so its own database connections, from
its first `sync_to_async` to its end, as a request has under Django's ASGI handler.

There are at most as many threads as the worker may have for turns (--most-threads). When all have a turn, turns share
them: each keeps its thread, their calls take turns, and none runs inside another one's transaction. A call thus waits
for running calls and open transactions only, never for a coroutine that awaits something else.
"""

import asyncio
import functools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

from . import housekeeping
from .shutdown import let_inherit

P = ParamSpec("P")
R = TypeVar("R")


def awaitable_error(error: BaseException) -> BaseException:
    """The exception to set on a future: one that is awaited for a StopIteration would wait for ever before Python 3.12,
    which does the same as this.
    """
    if not isinstance(error, StopIteration):
        return error
    converted = RuntimeError("a function raised StopIteration, which no coroutine can be told")
    converted.__cause__ = converted.__context__ = error
    return converted


class Lease:
    """One turn's claim to a thread: the executor to which asgiref hands the turn's thread-sensitive calls. They run one
    after the other. Any thread may submit.

    A task that outlives its turn goes on using it: each of its calls is then looked after like a turn of its own.
    """

    __slots__ = ("pool", "calls", "thread", "scheduled", "begun", "ended")

    # Guarded by the pool's lock.
    def __init__(self, pool: "TurnThreads") -> None:
        self.pool = pool
        self.calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self.thread: _Thread | None = None
        self.scheduled = False  # a thread has it in its queue or runs it, or it waits for a thread
        self.begun = False  # housekeeping.begin() was called on its thread
        self.ended = False

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See concurrent.futures.Executor."""
        future: Future[R] = Future()
        self.pool.add_call(self, future, functools.partial(function, *args, **kwargs))
        return future

    async def finish(self) -> None:
        """At the end of a turn that succeeded. TransactionManagementError: it left a transaction open."""
        thread = self.thread
        if thread is not None and thread.transaction_of is self:
            await asyncio.wrap_future(self.submit(housekeeping.settle))
        self.end()

    def end(self) -> None:
        """The turn is over: its thread is cleaned up and given back when the call that may still run has returned."""
        self.pool.end(self)


class TurnThreads:
    """The threads, started as they are needed. limit: how many there may be."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._threads: list[_Thread] = []
        self._idle: list[_Thread] = []  # without a lease; the last used comes first, so that few connections are used
        self._waiting: deque[Lease] = deque()

    def __len__(self) -> int:
        return len(self._threads)

    def enter_scope(self) -> Lease:
        """Makes the current context's thread-sensitive calls use a lease of their own, to be ended by the caller."""
        scope: Any = ThreadSensitiveContext()
        lease = Lease(self)
        executor: Any = lease  # asyncio calls nothing of an executor but submit()
        SyncToAsync.context_to_thread_executor[scope] = executor  # weakly by scope, which the context keeps
        SyncToAsync.thread_sensitive_context.set(scope)
        return lease

    def add_call(self, lease: Lease, future: Future[Any], call: Callable[[], Any]) -> None:
        """Has a call run on the lease's thread, behind its others."""
        with self._lock:
            lease.calls.append((future, call))
            if not lease.scheduled:
                self._schedule(lease)

    def end(self, lease: Lease) -> None:
        """See Lease.end()."""
        with self._lock:
            lease.ended = True
            if lease.thread is not None and not lease.scheduled:
                self._schedule(lease)

    # The lock is held in these.

    def _schedule(self, lease: Lease) -> None:
        lease.scheduled = True
        thread = lease.thread
        if thread is not None and thread.is_closed_to(lease):
            self._unpin(lease)
            thread = None
            if not lease.calls:  # it only ends: the thread is cleaned up at the end of the other turn
                lease.scheduled = False
                return
        if thread is None:
            thread = self._choose()
            if thread is None:
                self._waiting.append(lease)
                return
            lease.thread = thread
            thread.leases += 1
        thread.put(lease)

    def _choose(self) -> "_Thread | None":
        if self._idle:
            return self._idle.pop()
        if len(self._threads) < self._limit:
            thread = _Thread(self, len(self._threads))
            self._threads.append(thread)
            return thread
        free = [thread for thread in self._threads if not thread.queued and thread.transaction_of is None]
        return min(free, key=lambda thread: thread.leases, default=None)

    def _unpin(self, lease: Lease) -> None:
        if lease.thread is not None:
            lease.thread.leases -= 1
        lease.thread = None
        lease.begun = False

    # The thread calls these.

    def take_call(self, thread: "_Thread", lease: Lease) -> tuple[bool, tuple[Future[Any], Callable[[], Any]] | None]:
        """(whether the lease may run here, its next call or None if it only ends)."""
        with self._lock:
            if thread.is_closed_to(lease):  # since it was queued
                thread.queued -= 1
                self._schedule(lease)
                return False, None
            return True, lease.calls.popleft() if lease.calls else None

    def is_over(self, lease: Lease) -> bool:
        """Whether the lease's turn has ended, with all of its calls."""
        with self._lock:
            return lease.ended and not lease.calls

    def give_back(self, thread: "_Thread", lease: Lease, over: bool) -> None:
        """The lease's call has returned. over: housekeeping.end() ran, and the thread is another turn's."""
        with self._lock:
            thread.queued -= 1
            lease.scheduled = False
            if over:
                self._unpin(lease)
            if lease.calls or (lease.ended and lease.thread is not None):
                self._schedule(lease)
            self._look_for_work(thread)

    def _look_for_work(self, thread: "_Thread") -> None:
        if thread.queued or thread.transaction_of is not None:
            return
        if self._waiting:
            lease = self._waiting.popleft()
            lease.thread = thread
            thread.leases += 1
            thread.put(lease)
        elif not thread.leases:
            self._idle.append(thread)


class _Thread:
    """A thread, and the leases that wait for it. Its fields are guarded by the pool's lock."""

    def __init__(self, pool: TurnThreads, number: int) -> None:
        self._pool = pool
        self._queue: SimpleQueue[Lease] = SimpleQueue()
        self.queued = 0  # leases in the queue, and the one that runs
        self.leases = 0  # that keep their connections here
        self.transaction_of: Lease | None = None  # which left one open for its next call
        # A daemon: a query that never returns must not keep the process from ending.
        threading.Thread(target=self._run, name=f"troupe-turn_{number}", daemon=True).start()

    def put(self, lease: Lease) -> None:
        """Queues a lease. The lock is held."""
        self.queued += 1
        self._queue.put(lease)

    def is_closed_to(self, lease: Lease) -> bool:
        """Whether another turn's transaction is open here."""
        return self.transaction_of is not None and self.transaction_of is not lease

    def _run(self) -> None:
        let_inherit(threading.current_thread())
        while True:
            self._serve(self._queue.get())

    def _serve(self, lease: Lease) -> None:
        allowed, call = self._pool.take_call(self, lease)
        if not allowed:
            return
        if call is not None:
            self._run_call(lease, *call)
        over = self._pool.is_over(lease)
        shared = self.leases > 1
        if over:
            housekeeping.end(close_obsolete_too=not shared)  # another turn may be reading from a cursor
            self.transaction_of = None
        elif shared and self.transaction_of is None:
            housekeeping.restore_connections()
        self._pool.give_back(self, lease, over)

    def _run_call(self, lease: Lease, future: Future[Any], call: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if not lease.begun:
            lease.begun = True
            if self.leases == 1:
                housekeeping.begin()
        if lease.ended:  # no later call of the turn could end a transaction that this one leaves open
            call = housekeeping.settled(call)
        result = error = None
        try:
            result = call()
        except BaseException as raised:
            error = awaitable_error(raised)
            housekeeping.close_failed()
        # Before the coroutine continues, which may end the turn.
        self.transaction_of = lease if housekeeping.is_in_transaction() else None
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
