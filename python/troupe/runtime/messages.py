"""django.contrib.messages in a live page.

A message that mount() or a handler adds is shown by the page's next rendering, and by all further ones (a tick, say)
until the next event: the user has seen it by then. What that rendering does not show (the loop may stand outside of the
root, or in another page) Django stores for the next page, as it does for a request without a page. A handler that sends
the user elsewhere leaves its messages to that page in the same way.

What ordinary views stored is read once, by the page's HTTP request, as on any page. That request has a storage of its
own in the web process, which is told what mount() and the template did to the messages, and stores them.
"""

from typing import Any

from django.contrib.messages.storage import default_storage
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage

from ..views import LiveView
from .request_attributes import has_middleware
from .turn import MOUNT, Turn, current_turn

KEPT = "_troupe_messages"  # the attribute of a view: [shown, waiting], each a list of [level, text, extra tags]
MIDDLEWARE = "django.contrib.messages.middleware.MessageMiddleware"
MAX_SHOWN = 50  # of ticks without an event in between; the newest

_Kept = list[list[Any]]


def begin_event(view: LiveView) -> None:
    """What the page showed until now has been seen."""
    kept = vars(view).get(KEPT)
    if kept is not None and kept[0]:
        view.__dict__[KEPT] = [[], kept[1]]


def messages_of(request: Any) -> Any:
    """request._messages. AttributeError: MessageMiddleware is not in MIDDLEWARE."""
    turn = current_turn()
    if turn.messages is None:
        if not has_middleware(MIDDLEWARE):
            raise AttributeError("_messages")
        storage: Any = default_storage(request)
        if turn.kind == MOUNT:
            given = request._troupe_facts.get("messages") or {}
            storage._queued_messages = [_message(entry) for entry in given.get("queued") or ()]
            if "loaded" in given:
                storage._loaded_data = [_message(entry) for entry in given["loaded"]]
        else:
            storage._loaded_data = [_message(entry) for entries in _kept(turn.view) for entry in entries]
        turn.messages = storage
    return turn.messages


def told_at_mount(turn: Turn, request: Any) -> dict[str, Any] | None:
    """What the page's own storage has to know: whether the messages were shown, and those that are new and were not.
    None: nothing.
    """
    storage = turn.messages
    given = len((request._troupe_facts.get("messages") or {}).get("queued") or ())
    new = storage._queued_messages if storage.used else storage._queued_messages[given:]
    return {"used": storage.used, "new": [_entry(message) for message in new]} if storage.used or new else None


def finish_messages(turn: Turn, request: Any = None, response: Any = None) -> None:
    """At the end of a turn that stays on the page: keeps what was shown, and stores what was not.

    Without a response that waits for one: a test's, or a program's view. At mount the page's own request has it.
    """
    storage, view = turn.messages, turn.view
    if view is None or not (storage.used or storage._queued_messages):
        return
    shown, waiting = _kept(view)
    if storage.used:
        shown, waiting = [_entry(message) for message in storage._loaded_data], []
    if response is not None:
        _store(turn, [_message(entry) for entry in waiting] + storage._queued_messages, request, response)
        waiting = []
    elif turn.kind != MOUNT:
        waiting = waiting + [_entry(message) for message in storage._queued_messages]
    if shown or waiting or KEPT in vars(view):
        view.__dict__[KEPT] = [shown[-MAX_SHOWN:], waiting[-MAX_SHOWN:]]


def pass_on_messages(turn: Turn, request: Any, response: Any) -> None:
    """At the end of a turn that sends the user elsewhere: stores what nobody has seen, as Django does."""
    _, waiting = _kept(turn.view)
    unseen = [] if turn.messages is not None and turn.messages.used else [_message(entry) for entry in waiting]
    if turn.messages is not None:
        unseen += turn.messages._queued_messages
    if KEPT in vars(turn.view):
        turn.view.__dict__[KEPT] = [[], []]
    _store(turn, unseen, request, response)


def _store(turn: Turn, unseen: list[Message], request: Any, response: Any) -> None:
    """Has Django store messages for the next page, behind those that it has. What is in a cookie is so when the page
    fetches it: another tab may have shown what the cookie of the socket's handshake has.
    """
    if not unseen or not has_middleware(MIDDLEWARE):
        return
    storage: Any = default_storage(request)
    if isinstance(storage, (CookieStorage, FallbackStorage)):
        turn.left = unseen
        return
    storage._queued_messages, storage.added_new = unseen, True
    storage.update(response)


def _kept(view: Any) -> _Kept:
    return (vars(view).get(KEPT) if view is not None else None) or [[], []]


def _message(entry: list[Any]) -> Message:
    level, text, tags = entry
    return Message(level, text, extra_tags=tags)


def _entry(message: Message) -> list[Any]:
    message._prepare()
    return [message.level, message.message, message.extra_tags]
