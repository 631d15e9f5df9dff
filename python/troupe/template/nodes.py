"""A page before it is cut into slots: ops (ir.py) with inheritance and includes put in place.

Each node knows what it depends on, as bits (see dependencies.py), and the op that does all of it in Django's way, for
when it becomes a part of a slot.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from . import dependencies
from .dependencies import Loop
from .ir import Cond, Op, Ops

Position = tuple[int, int]  # in a list of nodes: the index of a node, and an offset in it if it is a text

# What begins markup in a text. A '<' at the end counts: what follows may be a name.
MARKUP = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
_SPACE = "\t\n\f\r "


class Node:
    """Common to all nodes: `op`, which yields the same in Django's way, and `deps`, the mask of what it reads."""

    __slots__ = ("op", "deps")

    op: Op
    deps: int

    def children(self) -> list[list[Node]]:
        """The lists of nodes inside, one for each alternative."""
        return []

    def textual(self) -> bool:
        """True if no markup of the template's own is inside."""
        return all(node.textual() for nodes in self.children() for node in nodes)

    def visible(self) -> bool:
        """False if it yields nothing at all."""
        return any(node.visible() for nodes in self.children() for node in nodes)

    def blank(self) -> bool:
        """True if it yields nothing but white space."""
        return all(node.blank() for nodes in self.children() for node in nodes)

    def holds(self, pattern: re.Pattern[str]) -> bool:
        """True if a static text inside matches a pattern."""
        return any(node.holds(pattern) for nodes in self.children() for node in nodes)

    def clear_start(self) -> bool:
        """True if what it yields is empty or begins with white space: it cannot go on with a name before it."""
        return all(_clear(nodes) for nodes in self.children())


def _clear(nodes: list[Node]) -> bool:
    for node in nodes:
        if isinstance(node, Text):
            return node.text[0] in _SPACE
        if node.visible() and not node.clear_start():
            return False
    return True


Part = tuple[int, Node, int]  # where it begins in a text, and in which text node of a template, at which place


class Text(Node):
    """Static text, at least a character long. `start` is its place in the template's own text node; `more` what other
    text nodes, maybe of other templates, it goes on with.
    """

    __slots__ = ("text", "node", "start", "more")

    def __init__(self, text: str, node: Node, start: int = 0, more: tuple[Part, ...] = ()) -> None:
        self.text = text
        self.node = node
        self.start = start
        self.more = more
        self.op = ("text", node, text)
        self.deps = 0

    def slice(self, begin: int, end: int) -> Text:
        """The piece between two offsets."""
        node, start = self._source(begin)
        more = tuple((at - begin, each, place) for at, each, place in self.more if begin < at < end)
        return Text(self.text[begin:end], node, start, more)

    def and_then(self, other: Text) -> Text:
        """Both, as one."""
        length = len(self.text)
        more = ((length, other.node, other.start), *((length + at, each, place) for at, each, place in other.more))
        return Text(self.text + other.text, self.node, self.start, (*self.more, *more))

    def textual(self) -> bool:
        return not MARKUP.search(self.text)

    def visible(self) -> bool:
        return True

    def blank(self) -> bool:
        return not self.text.strip(_SPACE)

    def holds(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self.text))

    def where(self, offset: int = 0) -> tuple[str | None, int | None]:
        """(template, line) of a character, as far as they are known."""
        node, place = self._source(offset)
        name = getattr(getattr(node, "origin", None), "template_name", None)
        token = getattr(node, "token", None)
        if token is None or token.lineno is None:
            return name, None
        return name, token.lineno + str.count(token.contents, "\n", 0, place)

    def _source(self, offset: int) -> tuple[Node, int]:
        """The text node of a template that a character is from, and its place there."""
        begin, node, start = 0, self.node, self.start
        for part in self.more:
            if part[0] <= offset:
                begin, node, start = part
        return node, start + offset - begin


class WrittenOut(Text):
    """A tag that stands in no template: a parser takes it for read where it is. Its op yields nothing, so that what is
    evaluated as a whole is what Django gives.
    """

    __slots__ = ()

    def __init__(self, text: str, node: Node) -> None:
        super().__init__(text, node)
        self.op = ("text", node, "")

    def slice(self, begin: int, end: int) -> Text:
        """All of it: it is one tag."""
        return self


class Value(Node):
    """Anything that is evaluated in one piece: a variable, a tag that is not looked into."""

    __slots__ = ()

    def __init__(self, op: Op, mask: int) -> None:
        self.op = op
        self.deps = mask

    def textual(self) -> bool:
        return True

    def visible(self) -> bool:
        return True

    def blank(self) -> bool:
        return False

    def clear_start(self) -> bool:
        return False


class Set(Value):
    """A tag that yields nothing and sets variables."""

    __slots__ = ()

    def visible(self) -> bool:
        return False

    def blank(self) -> bool:
        return True

    def clear_start(self) -> bool:
        return True


class If(Node):
    """{% if %}: `alternatives` are (cond, nodes), and `cond_deps` what decides between them."""

    __slots__ = ("alternatives", "cond_deps")

    def __init__(self, op: Op, alternatives: list[tuple[Cond | None, list[Node]]], cond_deps: int) -> None:
        self.op = op
        self.alternatives = alternatives
        self.cond_deps = cond_deps
        self.deps = cond_deps | dependencies.union(node.deps for _, nodes in alternatives for node in nodes)

    def children(self) -> list[list[Node]]:
        return [nodes for _, nodes in self.alternatives]


class For(Node):
    """{% for %}. Seen from outside, it depends on its sequence wherever its body depends on its row."""

    __slots__ = ("loop", "seq_deps", "body", "empty")

    def __init__(self, op: Op, loop: Loop, seq_deps: int, body: list[Node], empty: list[Node]) -> None:
        self.op = op
        self.loop = loop
        self.seq_deps = seq_deps
        self.body = body
        self.empty = empty
        inside = dependencies.union(node.deps for node in body) & ~(loop.row | loop.position)
        self.deps = (seq_deps | inside | dependencies.union(node.deps for node in empty)) & ~dependencies.SETS_LOCAL

    def children(self) -> list[list[Node]]:
        return [self.body, self.empty]


TEMPLATE_SCOPES = ("include", "extends", "inclusion")


class Scope(Node):
    """with, include, block, autoescape, extends: `scope` is what the plan says of it."""

    __slots__ = ("scope", "nodes")

    def __init__(self, op: Op, scope: tuple[Any, ...], nodes: list[Node], frame: bool = True) -> None:
        self.op = op
        self.scope = scope
        self.nodes = nodes
        self.deps = dependencies.union(node.deps for node in nodes)
        if frame:
            self.deps &= ~dependencies.SETS_LOCAL

    def children(self) -> list[list[Node]]:
        return [self.nodes]


class Place(NamedTuple):
    """A position in a list of nodes. owner: the place of the scope whose list it is, or None for the block's own."""

    nodes: list[Any]  # of Node; the one at the position is a Text where the offset counts
    position: Position
    owner: Place | None

    @property
    def key(self) -> tuple[int, int]:
        """What decisions are kept under."""
        return id(self.nodes[self.position[0]]), self.position[1]

    def where(self) -> tuple[str | None, int | None]:
        """(template, line) for messages, as far as they are known."""
        node = self.nodes[self.position[0]]
        if isinstance(node, Text):
            return node.where(self.position[1])
        origin = getattr(node.op[1], "origin", None) if len(node.op) > 1 else None
        line = getattr(getattr(node.op[1], "token", None), "lineno", None)
        return getattr(origin, "template_name", None), line


def newline_first(nodes: list[Node]) -> bool:
    """True if what these nodes yield may begin with a newline."""
    for node in nodes:
        if isinstance(node, Text):
            return node.text[0] in "\r\n"
        if isinstance(node, Value):
            if node.visible():
                return True
        elif any(newline_first(inside) for inside in node.children()):
            return True
    return False


def joined(nodes: list[Node]) -> list[Node]:
    """The same nodes; texts that touch are one."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Text) and result and isinstance(result[-1], Text):
            result[-1] = result[-1].and_then(node)
        else:
            result.append(node)
    return result


def deps_of(nodes: list[Node]) -> int:
    """All that these nodes depend on."""
    return dependencies.union(node.deps for node in nodes)


def ops_of(nodes: list[Node]) -> Ops:
    """The ops that yield what these nodes yield."""
    return [node.op for node in nodes]
