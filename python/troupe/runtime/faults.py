"""Faults: how an exception that left user code is reported to the C runtime (proto/PROTOCOL.md 7).

Any thread, with the GIL.
"""

import linecache
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from django.core.exceptions import BadRequest, ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.template import TemplateDoesNotExist

from .. import context, validation
from ..errors import HandlerTimeout, RateLimited
from ..snapshots.errors import RowGone
from ..template import slow_path
from . import debugger
from .housekeeping import note_interruption
from .turn import MOUNT, TURN

# The kinds of a fault.
PYTHON = "python"
TEMPLATE = "template"
HANDLER_NOT_FOUND = "handler_not_found"
VIEW_REFUSED = "view_refused"
FOREIGN_PROJECT = "foreign_project"
FORBIDDEN = "forbidden"
NOT_FOUND = "not_found"
BAD_REQUEST = "bad_request"
PARAMS = "params"
RATE_LIMITED = "rate_limited"

# What the whole page depends on, as `where` of describe() names it. authorize() stands for all of a join.
_OF_THE_PAGE = (".mount()", ".authorize()", ".restore()", ".get_context_data()", ".handle_tick()")

EFFECTS = "_troupe_effects"  # an attribute of an exception: what the turn does all the same
WHERE = "_troupe_where"  # the same: what was being done, more exactly than whoever calls describe() knows

MAX_MESSAGE = 4000  # characters
MAX_SOURCE_LINE = 200  # characters
MAX_FRAMES = 40

_HERE = Path(__file__).parent
_INTERNAL = (
    "atomic",
    "conclusion",
    "executors",
    "gate",
    "handlers",
    "housekeeping",
    "lifecycle",
    "parameters",
    "permissions",
    "progress",
    "rendering",
    "results",
    "template_cache",
    "turn_threads",
    "view_class",
)
# Frames of these files are ours; a traceback shows the project's code only.
_INTERNAL_FILES = {
    context.__file__,
    slow_path.__file__,
    validation.__file__,
    str(_HERE.parent / "decorators.py"),
    *(str(_HERE / f"{name}.py") for name in _INTERNAL),
}

Frame = tuple[str, int, str, str]  # file, line, function, source line


class Refused(Exception):
    """A fault with a message of its own. kind: one of the kinds above. redirect: where the browser goes instead of
    showing the message. effects: what else the turn does all the same (turn.py).
    """

    def __init__(
        self, kind: str, message: str, redirect: str | None = None, effects: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.effects = dict(effects or {})
        if redirect is not None:
            self.effects["redirect"] = redirect


def refuse_params(error: BaseException) -> NoReturn:
    """Raises Refused(params) for parameters without a Python value: a key that is not text, or an extension type that
    does not parse.
    """
    raise Refused(PARAMS, f"the parameters cannot be read: {error}") from None


def kind_of(error: BaseException) -> str | None:
    """The kind of an exception that Django answers with a status below 500. None: it is any other one."""
    if isinstance(error, Http404):
        return NOT_FOUND
    if isinstance(error, PermissionDenied):
        return FORBIDDEN
    if isinstance(error, RateLimited):
        return RATE_LIMITED
    return BAD_REQUEST if isinstance(error, (SuspiciousOperation, BadRequest)) else None


def describe(error: BaseException, where: str) -> tuple[str, str, str, list[Frame], dict[str, Any] | None]:
    """(kind, message, type, frames, effects) of an exception, the innermost frame last.

    where: what was being done, such as "path.event()" or "template path".
    """
    if isinstance(error, HandlerTimeout):
        note_interruption()
    where = vars(error).get(WHERE, where)
    if isinstance(error, Refused):
        return error.kind, _encodable(str(error)), "", [], error.effects or None
    if isinstance(error, RowGone):
        return NOT_FOUND, f"{where}: {_message(error)}", "", [], None
    effects = {"gone": True} if _ends_page(error, where) else vars(error).get(EFFECTS)
    refused = kind_of(error)
    if refused is not None:
        return refused, f"{type(error).__name__} in {where}: {_message(error)}", "", [], effects
    kind = TEMPLATE if where.startswith("template ") else PYTHON
    reason = "template does not exist: " if isinstance(error, TemplateDoesNotExist) else ""
    message = f"Error in {where}: {reason}{_message(error)}"
    frames = _frames(error)
    if not frames and error.__cause__ is not None:  # Python converts a StopIteration that leaves a coroutine
        frames = _frames(error.__cause__)
    return kind, message, _encodable(type(error).__qualname__), frames, effects


def _ends_page(error: BaseException, where: str) -> bool:
    """Whether what the page shows does not exist any more: it is to be loaded again, so that Django says so. What a
    handler does not find need not be what the page shows.
    """
    turn = TURN.get()
    return (
        isinstance(error, (Http404, ObjectDoesNotExist))
        and (turn is None or turn.kind != MOUNT)
        and (where.startswith("template ") or where.endswith(_OF_THE_PAGE))
    )


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:MAX_MESSAGE]


def _message(error: BaseException) -> str:
    try:
        return _encodable(debugger.hint(error) or str(error)) or type(error).__name__
    except BaseException:  # a __str__ that raises must not hide the exception
        return f"<{type(error).__name__} that cannot be shown>"


def user_traceback(error: BaseException) -> TracebackType | None:
    """The traceback of an exception without frames of ours, whose local variables have parameters of the event that a
    handler declares to be sensitive. With them, if there are no others.
    """
    entries: list[TracebackType] = []
    entry = error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    kept = [each for each in entries if each.tb_frame.f_code.co_filename not in _INTERNAL_FILES]
    if not kept or len(kept) == len(entries):
        return error.__traceback__
    traceback = None
    for each in reversed(kept):
        traceback = TracebackType(traceback, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return traceback


def _frames(error: BaseException) -> list[Frame]:
    """The frames of user code, at most MAX_FRAMES: the middle of a deep recursion is left out."""
    frames: list[Frame] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename in _INTERNAL_FILES:
            continue
        source = linecache.getline(code.co_filename, line, frame.f_globals).strip()
        function = _encodable(code.co_name)
        frames.append((_encodable(code.co_filename), line, function, _encodable(source)[:MAX_SOURCE_LINE]))
        if len(frames) > 2 * MAX_FRAMES:
            del frames[MAX_FRAMES // 2]
    if len(frames) <= MAX_FRAMES:
        return frames
    return frames[: MAX_FRAMES // 2] + frames[-MAX_FRAMES // 2 :]
