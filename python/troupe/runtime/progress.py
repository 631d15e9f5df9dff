"""What an `async def` handler may do besides returning: show what it has done so far, and compute for too long.

request_update() inside a handler pauses it when it next awaits something: the worker shows the view as it is then, and
the handler goes on. So nothing changes while that is rendered and stored, and what the page is shown is in order. The
worker pauses it as well when its page joins again, or asks for the view: neither has to wait for the handler.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import Any

from .. import views
from .._limits import PUSH_PACE_MS
from ..errors import HandlerTimeout
from .awaited import STEP_BEGINS, STEP_ENDS, Note
from .turn import TURN

# The view whose handler is awaited, in the turn's context.
VIEW: ContextVar[Any] = ContextVar("troupe_view")

Pause = Callable[[Callable[[int], None]], None]


class PauseSwitch:
    """How the worker asks for a pause of a handler that it has handed over, which may not have begun."""

    def __init__(self) -> None:
        self._steps: Steps | None = None
        self._asked = False

    def ask(self) -> None:
        """It is to be paused between two steps, unless it ends before. Any thread."""
        self._asked = True  # before the look: connect() writes first and looks then
        if self._steps is not None:
            self._steps.ask_at_once()

    def connect(self, steps: "Steps") -> None:
        """The handler begins."""
        self._steps = steps
        if self._asked:
            steps.ask_at_once()


class Steps:
    """A handler's awaitable, step by step: `await` it on the loop, in a task.

    pause: has the worker show the view, and then call what it is given: go_on(again_ms), from any thread. None: nothing
    can be shown.
    limit: the timeout around it, which ends when the steps have computed for the soft limit.
    note: tells the worker when a step begins and ends; see awaited.py.
    switch: by which the worker asks for pauses.
    """

    def __init__(
        self,
        awaitable: Awaitable[Any],
        pause: Pause | None,
        limit: asyncio.Timeout,
        note: Note | None = None,
        switch: PauseSwitch | None = None,
    ) -> None:
        self.note = note
        self._switch = switch
        self._view: Any = None
        self._request: Any = None  # the view's, while it is paused
        self._awaitable = awaitable
        self._pause = pause
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._computed = 0.0  # s
        self._paused = False
        self._wanted = False  # a pause, once the last one is over
        self._timer: asyncio.TimerHandle | None = None  # of the next pause
        self._shown_at = 0.0  # on the loop's clock
        self._waiter: asyncio.Future[None] | None = None  # a step that waits for the end of the pause
        self._finished = False
        self.computed_too_long = False

    def __await__(self) -> Generator[Any, Any, Any]:
        view = VIEW.get(None)
        self._view, self._turn = view, TURN.get()
        if view is not None and self._pause is not None:
            views._awaited[id(view)] = self.ask
        if self._switch is not None:
            self._switch.connect(self)
        try:
            result = yield from self._run()
            return result
        finally:
            self._finished = True
            views._awaited.pop(id(view), None)

    def may_go_on(self) -> bool:
        """See Awaited."""
        return not self._finished and not self._limit.expired()

    def _run(self) -> Generator[Any, Any, Any]:
        steps, note = self._awaitable.__await__(), self.note
        value, error = None, None
        while True:
            error = yield from self._wait_for_pause(error)
            begun = time.monotonic()
            if note is not None:
                note(STEP_BEGINS)
            try:
                if error is None:
                    waited_for = next(steps) if value is None else steps.send(value)
                else:
                    waited_for = steps.throw(error)
            except StopIteration as stop:
                return stop.value
            finally:
                if note is not None:
                    note(STEP_ENDS)
                self._computed += time.monotonic() - begun
            self._check_limit()
            value, error = None, None
            try:
                value = yield waited_for
            except BaseException as raised:
                error = raised

    def _check_limit(self) -> None:
        soft = HandlerTimeout.limit
        if soft and self._computed > soft and not self.computed_too_long and not self._limit.expired():
            self.computed_too_long = True
            self._limit.reschedule(self._loop.time())

    def _wait_for_pause(self, error: BaseException | None) -> Generator[Any, Any, BaseException | None]:
        """A cancellation must wait, too."""
        while self._paused:
            self._waiter = self._loop.create_future()
            try:
                yield from self._waiter
            except BaseException as raised:
                error = raised
            self._waiter = None
        return error

    def ask(self) -> None:
        """The view is to be shown. Any thread."""
        self._loop.call_soon_threadsafe(self._want)

    def _want(self) -> None:
        if self._finished or self._timer is not None:
            return
        if self._paused:
            self._wanted = True
            return
        left = self._shown_at + PUSH_PACE_MS / 1000 - self._loop.time()
        self._timer = self._loop.call_later(max(0.0, left), self._show)

    def ask_at_once(self) -> None:
        """The worker has something else to do with the view than to show it. Any thread."""
        self._loop.call_soon_threadsafe(self._pause_at_once)

    def _pause_at_once(self) -> None:
        if self._finished or self._paused:  # what it is paused for is done together
            return
        if self._waiter is not None:  # the step that it was paused before comes first
            self._loop.call_soon(self._pause_at_once)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._show()

    def _show(self) -> None:
        """Between two steps, as this is a callback of the loop."""
        self._timer = None
        if not self._finished and self._pause is not None:
            self._paused = True
            self._request = getattr(self._view, "request", None)
            self._pause(self.go_on)

    def go_on(self, again_ms: int) -> None:
        """The view was shown. again_ms: it was not, as its page has to catch up; when to try again. Any thread."""
        self._loop.call_soon_threadsafe(self._go_on, again_ms)

    def _go_on(self, again_ms: int) -> None:
        self._paused = False
        self._shown_at = self._loop.time()
        self._keep_request()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if again_ms:
            self._timer = self._loop.call_later(again_ms / 1000, self._show)
        elif self._wanted:
            self._want()
        self._wanted = False

    def _keep_request(self) -> None:
        """A page that has joined meanwhile has given the view another request. The handler ends with its own: what it
        does to the session belongs to that.
        """
        joined = getattr(self._view, "request", None)
        if joined is not self._request and self._turn is not None:
            self._turn.joined = joined, getattr(self._request, "_troupe_facts", None)
            self._view.request = self._request
        self._request = None
