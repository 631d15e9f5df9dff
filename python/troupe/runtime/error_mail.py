"""Mail to ADMINS from a worker: once per kind of error and interval, and never on a thread that runs turns.

A worker has thousands of pages, and a view that fails may do so in each of them, or at each tick. And
AdminEmailHandler sends while the failed code's thread waits: here that would be other sessions' thread, too.
Only in workers: over inproc:// Django's own handler does what it always does.
"""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.utils.log import AdminEmailHandler

from .. import conf
from ..logs import quoted

logger = logging.getLogger("troupe")

MAX_KINDS = 1000  # that are remembered; the oldest goes first
MAX_WAITING = 100  # mails
SECONDS_AT_EXIT = 5.0


class _Sent(NamedTuple):
    at: float
    since: int  # how many were left out


class OncePerKind:
    """Which records are mailed. Any thread. clock: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[Hashable, _Sent] = {}

    def admit(self, kind: Hashable, interval: float) -> int | None:
        """How many of this kind were left out since the last mail, if it is time for one. None: leave this one out,
        too.
        """
        now = self._clock()
        with self._lock:
            last = self._sent.get(kind)
            if last is not None and now - last.at < interval:
                self._sent[kind] = _Sent(last.at, last.since + 1)
                return None
            self._sent.pop(kind, None)
            if len(self._sent) >= MAX_KINDS:
                del self._sent[next(iter(self._sent))]
            self._sent[kind] = _Sent(now, 0)
            return last.since if last is not None else 0


class MailThread:
    """Sends mails one after the other, on a thread that starts with the first."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._waiting: queue.Queue[Callable[[], object]] = queue.Queue(limit)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, send: Callable[[], object]) -> None:
        """Sends soon. A mail beyond the limit (the mail server hangs) is dropped; the log names it."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="troupe-error-mail", daemon=True)
                self._thread.start()
                atexit.register(self.wait, SECONDS_AT_EXIT)
        try:
            self._waiting.put_nowait(send)
        except queue.Full:
            hint = "the mail server does not answer; see EMAIL_TIMEOUT"
            logger.warning("event=error_mail_dropped waiting=%d hint=%s", self._waiting.maxsize, quoted(hint))

    def wait(self, seconds: float) -> bool:
        """Waits until everything is sent, for at most so long. False: it is not."""
        done = self._waiting.all_tasks_done
        with done:
            return done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

    def _run(self) -> None:
        while True:
            send = self._waiting.get()
            try:
                send()
            except BaseException as error:  # as Django's fail_silently, but not without a word
                logger.warning("event=error_mail_failed error=%s", quoted(repr(error)))
            finally:
                self._waiting.task_done()


_left_out: ContextVar[int] = ContextVar("troupe_mails_left_out", default=0)


def install(once: OncePerKind, mails: MailThread) -> None:
    """Makes all AdminEmailHandlers of this process, and of subclasses, work as the module says. Once per process."""
    emit, send_mail = AdminEmailHandler.emit, AdminEmailHandler.send_mail

    def emit_once(self: AdminEmailHandler, record: logging.LogRecord) -> None:
        kind = getattr(record, "troupe_kind", None)  # of reports.py; other records are left alone
        left_out = once.admit((id(self), kind), conf.get("ERROR_MAIL_SECONDS")) if kind is not None else 0
        if left_out is None:
            return
        token = _left_out.set(left_out)
        try:
            emit(self, record)
        finally:
            _left_out.reset(token)

    def send_later(self: AdminEmailHandler, subject: str, message: str, *args: Any, **kwargs: Any) -> None:
        note = _note(_left_out.get())
        if note and kwargs.get("html_message"):
            kwargs["html_message"] = f"<p>{note}</p>\n{kwargs['html_message']}"
        text = f"{note}\n\n{message}" if note else message
        mails.submit(lambda: send_mail(self, subject, text, *args, **kwargs))

    AdminEmailHandler.emit = emit_once
    AdminEmailHandler.send_mail = send_later


def _note(left_out: int) -> str:
    """The sentence about mails that were not sent. Empty: there were none."""
    if not left_out:
        return ""
    times = "once" if left_out == 1 else f"{left_out} times"
    return f"The same happened {times} in this worker since the last mail about it, for which none was sent."
