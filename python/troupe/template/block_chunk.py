"""Chunks: what a browser needs to build an instance of a block, as JSON, and the hash that names it."""

import base64
import hashlib
import json
from typing import Any

from . import block_signs


def make_chunk(
    skeleton: str | None,
    slots: list[list[Any]],
    element_range: list[int] | None,
    units: dict[tuple[int, ...], list[str]],
) -> str:
    """A chunk's JSON. skeleton: the markup with empty slots; None: the root's. element_range: of a row that is one
    element. units: what is signed of each unit, by the path of its parent (block_signs.py).
    """
    chunk: dict[str, Any] = {} if skeleton is None else {"h": skeleton}
    chunk["s"] = slots
    if element_range is not None:
        chunk["one"] = element_range
    chunk["u"] = block_signs.of_chunk(slots, units)
    text = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate in a template
        text = json.dumps(chunk, separators=(",", ":"))
    return text


def chunk_hash(text: str) -> str:
    """Eight characters that name a chunk."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:6]).decode()
