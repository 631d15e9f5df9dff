"""Runs of text: all text between two tags is one slot, however many values and pieces of static text it is made of."""

import re

from .html_elements import PRE
from .nodes import Text

_HALF_ENTITY = re.compile(r"&#?[a-zA-Z0-9]*\Z")


class TextRun:
    """The text that stands in one gap of an element; item: its place among the block's items, once it has a value."""

    __slots__ = ("builder", "parts", "item", "level", "scopes", "tail", "path", "name", "gap", "flags", "top")

    def __init__(self, builder):
        tree = builder.tree
        current = tree.current()
        self.builder = builder
        self.parts = []
        self.item = None
        self.level = None
        self.scopes = ()
        self.tail = []  # tags that set variables behind the last value: (level, scopes, item, node)
        self.path, self.name = list(current.path), current.name
        self.gap = current.units
        self.top = current is tree.top_level
        self.flags = 0

    def text(self, node):
        """Static text. It may stand in another scope than the values: that makes no difference."""
        self.parts.append(node)

    def half_entity(self):
        """True if its static text ends in what may be the beginning of an entity."""
        last = self.parts[-1] if self.parts else None
        return isinstance(last, Text) and bool(_HALF_ENTITY.search(last.text))

    def value(self, node):
        """Something that is evaluated. All that is evaluated in one slot must stand in the same scope."""
        builder = self.builder
        if self.item is None:
            self.item = ["leaf"]
            self.level, self.scopes = builder.level, builder.scopes
            self.level.append(self.item)
            self.flags = self._place()
        elif self.level is not builder.level:
            builder._conflict(self._between(builder.scopes))
        else:
            self._take_tail()
        self.parts.append(node)

    def _place(self):
        tree = self.builder.tree
        first = not self.top and self.gap == 0 and tree.current().is_html(("pre", "listing"))
        return tree.place() | (PRE if first else 0)

    def _between(self, scopes):
        """The scope that parts the run from those scopes."""
        same = 0
        while same < min(len(scopes), len(self.scopes)) and scopes[same] is self.scopes[same]:
            same += 1
        return scopes[same] if len(scopes) > same else self.scopes[same]

    def _take_tail(self):
        for level, scopes, item, node in self.tail:
            if level is not self.level:
                self.builder._conflict(self._between(scopes))
            level[:] = [each for each in level if each is not item]
            self.parts.append(node)
        self.tail = []

    def set(self, node, item):
        """A tag that sets variables stands in the middle of the text, as this item."""
        if self.item is not None:
            self.tail.append((self.builder.level, self.builder.scopes, item, node))
