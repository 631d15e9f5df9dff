"""The worker's asyncio loop: one, on a thread of its own, for the life of the process. `async def` handlers
run there.
"""

import asyncio
import logging
import threading

from . import housekeeping

logger = logging.getLogger("troupe")


class LoopThread:
    """Runs coroutines for threads that are not its own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        housekeeping.use_executors(self._loop)
        self._thread = threading.Thread(target=self._run, name="troupe-loop", daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        while True:  # a callback of the person's may raise SystemExit: the other sessions' handlers go on
            try:
                self._loop.run_forever()
            except BaseException:
                logger.exception("event=loop_interrupted")

    def submit(self, coroutine, context, done):
        """Run a coroutine as a task in a contextvars context; done(task) is called on the loop's thread. Any
        thread.
        """
        self._loop.call_soon_threadsafe(self._start, coroutine, context, done)

    def _start(self, coroutine, context, done):
        self._loop.create_task(coroutine, context=context).add_done_callback(done)
