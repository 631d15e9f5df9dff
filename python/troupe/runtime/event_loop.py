"""The worker's asyncio loop, on a thread of its own for the life of the process. `async def` handlers run there."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from .executors import use_executors
from .shutdown import let_inherit

logger = logging.getLogger("troupe")


class LoopThread:
    """Runs coroutines for other threads. Made once, by worker/py/embed.c.

    most_threads: how many threads the turns' sync code may have.
    """

    def __init__(self, most_threads: int) -> None:
        self._loop = asyncio.new_event_loop()
        use_executors(self._loop, most_threads)
        self._thread = threading.Thread(target=self._run, name="troupe-loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        let_inherit(threading.current_thread())
        asyncio.set_event_loop(self._loop)
        while True:  # a callback of user code may raise SystemExit: other sessions' handlers must go on
            try:
                self._loop.run_forever()
            except BaseException:
                logger.exception("event=loop_interrupted")

    def submit(
        self,
        coroutine: Coroutine[Any, Any, Any],
        context: contextvars.Context,
        done: Callable[[asyncio.Task[Any]], object],
    ) -> None:
        """Runs a coroutine as a task in that context, and calls done(task) on the loop's thread. Any thread."""
        self._loop.call_soon_threadsafe(self._start, coroutine, context, done)

    def _start(
        self,
        coroutine: Coroutine[Any, Any, Any],
        context: contextvars.Context,
        done: Callable[[asyncio.Task[Any]], object],
    ) -> None:
        self._loop.create_task(coroutine, context=context).add_done_callback(done)
