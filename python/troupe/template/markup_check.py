"""Finds mistakes in a live view's template without rendering it: what would be silently inert in the browser.

The template is read as Inliner gives it, with its parents and includes in place and all alternatives one after the
other; a value is a character that no name contains. What that makes ambiguous is not reported.
"""

import bisect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple

from django.template import Context
from django.template.base import Template

from .html_elements import VOID
from .inlining import Inliner
from .live_attributes import HANDLERS, base_name, trouble, value_trouble
from .nodes import If, Node, Text, Value

_VALUE = "\ufffc"
_ROOT = re.compile(r"<[^<>]*\sdj-root(?=[\s=/>])", re.I)
_NAME = re.compile(r"\s*([^\W\d]\w*)\s*(\(.*\)\s*)?", re.S)


class Spot(NamedTuple):
    """Where something stands: the template's name, if it has one, and the line."""

    template: str | None
    line: int | None

    def __str__(self) -> str:
        name = self.template or "template_string"
        return f"{name}, line {self.line}" if self.line else name


class Call(NamedTuple):
    """An attribute that names a handler: `<attribute>="<handler>"`. handler: as written."""

    attribute: str
    handler: str
    spot: Spot

    def name(self) -> str | None:
        """The handler's name, without arguments. None: it is not the name of one."""
        found = _NAME.fullmatch(self.handler)
        return found[1] if found else None

    def arguments(self) -> str:
        """What stands between its parentheses."""
        found = _NAME.fullmatch(self.handler)
        return (found[2] or "").strip()[1:-1] if found else ""


class Mistake(NamedTuple):
    """kind: "attribute", "outside" or "roots"."""

    kind: str
    text: str
    spot: Spot


class Markup(NamedTuple):
    """What a template says to the browser's side."""

    calls: tuple[Call, ...]
    mistakes: tuple[Mistake, ...]


def read_markup(template: Template) -> Markup:
    """Reads a template. Whatever its loader and its syntax raise, and Unplannable if its parent is not known."""
    context = Context()
    context.template = template
    reader = _Reader(Inliner(template, context).page())
    return Markup(tuple(reader.calls), tuple(reader.mistakes()))


def _flat(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, (Text, Value)):
            yield node
        else:
            for alternative in node.children():
                yield from _flat(alternative)


def _count_roots(nodes: list[Node]) -> int:
    """How many roots a page has at most."""
    count = 0
    for node in nodes:
        if isinstance(node, Text):
            count += len(_ROOT.findall(node.text))
        elif isinstance(node, If):
            count += max(map(_count_roots, node.children()), default=0)
        else:
            count += sum(map(_count_roots, node.children()))
    return count


class _Reader(HTMLParser):
    """Takes the calls and the mistakes from a page's start tags."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__(convert_charrefs=True)
        self.calls: list[Call] = []
        self._unknown: list[Mistake] = []
        self._roots: list[Spot] = []
        self._uses: list[tuple[str, Spot, bool]] = []  # attribute, where, whether inside of a root
        self._depth = 0  # of the root's element, among those of its name
        self._root: str | None = None
        self._name = ""  # of the root's element, also behind it
        self._balance = 0  # of its name's start tags and end tags, from the root on: not 0 with alternatives
        self._at_most = _count_roots(nodes)
        self._pieces = [node for node in _flat(nodes) if node.visible()]
        starts, text = [], ""
        for node in self._pieces:
            starts.append(len(text))
            text += node.text if isinstance(node, Text) else _VALUE
        self._starts = starts
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self.feed(text)
        self.close()

    def mistakes(self) -> Iterator[Mistake]:
        """All but those of the calls."""
        yield from self._unknown
        if self._at_most > 1 and len(self._roots) > 1:
            yield Mistake("roots", "there is more than one dj-root: only the first is live", self._roots[1])
        if len(self._roots) == 1 and self._balance == 0:
            for attribute, spot, inside in self._uses:
                if not inside:
                    text = f"{attribute} stands outside of the element with dj-root: it does nothing there"
                    yield Mistake("outside", text, spot)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        names = {name for name, _ in attrs}
        opens = "dj-root" in names
        if opens:
            self._roots.append(self._spot())
            if len(self._roots) == 1:
                self._root = self._name = tag
        if tag == self._name and tag not in VOID:
            self._depth += self._root is not None
            self._balance += 1
        for name, value in attrs:
            if name.startswith("dj-") and _VALUE not in name:
                self._attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        if tag != self._name:
            return
        self._balance -= 1
        if self._root is not None:
            self._depth -= 1
            if self._depth == 0:
                self._root = None

    def _attribute(self, tag: str, name: str, value: str) -> None:
        spot = self._spot()
        why = trouble(name) or (value_trouble(name, value) if _VALUE not in value else None)
        if name == "dj-submit" and tag != "form" and _VALUE not in tag:
            why = f"dj-submit on <{tag}> does nothing: only a <form> is submitted"
        if why:
            self._unknown.append(Mistake("attribute", why, spot))
            return
        if name != "dj-root":
            self._uses.append((name, spot, self._root is not None))
        if base_name(name) in HANDLERS and value and _VALUE not in value:
            self.calls.append(Call(name, value, spot))

    def _spot(self) -> Spot:
        line, column = self.getpos()
        offset = self._lines[line - 1] + column
        index = bisect.bisect_right(self._starts, offset) - 1
        node: Any = self._pieces[index]
        if isinstance(node, Text):
            name, where = node.where(offset - self._starts[index])
        else:
            name, where = getattr(getattr(node.op[1], "origin", None), "template_name", None), None
        return Spot(name if isinstance(name, str) else None, where)
