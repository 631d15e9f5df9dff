"""Signs of units: what tells a browser that an element in the page is the one that a chunk means (PROTOCOL.md 9.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .html_tokenizer import Token

KEYS = ("dj-key", "data-key", "id", "name")
COMMENT = "!"


def sign(text: str) -> str:
    """One character of 64 for a text of ASCII characters."""
    value = 5381
    for letter in text:
        value = (value * 33 + ord(letter)) & 0xFFFFFFFF
    value ^= value >> 15
    value ^= value >> 7
    return chr(48 + (value & 63))


def of_element(name: str, token: Token) -> str:
    """What is signed of an element: its name, and its first key that is static; * where it may have others."""
    present = [token.attribute(key) for key in KEYS]
    for key, attribute in zip(KEYS, present, strict=True):
        if attribute is not None and not attribute.dynamic and _is_plain(attribute.value):
            return f"{name}|{key}={attribute.value}"
    return f"{name}|*" if any(present) or token.loose else f"{name}|"


def _is_plain(value: str | None) -> bool:
    return value is not None and value.isascii() and value.isprintable() and "&" not in value


def of_range(kind: str) -> str:
    """What is signed of the range of a branch, list or region."""
    return f"${kind}"


def of_chunk(slots: Iterable[list[Any]], units: dict[tuple[int, ...], list[str]]) -> str:
    """The signs of the units of each parent on the slots' paths, in the order of the slots; commas between parents."""
    parents = dict.fromkeys(path for slot in slots for path in _parents(slot))
    return ",".join("".join(map(sign, units.get(path, ()))) for path in parents).rstrip(",")


def _parents(slot: list[Any]) -> Iterator[tuple[int, ...]]:
    if len(slot) < 2:
        return
    kind, path = slot[:2]
    for length in range(len(path) + (kind in "tblh")):
        yield tuple(path[:length])
