"""A browser's frames (proto/PROTOCOL.md 9.2): JSON text is parsed, and fields are read, with a check of each.

Pure: no I/O, no settings. What is not of the protocol raises BadFrame.
"""

import decimal
import json
import math
import re
from typing import NamedTuple

from .. import wire
from .._limits import MAX_BROWSER_FRAME, MAX_CHUNK_HASH, MAX_CHUNKS_ASKED, MAX_VIEWS

MAX_NUMERAL = 64  # characters of a number; JSON.stringify writes 25 at most
DOUBLE_DIGITS = 17  # significant ones that a double can tell apart

_MANTISSA = re.compile(r"-?(\d+)(?:\.(\d+))?")


class BadFrame(Exception):
    """A browser's frame that is not of the protocol. `reason` is a word, `str` a sentence."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


class AskedView(NamedTuple):
    """One view of a join. version, renewal: None where the frame has none."""

    token: str
    version: int | None
    renewal: str | None


def text_bytes(text):
    """How many bytes a text has on the wire. Encodes it only where that may make a difference to MAX_BROWSER_FRAME."""
    size = len(text)
    return len(text.encode("utf-8", "replace")) if size <= MAX_BROWSER_FRAME < size * 4 else size


def parse(text):
    """(the frame as a dict, what is wrong with a number in it or None).

    A number that Python would not hold as it was written (1e999, 1e-999, 2^64, more digits than a double has) is read
    as 0 and reported: whoever knows what the frame is for can say which event is refused for it.
    """
    numbers = _Numbers()
    try:
        frame = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=numbers.read_float,
            parse_int=numbers.read_int,
            object_pairs_hook=_object,
        )
    except _Repeated as error:
        raise BadFrame("malformed", "a key is there twice in one object") from error
    except (ValueError, RecursionError) as error:
        raise BadFrame("malformed", "the frame is not JSON") from error
    if type(frame) is not dict:
        raise BadFrame("malformed", "the frame is not a JSON object")
    return frame, numbers.fault


class _Repeated(ValueError):
    pass


def _object(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated
    return members


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


class _Numbers:
    """Reads the numbers of one frame; `fault` says what is wrong with the last that could not be held."""

    def __init__(self):
        self.fault = None

    def read_int(self, text):
        """An integer of 64 bits. Its length is looked at first, as int() takes a time that grows with its square."""
        value = int(text) if len(text) <= MAX_NUMERAL else None
        if value is None or not wire.is_integer(value):
            return self._refuse("an integer has more than 64 bits")
        return value

    def read_float(self, text):
        """A double that says what the text says."""
        if len(text) > MAX_NUMERAL:
            return self._refuse("a number has too many digits")
        value = float(text)
        if not math.isfinite(value):
            return self._refuse("a number is too large for a double")
        if not _says(value, text):
            return self._refuse("a number has more digits than a double, or is too small for one")
        return value

    def _refuse(self, fault):
        self.fault = fault
        return 0


def _says(value, text):
    """Whether a double, written with as many digits as the text has, is the same number."""
    whole, fraction = _MANTISSA.match(text).groups(default="")
    digits = len((whole + fraction).strip("0"))
    if not digits or not value:
        return not digits
    return digits <= DOUBLE_DIGITS and decimal.Decimal(f"{value:.{digits}g}") == decimal.Decimal(text)


def number(frame, key):
    """A whole number of a frame."""
    value = frame.get(key)
    if type(value) is not int or not 0 <= value < wire.MAX_NUMBER:
        raise BadFrame("malformed", f"{key} is a whole number from 0, below 2^53")
    return value


def view(frame):
    """The id of a frame's view, 16 bytes."""
    value = frame.get("v")
    if type(value) is str and len(value) == 32:
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise BadFrame("malformed", "v is a view's id, 32 hex digits")


def event(frame):
    """(number, view, name, params) of an event."""
    found, name, params = number(frame, "n"), frame.get("e"), frame.get("p", {})
    if found < 1 or type(name) is not str or type(params) is not dict:
        raise BadFrame("malformed", "an event has n from 1, e a text and p an object")
    return found, view(frame), name, params


def wish(frame):
    """What a refresh asks for, as REFRESH says it: chunks, or whole roots for good."""
    chunks, whole = frame.get("c"), frame.get("w")
    asked = {}
    if chunks is not None:
        if type(chunks) is not list or len(chunks) > MAX_CHUNKS_ASKED or not all(map(_is_hash, chunks)):
            text = f"c is a list of at most {MAX_CHUNKS_ASKED} texts of 1 to {MAX_CHUNK_HASH} characters"
            raise BadFrame("malformed", text)
        asked["chunks"] = chunks
    if whole is not None:
        if type(whole) is not bool:
            raise BadFrame("malformed", "w is true or false")
        asked["whole"] = whole
    return asked


def _is_hash(text):
    return type(text) is str and text.isascii() and 1 <= len(text) <= MAX_CHUNK_HASH


def asked_views(frame):
    """A tuple of the AskedViews of a join."""
    views = frame.get("views")
    if type(views) is not list or not 1 <= len(views) <= MAX_VIEWS:
        raise BadFrame("malformed", f"a join has 1 to {MAX_VIEWS} views")
    return tuple(map(_asked_view, views))


def _asked_view(entry):
    if type(entry) is not dict or type(entry.get("token")) is not str:
        raise BadFrame("malformed", "each view of a join has its token")
    renewal = entry.get("g")
    if renewal is not None and type(renewal) is not str:
        raise BadFrame("malformed", "a view's renewal is text")
    return AskedView(entry["token"], number(entry, "s") if entry.get("s") is not None else None, renewal)
