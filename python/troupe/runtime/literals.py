"""Reads the literals of `dj-click="move(3, 'done', true)"`. They are parsed, never evaluated: no names, no operators.

Pure. The text comes from a browser: its length is limited by the frame, its depth here.
"""

import decimal
import math
import re
from typing import Any

MAX_DEPTH = 16

_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>[\[\]{},:])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]{1,6}\}|\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


class LiteralError(ValueError):
    """The text is no list of literals. str: why, for the developer."""


def parse(text: str) -> list[Any]:
    """The values between the parentheses: numbers, quoted text, true, false, null, and lists and objects of them.

    Python's True, False and None are read, too: that is how a template prints them.
    """
    return _Reader(text).values(None, MAX_DEPTH)


def parse_number(text: str) -> int | float:
    """The number that a numeral stands for. LiteralError: neither an int nor a float is exactly that."""
    try:
        if text.lstrip("+-").isdigit():
            return int(text)
        value = float(text)
        if math.isfinite(value) and decimal.Decimal(repr(value)) == decimal.Decimal(text):
            return value
    except ValueError:  # more digits than int() takes
        pass
    raise LiteralError(f"{text[:40]} has more digits than a number holds: write it as text, in quotes")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def values(self, end: str | None, depth: int) -> list[Any]:
        """Values with commas between them, up to `end`; None: up to the end of the text."""
        values: list[Any] = []
        token = self._next(end)
        while token is not None:
            values.append(self._value(token, depth))
            token = self._next(end, ",")
            if token is not None:
                token = self._next("")  # something must follow a comma
        return values

    def _next(self, end: str | None, wanted: str | None = None) -> "re.Match[str] | None":
        """The next token. None: it is `end`. wanted: the only other mark that may stand here."""
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            rest = self._text[self._at :].strip()
            if rest or end is not None:
                raise LiteralError(f"{rest[:40]!r} is no literal" if rest else "it ends too early")
            return None
        self._at = match.end()
        if end and match["mark"] == end:
            return None
        if wanted is not None and match["mark"] != wanted:
            raise LiteralError(f"{match[0].strip()[:40]!r} stands where {wanted!r} should")
        return match

    def _value(self, token: "re.Match[str]", depth: int) -> Any:
        if token["number"] is not None:
            return parse_number(token["number"])
        if token["text"] is not None:
            return _whole_characters(_ESCAPE.sub(_unescape, token["text"][1:-1]))
        if token["word"] is not None:
            if token["word"] not in _WORDS:
                raise LiteralError(f"{token['word'][:40]} is a name, and only literals may be passed: text has quotes")
            return _WORDS[token["word"]]
        if token["mark"] not in ("[", "{"):
            raise LiteralError(f"{token['mark']!r} stands where a value should")
        if depth == 0:
            raise LiteralError(f"it nests more than {MAX_DEPTH} deep")
        if token["mark"] == "[":
            return self.values("]", depth - 1)
        return self._members(depth - 1)

    def _members(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        token = self._next("}")
        while token is not None:
            if token["text"] is None:
                raise LiteralError("the keys of an object are quoted text")
            key = self._value(token, 0)
            self._next(None, ":")
            value = self._next("")
            assert value is not None  # only an `end` gives None
            members[key] = self._value(value, depth)
            token = self._next("}", ",")
            if token is not None:
                token = self._next("")
        return members


def _unescape(match: "re.Match[str]") -> str:
    escape = match[1]
    if escape[0] in "ux" and len(escape) > 1:
        code = int(escape[1:].strip("{}"), 16)
        if code > 0x10FFFF:
            raise LiteralError(f"\\{escape} is no character")
        return chr(code)
    return _ESCAPED.get(escape, escape)


def _whole_characters(text: str) -> str:
    """JavaScript escapes a character beyond U+FFFF as a pair of surrogates. Half a pair becomes U+FFFD: it is no text
    that a database or a page could hold.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
