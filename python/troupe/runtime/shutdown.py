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


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]


def _join_threads() -> None:
    """As threading._shutdown(), which waits for the main thread, too, where another one calls it."""
    for function in reversed(getattr(threading, "_threading_atexits", ())):  # concurrent.futures: joins its threads
        function()
    for thread in _threads():
        thread.join()
