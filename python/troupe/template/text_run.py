"""Runs of text: all text between two tags is one slot, however many values and pieces of static text it is made of."""

import re
from typing import Any, Protocol

from .html_elements import PRE
from .nodes import Node, Scope, Text
from .open_elements import OpenElements

_HALF_ENTITY = re.compile(r"&#?[a-zA-Z0-9]*\Z")


class RunOwner(Protocol):
    """What a run has to know of the block that it stands in."""

    tree: OpenElements
    level: list[Any]
    scopes: tuple[Scope, ...]

    def conflict(self, scope: Scope) -> object:
        """The run goes on across the edge of this scope. Does not return."""


class TextRun:
    """The text that stands in one gap of an element; item: its place among the block's items, once it has a value."""

    __slots__ = ("builder", "parts", "item", "level", "scopes", "tail", "path", "name", "gap", "flags", "top")

    def __init__(self, builder: RunOwner) -> None:
        tree = builder.tree
        current = tree.current()
        self.builder = builder
        self.parts: list[Any] = []
        self.item: list[Any] | None = None
        self.level: list[Any] | None = None
        self.scopes: tuple[Scope, ...] = ()
        # Tags that set variables behind the last value: (level, scopes, item, node).
        self.tail: list[tuple[list[Any], tuple[Scope, ...], list[Any], Node]] = []
        self.path, self.name = list(current.path), current.name
        self.gap = current.units
        self.top = current is tree.top_level
        self.flags = 0

    def text(self, node: Node) -> None:
        """Static text. It may stand in another scope than the values: that makes no difference."""
        self.parts.append(node)

    def never_empty(self) -> bool:
        """True if there is some text whatever its values are."""
        return any(isinstance(part, Text) for part in self.parts)

    def half_entity(self) -> bool:
        """True if its static text ends in what may be the beginning of an entity."""
        last = self.parts[-1] if self.parts else None
        return isinstance(last, Text) and bool(_HALF_ENTITY.search(last.text))

    def value(self, node: Node) -> None:
        """Something that is evaluated. All that is evaluated in one slot must stand in the same scope."""
        builder = self.builder
        if self.item is None:
            self.item = ["leaf"]
            self.level, self.scopes = builder.level, builder.scopes
            self.level.append(self.item)
            self.flags = self._place()
        elif self.level is not builder.level:
            builder.conflict(self._between(builder.scopes))
        else:
            self._take_tail()
        self.parts.append(node)

    def _place(self) -> int:
        tree = self.builder.tree
        first = not self.top and self.gap == 0 and tree.current().is_html(("pre", "listing"))
        return tree.place() | (PRE if first else 0)

    def _between(self, scopes: tuple[Scope, ...]) -> Scope:
        """The scope that parts the run from those scopes."""
        same = 0
        while same < min(len(scopes), len(self.scopes)) and scopes[same] is self.scopes[same]:
            same += 1
        return scopes[same] if len(scopes) > same else self.scopes[same]

    def _take_tail(self) -> None:
        for level, scopes, item, node in self.tail:
            if level is not self.level:
                self.builder.conflict(self._between(scopes))
            level[:] = [each for each in level if each is not item]
            self.parts.append(node)
        self.tail = []

    def set(self, node: Node, item: list[Any]) -> None:
        """A tag that sets variables stands in the middle of the text, as this item."""
        if self.item is not None:
            self.tail.append((self.builder.level, self.builder.scopes, item, node))
