"""What clients of metrics and traces do at the end of a process. CASES_ATEXIT: the folder to write into; without it,
nothing.
"""

import atexit
import logging.handlers
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from asgiref.sync import sync_to_async

from troupe import LiveView, event_handler

FOLDER = os.environ.get("CASES_ATEXIT")
_stop = threading.Event()


def note(name, text=None):
    with open(Path(FOLDER, name), "a") as file:
        file.write(f"{text or os.getpid()}\n")


def fail():
    raise LookupError("in a function registered with atexit")


def hang():
    note("hangs")
    threading.Event().wait()


def finish():
    _stop.wait()
    note("thread")


class V(LiveView):
    template_string = "<!doctype html><title>x</title><body></body>"

    @event_handler
    def begin(self):
        """A task in an executor, which is done before the process ends, and a thread that is not a daemon."""
        executor = ThreadPoolExecutor(1)
        executor.submit(threading.Event().wait, 0.2)
        executor.submit(note, "executor")
        threading.Thread(target=finish).start()

    @event_handler
    def hang(self):
        atexit.register(hang)

    @event_handler
    def never(self):
        """A thread that never ends, and is no daemon."""
        threading.Thread(target=threading.Event().wait, name="endless").start()

    @event_handler
    async def never_either(self):
        self.never()

    @event_handler
    async def nor_by_sync(self):
        await sync_to_async(self.never)()

    @event_handler
    def child(self):
        """A process, which multiprocessing ends and waits for."""
        process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,), daemon=True)
        process.start()
        note("child", process.pid)


if FOLDER:
    buffered = logging.handlers.MemoryHandler(1000, target=logging.FileHandler(Path(FOLDER, "log"), delay=True))
    logging.getLogger("case_29").addHandler(buffered)
    logging.getLogger("case_29").propagate = False
    logging.getLogger("case_29").warning("buffered")
    atexit.register(note, "atexit")
    atexit.register(fail)
    threading._register_atexit(_stop.set)
