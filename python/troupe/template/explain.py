"""Describes a plan, as EXPLAIN does for a query: the slots and what each depends on, the regions and why."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from . import dependencies
from .ir import Item, Ops

_CLASSES = {"t": "text", "a": "attribute", "g": "tag", "r": "raw text", "h": "region", "T": "page title"}
_LONGEST = 70


def explain(page: dict[str, Any]) -> str:
    """An outline of a page (plan.compile_page), a line for each slot."""
    lines = ["root: " + ("a <div dj-root> around all of it" if page["wrapped"] else "found in the template")]
    for template in page["templates"]:
        lines.append(f"with: {template.name}")
    for expr, value in page["variant"]:
        what = expr[2] if expr[0] == "cond" else expr[1].token
        lines.append(f"holds while {what} is {getattr(value, 'name', value)}")
    _Outline(page["roots"], lines).block(page["block"], 0)
    return "\n".join(lines)


def count_slots(page: dict[str, Any]) -> tuple[dict[str, int], list[Any]]:
    """How many slots of each class a page has, {class: number}, and its regions: [(reason, template, line)]."""
    classes: dict[str, int] = {}
    regions: list[Any] = []

    def visit(block: dict[str, Any]) -> None:
        for letter in block["classes"]:
            classes[letter] = classes.get(letter, 0) + 1
        regions.extend(block["notes"].values())
        for inner in inner_blocks(block):
            visit(inner)

    visit(page["block"])
    return classes, regions


def inner_blocks(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The blocks of its branches and lists, each as often as it stands there."""
    return _inner(block["items"])


def _inner(items: Iterable[Item]) -> Iterator[dict[str, Any]]:
    for item in items:
        if item[0] == "scope":
            yield from _inner(item[3])
        elif item[0] == "branch":
            yield from (block for _, block in item[4] if block)
        elif item[0] == "list":
            yield from (block for block in item[12:14] if block)


class _Outline:
    def __init__(self, roots: tuple[str, ...], lines: list[str]) -> None:
        self.roots = roots
        self.lines = lines

    def add(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def block(self, block: dict[str, Any], depth: int) -> None:
        places = json.loads(block["chunk"])["s"]
        self.items(block["items"], block, places, depth)

    def items(self, items: Iterable[Item], block: dict[str, Any], places: list[list[Any]], depth: int) -> None:
        for item in items:
            if item[0] == "scope":
                self.items(item[3], block, places, depth)
            elif item[0] == "leaf":
                self.leaf(item, block, places, depth)
            elif item[0] == "branch":
                self.branch(item, depth)
            elif item[0] == "list":
                self.list(item, depth)
            elif item[0] == "dead":
                self.add(depth, f"not live: {source(item[2])}")

    def leaf(self, item: Item, block: dict[str, Any], places: list[list[Any]], depth: int) -> None:
        _, slot, letter, _, mask, ops = item
        place = places[slot - 1]
        where = f" in <{place[2]}>" if len(place) > 2 and place[2] else ""
        name = f" {place[3]}" if letter == "a" else ""
        self.add(depth, f"{slot} {_CLASSES[letter]}{name}{where}: {source(ops)}  ({self.reads(mask)})")
        if slot in block["notes"]:
            reason, template, line = block["notes"][slot]
            where = f", line {line} of {template or 'the template'}" if line else ""
            self.add(depth, f"    a region because of {reason}{where}: all of it is rendered, and what differs is sent")

    def branch(self, item: Item, depth: int) -> None:
        _, slot, _, mask, alternatives, node = item
        text = f"{_tag(node)}  ({self.reads(mask)})" if node else "a part that keeps texts apart"
        self.add(depth, f"{slot} branch: {text}")
        for index, (_, block) in enumerate(alternatives):
            if index:
                self.add(depth, "  or")
            if block:
                self.block(block, depth + 1)

    def list(self, item: Item, depth: int) -> None:
        _, slot, _, mask, _, _, _, _, node, _, _, key, block, empty = item
        keyed = f"by key {source(key)}" if key else "by position"
        self.add(depth, f"{slot} list {keyed}: {_tag(node)}  ({self.reads(mask)})")
        self.block(block, depth + 1)
        if empty:
            self.add(depth, "  or, if it is empty")
            self.block(empty, depth + 1)

    def reads(self, mask: int) -> str:
        """What a mask stands for, in words."""
        words = [name for index, name in enumerate(self.roots) if mask & (1 << min(index, dependencies.ROOTS))]
        if mask & sum(1 << bit for bit in range(dependencies.FIRST_ROW, dependencies.LAST_ROW + 1)):
            words.append("its row")
        if mask & dependencies.POSITION:
            words.append("its position")
        if mask & dependencies.IMPURE:
            words.append("always")
        return ", ".join(words) or "once"


def source(ops: Ops) -> str:
    """Ops as they stand in the template, shortened."""
    text = "".join(op[2] if op[0] == "text" else _tag(op[1]) for op in ops)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _tag(node: Any) -> str:
    token = getattr(node, "token", None)
    if token is None:
        return "{…}"
    pair = ("{{ %s }}", "{%% %s %%}")[token.token_type.name != "VAR"]
    return pair % token.contents
