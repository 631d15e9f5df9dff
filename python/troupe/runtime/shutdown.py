"""What Python does at its end, for a worker that leaves in good order: it exits with the interpreter running."""

import atexit
import logging
import threading

from ..logs import quoted

logger = logging.getLogger("troupe")


def run_exit_functions(seconds: float) -> None:
    """Waits for executors and for threads that are not daemons, up to `seconds`; then calls what was registered with
    atexit, such as logging's flush. On the main thread. An exception is reported, and the next function called.
    """
    waiting = threading.Thread(target=_join_threads, name="troupe-shutdown", daemon=True)
    waiting.start()
    waiting.join(seconds)
    if waiting.is_alive():
        names = ",".join(thread.name for thread in _threads()) or "executor"
        logger.warning("event=threads_left names=%s", quoted(names))
    atexit._run_exitfuncs()


def install() -> None:
    """Threads that user code starts are no daemons, unless it says so, as on the threads of other servers: a thread
    inherits that from the one that starts it, and Python takes those of the pool for daemons.
    """
    threading._DummyThread.daemon = False


def let_inherit(thread: threading.Thread) -> None:
    """The same for a thread of Troupe's that has been started, as a daemon."""
    thread._daemonic = False  # type: ignore[attr-defined]


def _threads() -> list[threading.Thread]:
    """Those of user code that are no daemons."""
    return [
        thread
        for thread in threading.enumerate()
        if not (thread.daemon or thread.name.startswith("troupe-") or type(thread) is threading._DummyThread)
        and thread is not threading.main_thread()
    ]


def _join_threads() -> None:
    """As threading._shutdown(), which waits for the main thread, too, where another one calls it."""
    for function in reversed(getattr(threading, "_threading_atexits", ())):  # concurrent.futures: joins its threads
        function()
    for thread in _threads():
        thread.join()
