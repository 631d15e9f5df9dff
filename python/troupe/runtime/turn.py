"""What a turn does beside changing its view: it may send the user elsewhere, use their session, add messages.

A Turn lives in the turn's own context, from the moment its view's code is about to run until conclude(). Code that
awaits, and the threads of sync_to_async, see the same one.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.http.response import HttpResponseBase

from ..snapshots.evaluations import forget
from . import housekeeping

if TYPE_CHECKING:
    from ..views import LiveView

MOUNT, JOIN, EVENT, TICK, UPDATE = "mount", "join", "event", "tick", "update"


class Turn:
    """One turn of one view. kind: one of the words above; only MOUNT has an HTTP response, which can set cookies.
    name: of the handler, in messages. view: None where code runs outside of any turn.

    response: what the handler returned, if that has to be acted on. session, messages: those of the request, once
    they were asked for. warnings: what the developer should know, for the browser's console (with DEBUG). joined: (the
    request with which the page has joined during the turn, the facts of the turn's own until then). left: messages that
    belong into a cookie, which only the browser's next request has as it is by then.
    """

    __slots__ = ("view", "kind", "name", "response", "session", "messages", "warnings", "joined", "left")

    def __init__(self, view: Any, kind: str, name: str = "") -> None:
        self.view = view
        self.kind = kind
        self.name = name
        self.response: HttpResponseBase | None = None
        self.session: Any = None
        self.messages: Any = None
        self.warnings: list[str] = []
        self.joined: tuple[Any, Any] | None = None
        self.left: list[Any] = []


TURN: ContextVar[Turn | None] = ContextVar("troupe_turn", default=None)


def begin_turn(view: "LiveView", kind: str, name: str = "") -> None:
    """Before the first code of a view in a turn. Each view of a JOIN has a Turn of its own."""
    TURN.set(Turn(view, kind, name))
    forget(view)


def end() -> None:
    """After the last Python of a turn, in its own context."""
    turn = TURN.get()
    if turn is not None and turn.joined is not None:
        request, facts = turn.joined
        # A turn that logged the user in, or set cookies, knows better than a request that came before.
        if getattr(turn.view.request, "_troupe_facts", None) is facts:
            turn.view.request = request
    housekeeping.end()


def begin_rendering(view: "LiveView") -> None:
    """Before a view is rendered: some turns do nothing else."""
    if TURN.get() is None:
        begin_turn(view, UPDATE)


def current_view() -> Any:
    """The view of the running turn. None: there is none."""
    turn = TURN.get()
    return turn.view if turn is not None else None


def current_turn() -> Turn:
    """The running turn. A thread of the project's own has none before it is asked for."""
    turn = TURN.get()
    if turn is None:
        turn = Turn(None, UPDATE)
        TURN.set(turn)
    return turn
