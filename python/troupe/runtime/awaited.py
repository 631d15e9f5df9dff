"""The handlers that are awaited, and what the worker is told of them as long as the event loop answers.

A handler may take as long as what it awaits. So its clients, and the watchdog, must be able to tell it from one that
hangs: now and then a timer of the loop reports each of them (PROTOCOL.md 5.8), and a loop that is blocked reports none.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..errors import HandlerTimeout

# What is reported: await_note of worker/actor/view_ops.h.
STEP_BEGINS, STEP_ENDS, GOES_ON, OVERDUE = range(4)

REPORT_EVERY = 2.0  # s; the broker and Django give up after the hard limit and some seconds
REPORTS_PER_LIMIT = 8  # at least as many within the hard limit

Note = Callable[[int], object]


class Awaited(Protocol):
    """A handler that is awaited."""

    note: Note | None

    def may_go_on(self) -> bool:
        """Whether it has all the time it needs. Otherwise it should end soon: it was cancelled, or has returned."""


class Reports:
    """Reports handlers, each for the first time when it has been there for a while. Used on one loop's thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._handlers: dict[Awaited, int] = {}  # when it was added
        self._now = 0  # in intervals

    def add(self, handler: Awaited) -> None:
        """Reports the handler until it is removed."""
        if handler.note is None:
            return
        loop = asyncio.get_running_loop()
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._set_timer(loop)
        self._handlers[handler] = self._now

    def remove(self, handler: Awaited) -> None:
        """Must be called on the loop before the handler's task ends. Idempotent."""
        self._handlers.pop(handler, None)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        hard = HandlerTimeout.hard_limit
        interval = min(REPORT_EVERY, hard / REPORTS_PER_LIMIT) if hard else REPORT_EVERY
        self._timer = loop.call_later(interval, self._report, loop)

    def _report(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._now += 1
        for handler, added in self._handlers.items():
            if handler.note is not None and self._now - added > 1:
                handler.note(GOES_ON if handler.may_go_on() else OVERDUE)
        if self._handlers:
            self._set_timer(loop)


reports = Reports()
