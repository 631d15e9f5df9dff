"""Tokens of HTML in which values and tags of a template stand anywhere.

An HTML tokenizer whose input is a list of nodes (nodes.py). What a value will be is not known, so inside a tag the
tokenizer keeps a set of states behind it, like an NFA; that does no harm while all agree on where the tag ends.
Positions are pairs: the index of a node, and an offset in it if it is a text.
"""

import re
from typing import Any

from .html_elements import ascii_lower
from .nodes import If, Node, Position, Text, Value

States = set[int]

TEXT, NODE, START, END, COMMENT, NOTHING, AMBIGUOUS = "text", "node", "start", "end", "comment", "nothing", "ambiguous"

_OPEN = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
_NAME = re.compile(r"[^\t\n\f\r />]*")
_SPACES = re.compile(r"[\t\n\f\r ]*")
_BETWEEN = re.compile(r"[\t\n\f\r /]*")
_ATTRIBUTE = re.compile(r"[^\t\n\f\r />=]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END = re.compile(r"--!?>")
_BOGUS_END = re.compile(r">")
_CDATA_END = re.compile(r"\]\]>")
_SPACE = "\t\n\f\r "

# States inside a tag.
_TAG_NAME, _BEFORE, _ATTR, _AFTER, _EQUALS, _DOUBLE, _SINGLE, _BARE = range(8)
# Where a value leaves the tokenizer. In quotes it stays; elsewhere it may be flags, a name, or nothing.
_BEHIND_VALUE = {
    _BEFORE: {_BEFORE, _ATTR, _BARE},
    _ATTR: {_ATTR},
    _AFTER: {_AFTER, _ATTR, _BEFORE, _BARE},
    _EQUALS: {_EQUALS, _BARE},
    _DOUBLE: {_DOUBLE},
    _SINGLE: {_SINGLE},
    _BARE: {_BARE},
}
_QUOTES = {_DOUBLE: '"', _SINGLE: "'"}


def _skip(pattern: re.Pattern[str], text: str, offset: int) -> int:
    """The offset behind what matches there. The pattern matches the empty text, too."""
    return pattern.match(text, offset).end()  # type: ignore[union-attr]


class AmbiguousTag(Exception):
    """Where a tag ends depends on values; the text says why."""


class Attribute:
    """An attribute of a tag, its name static. begin, end: of its value, without quotes. dynamic: the value is.

    value: as it is written, if it is static.
    """

    __slots__ = ("name", "quote", "begin", "end", "dynamic", "value")

    def __init__(self, name: str, begin: Position) -> None:
        self.name = name
        self.quote = ""
        self.begin = self.end = begin
        self.dynamic = False
        self.value = ""


class Token:
    """kind: one of the constants above. begin, end: positions. `dynamic`: a value or a tag stands in it.

    A start tag has `attributes`, `loose` (something stands in it that is not in a quoted value: it is one slot) and
    `closed` ("/>"). An ambiguous token has a `reason`; its name is the tag's, as far as it is known, with a / before
    it in an end tag, and ! for a comment.
    """

    __slots__ = ("kind", "begin", "end", "name", "written", "attributes", "dynamic", "loose", "closed", "reason")

    def __init__(self, kind: str, begin: Position, end: Position, reason: str = '', name: str = '') -> None:
        self.kind = kind
        self.begin = begin
        self.end = end
        self.name = name
        self.written = name
        self.attributes: list[Attribute] = []
        self.dynamic = self.loose = self.closed = False
        self.reason = reason

    def attribute(self, name: str) -> Attribute | None:
        """The first attribute of that name, or None."""
        return next((each for each in self.attributes if each.name == name), None)

    def doubled(self) -> bool:
        """Whether an attribute with a value in it has the name of another one."""
        names = [each.name for each in self.attributes]
        return any(names.count(each.name) > 1 for each in self.attributes if each.dynamic)


def nodes_between(nodes: list[Any], begin: Position, end: Position) -> list[Node]:
    """The nodes between two positions; texts are cut."""
    if begin >= end:
        return []
    if begin[0] == end[0]:
        return [nodes[begin[0]].slice(begin[1], end[1])]
    result = []
    if begin[1]:
        text = nodes[begin[0]]
        if begin[1] < len(text.text):
            result.append(text.slice(begin[1], len(text.text)))
    else:
        result.append(nodes[begin[0]])
    result.extend(nodes[begin[0] + 1 : end[0]])
    if end[1]:
        result.append(nodes[end[0]].slice(0, end[1]))
    return result


class Tokenizer:
    """A list of nodes and a position in it."""

    __slots__ = ("nodes", "position")

    def __init__(self, nodes: list[Any], position: Position = (0, 0)) -> None:
        self.nodes = nodes
        self.position = position

    def ended(self) -> bool:
        """True behind the last node."""
        i, offset = self.position
        while i < len(self.nodes) and offset and offset >= len(self.nodes[i].text):
            i, offset = i + 1, 0
        self.position = (i, offset)
        return i >= len(self.nodes)

    def token(self, foreign: bool = False) -> Token:
        """The next token, which is consumed; not at the end. foreign: CDATA is text."""
        i, offset = self.position
        node = self.nodes[i]
        if not isinstance(node, Text):
            return self._took(Token(NODE, self.position, (i + 1, 0)))
        found = _OPEN.search(node.text, offset)
        if not found or found.start() > offset:
            return self._took(Token(TEXT, self.position, (i, found.start() if found else len(node.text))))
        return self._took(self._markup(node.text, foreign))

    def _took(self, token: Token) -> Token:
        self.position = token.end
        return token

    def _markup(self, text: str, foreign: bool) -> Token:
        begin = self.position
        i, offset = begin
        mark = text[offset + 1 : offset + 2]
        if not mark:
            return Token(AMBIGUOUS, begin, begin, "a name that is not static")
        if mark.isascii() and mark.isalpha():
            return self._tag(Token(START, begin, begin), offset + 1)
        if mark == "/":
            return self._end_tag(text, begin)
        if text.startswith("!--", offset + 1):
            return self._comment(text, begin)
        if ascii_lower(text[offset + 2 : offset + 9]) == "doctype":
            return self._until(Token(NOTHING, begin, begin), _BOGUS_END, offset)
        if foreign and text.startswith("![CDATA[", offset + 1):
            return self._until(Token(TEXT, begin, begin), _CDATA_END, offset)
        return self._until(Token(COMMENT, begin, begin), _BOGUS_END, offset)

    def _end_tag(self, text: str, begin: Position) -> Token:
        i, offset = begin
        mark = text[offset + 2 : offset + 3]
        if not mark:
            return Token(AMBIGUOUS, begin, begin, "a name that is not static", "/")
        if mark.isascii() and mark.isalpha():
            return self._tag(Token(END, begin, begin), offset + 2)
        if mark == ">":
            return Token(NOTHING, begin, (i, offset + 3))
        return self._until(Token(COMMENT, begin, begin), _BOGUS_END, offset)

    def _comment(self, text: str, begin: Position) -> Token:
        i, offset = begin
        for short in (">", "->"):
            if text.startswith(short, offset + 4):
                return Token(COMMENT, begin, (i, offset + 4 + len(short)))
        return self._until(Token(COMMENT, begin, begin), _COMMENT_END, offset + 4)

    def _until(self, token: Token, pattern: re.Pattern[str], offset: int) -> Token:
        end, dynamic = self.find(pattern, (token.begin[0], offset))
        if end is None:
            return Token(AMBIGUOUS, token.begin, token.begin, "a comment that does not end here", "!")
        token.end, token.dynamic = end[1], dynamic
        return token

    def find(self, pattern: re.Pattern[str], begin: Position) -> tuple[tuple[Position, Position] | None, bool]:
        """The first place from there on where a pattern matches a text: ((begin, end), nodes come before it)."""
        i, offset = begin
        dynamic = False
        for index in range(i, len(self.nodes)):
            node = self.nodes[index]
            if isinstance(node, Text):
                found = pattern.search(node.text, offset)
                if found:
                    return ((index, found.start()), (index, found.end())), dynamic
            elif node.holds(pattern):
                return None, dynamic
            else:
                dynamic = True
            offset = 0
        return None, dynamic

    def _tag(self, token: Token, offset: int) -> Token:
        i = self.position[0]
        text = self.nodes[i].text
        end = _skip(_NAME, text, offset)
        token.written = text[offset:end]
        token.name = ascii_lower(token.written)
        tag = _Tag(self, token)
        try:
            tag.run((i, end))
        except AmbiguousTag as error:
            return self._ambiguous(token, str(error))
        if token.kind == END and token.dynamic:
            return self._ambiguous(token, "a value in an end tag")
        return token

    def _ambiguous(self, token: Token, reason: str) -> Token:
        name = token.name if token.kind == START else "/" + token.name
        return Token(AMBIGUOUS, token.begin, token.begin, reason, name)


class _Tag:
    """Runs through one tag, and notes its attributes while there is no ambiguity."""

    def __init__(self, tokenizer: Tokenizer, token: Token) -> None:
        self.nodes = tokenizer.nodes
        self.token = token
        self.states = {_TAG_NAME}
        self.attribute: Attribute | None = None  # the one that is being read

    def run(self, position: Position) -> None:
        i, offset = position
        while i < len(self.nodes):
            node = self.nodes[i]
            if isinstance(node, Text):
                end = self._text(i, node.text, offset)
                if end is not None:
                    self.token.end = (i, end)
                    return
            else:
                self._dynamic(i, node)
            i, offset = i + 1, 0
        raise AmbiguousTag("a tag that does not end here")

    def _dynamic(self, i: int, node: Node) -> None:
        self.token.dynamic = True
        attribute = self.attribute
        quoted = len(self.states) == 1 and bool(self.states & {_DOUBLE, _SINGLE})
        if self.states == {_TAG_NAME}:
            if not node.clear_start():
                raise AmbiguousTag("a name that is not static")
            self.states = {_BEFORE}
        if self.states == {_ATTR} and node.clear_start():
            self.states = {_AFTER}
        before = self.states
        self.states = _behind(node, self.states)
        if quoted and attribute is not None and self.states == before:
            attribute.dynamic = True
            return
        self.token.loose = True
        if self.attribute is not None and before & {_ATTR}:
            self.token.attributes.remove(self.attribute)  # who knows its name
        elif self.attribute is not None and before & {_AFTER, _EQUALS, _BARE, _DOUBLE, _SINGLE}:
            self.attribute.dynamic = True
        self.attribute = None

    def _text(self, i: int, text: str, offset: int) -> int | None:
        if len(self.states) > 1 and offset < len(text) and text[offset] in _SPACE:
            rest = text[offset:].lstrip(_SPACE)
            if rest and not rest.startswith("=") and not self.states & {_EQUALS, _DOUBLE, _SINGLE}:
                self.states = {_BEFORE}
        if len(self.states) > 1:
            return self._doubtful(text, offset)
        (state,) = self.states
        state, end = self._certain(i, text, offset, state)
        self.states = {state}
        return end

    def _doubtful(self, text: str, offset: int) -> int | None:
        results = {_advance(text, offset, state) for state in self.states}
        ends = {end for _, end in results}
        if len(ends) > 1:
            raise AmbiguousTag("a tag whose end depends on a value")
        self.states = {state for state, _ in results}
        end = ends.pop()
        if end is not None and text[end - 2 : end - 1] == "/":
            self.token.closed = True
        return end

    # The same as _advance, with attributes.
    def _certain(self, i: int, text: str, offset: int, state: int) -> tuple[int, int | None]:
        size = len(text)
        while offset < size:
            if state == _BEFORE:
                begin, offset = offset, _skip(_BETWEEN, text, offset)
                if offset == size:
                    break
                if text[offset] == ">":
                    self.token.closed = offset > begin and text[offset - 1] == "/"
                    return state, offset + 1
                first, offset = offset, _skip(_ATTRIBUTE, text, offset + 1)
                self.attribute = Attribute(ascii_lower(text[first:offset]), (i, offset))
                self.token.attributes.append(self.attribute)
                state = _ATTR
            elif state in _QUOTES:
                end = text.find(_QUOTES[state], offset)
                if end < 0:
                    return state, None
                if self.attribute is not None:
                    _finish(self.attribute, text, (i, end))
                state, offset, self.attribute = _BEFORE, end + 1, None
            else:
                following, offset = self._rest(i, text, offset, state)
                if following is None:
                    return _BEFORE, offset
                state = following
        return state, None

    def _rest(self, i: int, text: str, offset: int, state: int) -> tuple[int | None, int]:
        new, end = _step(text, offset, state)
        if new in _QUOTES and self.attribute is not None:
            self.attribute.quote = _QUOTES[new]
            self.attribute.begin = self.attribute.end = (i, end)
        elif new == _BARE and state == _EQUALS and self.attribute is not None:
            self.attribute.begin = (i, end)
            _finish(self.attribute, text, (i, _skip(_UNQUOTED, text, end)))
        return new, end


def _finish(attribute: Attribute, text: str, end: Position) -> None:
    """The attribute's value ends there, in this text."""
    attribute.end = end
    if not attribute.dynamic:
        attribute.value = text[attribute.begin[1] : end[1]]


def _step(text: str, offset: int, state: int) -> tuple[int | None, int]:
    """One step outside of quotes and of _BEFORE: the state and offset behind it. State None: the tag has ended."""
    if state == _TAG_NAME:
        return _BEFORE, offset
    pattern = {_ATTR: _ATTRIBUTE, _BARE: _UNQUOTED}.get(state, _SPACES)
    offset = _skip(pattern, text, offset)
    if offset == len(text):
        return state, offset
    mark = text[offset]
    if mark == ">":
        return None, offset + 1
    if state == _EQUALS:
        return {'"': (_DOUBLE, offset + 1), "'": (_SINGLE, offset + 1)}.get(mark, (_BARE, offset))
    if state == _BARE:
        return _BEFORE, offset
    if mark == "=":
        return _EQUALS, offset + 1
    return (_BEFORE if state == _AFTER or mark == "/" else _AFTER), offset


def _advance(text: str, offset: int, state: int) -> tuple[int, int | None]:
    """Runs a text through one state: (state, None), or (_BEFORE, offset behind the tag's end)."""
    size = len(text)
    while offset < size:
        if state == _BEFORE:
            offset = _skip(_BETWEEN, text, offset)
            if offset == size:
                break
            if text[offset] == ">":
                return _BEFORE, offset + 1
            offset, state = _skip(_ATTRIBUTE, text, offset + 1), _ATTR
        elif state in _QUOTES:
            end = text.find(_QUOTES[state], offset)
            if end < 0:
                return state, None
            state, offset = _BEFORE, end + 1
        else:
            following, offset = _step(text, offset, state)
            if following is None:
                return _BEFORE, offset
            state = following
    return state, None


def _behind(node: Node, states: States) -> States:
    """The states that a node may leave the tokenizer in, inside a tag."""
    if isinstance(node, Text):
        return {_inside(node.text, state) for state in states}
    if isinstance(node, Value):
        return set().union(*(_BEHIND_VALUE[state] for state in states)) if node.visible() else states
    result = set()
    alternatives = list(node.children())
    for nodes in alternatives:
        result |= _through(nodes, states)
    if isinstance(node, If):
        return result if node.alternatives[-1][0] is None else result | states
    if len(alternatives) == 1:  # a scope
        return result
    return _repeated(alternatives[0], result | states)


def _through(nodes: list[Node], states: States) -> States:
    for node in nodes:
        states = _behind(node, states)
    return states


def _repeated(nodes: list[Node], states: States) -> States:
    """What a loop's body makes of these states, any number of times."""
    while True:
        more = states | _through(nodes, states)
        if more == states:
            return states
        states = more


def _inside(text: str, state: int) -> int:
    state, end = _advance(text, 0, state)
    if end is not None:
        raise AmbiguousTag("a tag that ends inside another of the template's tags")
    return state
