"""Reads a browser's frames (proto/PROTOCOL.md 9.2): parses the JSON text, and checks every field.

Pure: no I/O, no settings. Whatever the protocol does not allow raises BadFrame.
"""

import decimal
import json
import math
import re
from typing import Any, NamedTuple, NoReturn

from .. import wire
from .._limits import MAX_BROWSER_FRAME, MAX_CHUNK_HASH, MAX_CHUNKS_ASKED, MAX_VIEWS

MAX_NUMERAL = 64  # characters of a number; JSON.stringify writes 25 at most
DOUBLE_DIGITS = 17  # significant digits of a double

_MANTISSA = re.compile(r"-?(\d+)(?:\.(\d+))?")


class BadFrame(Exception):
    """A browser's frame that breaks the protocol. reason: a word for the browser. str: a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class AskedView(NamedTuple):
    """One view of a join frame. version, renewal: None if the frame has none."""

    token: str
    version: int | None
    renewal: str | None


def text_bytes(text: str) -> int:
    """A text's size in UTF-8, in bytes. Exact only where that matters for MAX_BROWSER_FRAME."""
    size = len(text)
    return len(text.encode("utf-8", "replace")) if size <= MAX_BROWSER_FRAME < size * 4 else size


def parse(text: str) -> tuple[dict[str, Any], str | None]:
    """(the frame, what is wrong with a number in it or None).

    A number that Python would not hold as written (1e999, 1e-999, 2^64, more digits than a double has) is read as 0 and
    reported: the caller knows which event to refuse for it.
    """
    numbers = _Numbers()
    try:
        frame: Any = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=numbers.read_float,
            parse_int=numbers.read_int,
            object_pairs_hook=_object,
        )
    except _Repeated as error:
        raise BadFrame("malformed", "an object has the same key twice") from error
    except (ValueError, RecursionError) as error:
        raise BadFrame("malformed", "the frame is not JSON") from error
    if type(frame) is not dict:
        raise BadFrame("malformed", "the frame is not a JSON object")
    return frame, numbers.fault


class _Repeated(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Numbers:
    """Reads the numbers of one frame. fault: what is wrong with the last one that cannot be held."""

    def __init__(self) -> None:
        self.fault: str | None = None

    def read_int(self, text: str) -> int:
        """An integer of 64 bits. Checks the length first: int() takes time that grows with its square."""
        value = int(text) if len(text) <= MAX_NUMERAL else None
        if value is None or not wire.is_integer(value):
            return self._refuse("an integer has more than 64 bits")
        return value

    def read_float(self, text: str) -> float:
        """A double that has the value of the text."""
        if len(text) > MAX_NUMERAL:
            return self._refuse("a number has too many digits")
        value = float(text)
        if not math.isfinite(value):
            return self._refuse("a number is too large for a double")
        if not _is_exact(value, text):
            return self._refuse("a number has more digits than a double, or is too small for one")
        return value

    def _refuse(self, fault: str) -> int:
        self.fault = fault
        return 0


def _is_exact(value: float, text: str) -> bool:
    """Whether a double, written with as many digits as the text has, is the same number."""
    match = _MANTISSA.match(text)
    assert match is not None  # the JSON parser matched it
    whole, fraction = match.groups(default="")
    digits = len((whole + fraction).strip("0"))
    if not digits or not value:
        return not digits
    return digits <= DOUBLE_DIGITS and decimal.Decimal(f"{value:.{digits}g}") == decimal.Decimal(text)


def number(frame: dict[str, Any], key: str) -> int:
    """A non-negative integer of a frame."""
    value = frame.get(key)
    if type(value) is not int or not 0 <= value < wire.MAX_NUMBER:
        raise BadFrame("malformed", f"{key} must be an integer from 0, below 2^53")
    return value


def view(frame: dict[str, Any]) -> bytes:
    """The id of the view that a frame is for, 16 bytes."""
    value = frame.get("v")
    if type(value) is str and len(value) == 32:
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise BadFrame("malformed", "v must be a view's id, 32 hex digits")


def event(frame: dict[str, Any]) -> tuple[int, bytes, str, dict[str, Any]]:
    """(number, view, name, params) of an event. view: 16 bytes.

    Of `move(3, 'done')` the name is `move`, and the text between the parentheses is the parameter _args, for the worker
    to read.
    """
    sequence, name, params = number(frame, "n"), frame.get("e"), frame.get("p", {})
    if sequence < 1 or type(name) is not str or type(params) is not dict:
        raise BadFrame("malformed", "an event has n from 1, e a string and p an object")
    if "_args" in params:  # an attribute of that name
        params = {key: value for key, value in params.items() if key != "_args"}
    if not name.isidentifier():
        name = name.strip()
        handler, parenthesis, arguments = name.partition("(")
        if parenthesis and name.endswith(")"):
            name, params = handler.rstrip(), {**params, "_args": arguments[:-1]}
    return sequence, view(frame), name, params


def refresh(frame: dict[str, Any]) -> dict[str, Any]:
    """What a refresh asks for, as REFRESH's body has it: chunks, or whole roots from now on."""
    chunks, whole = frame.get("c"), frame.get("w")
    asked: dict[str, Any] = {}
    if chunks is not None:
        if type(chunks) is not list or len(chunks) > MAX_CHUNKS_ASKED or not all(map(_is_hash, chunks)):
            text = f"c must be a list of at most {MAX_CHUNKS_ASKED} strings of 1 to {MAX_CHUNK_HASH} characters"
            raise BadFrame("malformed", text)
        asked["chunks"] = chunks
    if whole is not None:
        if type(whole) is not bool:
            raise BadFrame("malformed", "w must be true or false")
        asked["whole"] = whole
    return asked


def _is_hash(text: Any) -> bool:
    return type(text) is str and text.isascii() and 1 <= len(text) <= MAX_CHUNK_HASH


def asked_views(frame: dict[str, Any]) -> tuple[AskedView, ...]:
    """The views that a join asks for."""
    views = frame.get("views")
    if type(views) is not list or not 1 <= len(views) <= MAX_VIEWS:
        raise BadFrame("malformed", f"a join has 1 to {MAX_VIEWS} views")
    return tuple(map(_asked_view, views))


def _asked_view(entry: Any) -> AskedView:
    if type(entry) is not dict or type(entry.get("token")) is not str:
        raise BadFrame("malformed", "each view of a join must have a token")
    renewal = entry.get("g")
    if renewal is not None and type(renewal) is not str:
        raise BadFrame("malformed", "a view's renewal must be a string")
    return AskedView(entry["token"], number(entry, "s") if entry.get("s") is not None else None, renewal)
