"""Writes out the tags that an author may omit where a loop or a condition needs a unit of its own.

`<ul>{% for x in xs %}<li>{{ x }}{% endfor %}</ul>` is what a parser makes `<ul>{% for x in xs %}<li>{{ x }}</li>…` of,
but an anchor behind the loop would stand in the last <li>. So the end tag is put where the parser closes the element,
and so is the <tbody> that a <tr> begins. White space stays where a parser has it, which is not always where it is
written: what stands before the next <li> is in the <li> before it.

    A {% for %}B<li>C{% endfor %}D</ul>     A, B, D: white space

is, with a row or more, `A B <li>C B</li> … <li>C D</li></ul>`, and `A D</ul>` without one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from django.template.base import FilterExpression

from .dependencies import ForLoop
from .html_elements import IMPLIED
from .html_tokenizer import START, Token, Tokenizer
from .ir import Cond, Expr
from .lowering import lower_expr
from .nodes import For, If, Node, Place, Scope, Text, WrittenOut, ops_of
from .open_elements import Element, OpenElements, ParserRepair

_SPACE = "\t\n\f\r "


class LeftOpen(ParserRepair):
    """A block ends while elements are open that end by themselves; opened: their names, outermost first."""

    def __init__(self, reason: str, opened: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.opened = opened


class Owner(Protocol):
    """The block that a loop or a condition stands in."""

    tree: OpenElements


# What a block of these nodes leaves open, inside of these elements; ParserRepair where it has another fault.
Probe = Callable[[list[Node], tuple[Element, ...], For | None], tuple[str, ...]]


class AtBlockEnd(Exception):
    """What follows is not known in this block."""


class _Lead(NamedTuple):
    """White space and a start tag that a list of nodes begins with."""

    space: str
    token: Token
    rest: list[Node]


class _Rows:
    """What a loop iterates, as it is: {% for %} does so with what has no length, and there is nothing else to ask."""

    def __init__(self, sequence: Any) -> None:
        self.sequence = sequence

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """As {% for %} resolves it."""
        values = self.sequence.resolve(context, ignore_failures=True)
        return values if values is None or hasattr(values, "__len__") else list(values)


class _HasRows:
    """Whether there is one at least. name: what the rows are called."""

    def __init__(self, name: str) -> None:
        self.name = name

    def resolve(self, context: Any, ignore_failures: bool = False) -> bool:
        """See above."""
        values = context[self.name]
        return values is not None and len(values) > 0


class _Around(NamedTuple):
    """What a parser does around a part. closed: elements of the block that its first tag closes; wrapper: the name of
    what the tag needs around it; inside: the elements that the part stands in then; keeps: the wrapper is there without
    the part.
    """

    closed: tuple[Element, ...]
    wrapper: str
    inside: tuple[Element, ...]
    keeps: bool


def write_out(owner: Owner, place: Place, probe: Probe) -> bool:
    """Changes the nodes so that the part at a place, a For or an If, leaves open what it found open. False: it cannot
    be done. AtBlockEnd: perhaps it can when the block around it has been changed.
    """
    part = place.nodes[place.position[0]]
    try:
        space, follow = _follow(place)
    except AtBlockEnd:
        # An end tag behind the block would be one too many where the part itself has closed the element.
        if _Writer(owner, place, probe).may_close(part):
            return False
        raise
    writer = _Writer(owner, place, probe, space, follow)
    return writer.loop(part) if isinstance(part, For) else isinstance(part, If) and writer.condition(part)


def _lead(nodes: list[Any]) -> _Lead | None:
    if not nodes or not isinstance(nodes[0], Text):
        return None
    text = nodes[0].text
    size = len(text) - len(text.lstrip(_SPACE))
    if size == len(text):
        return None
    token = Tokenizer(nodes, (0, size)).token()
    if token.kind != START:
        return None
    return _Lead(text[:size], token, [nodes[0].slice(size, len(text)), *nodes[1:]])


def _follow(place: Place) -> tuple[str, Token]:
    """The white space behind a part in its own list of nodes, and the token behind that."""
    index, space = place.position[0] + 1, ""
    nodes, owner = place.nodes, place.owner
    while True:
        for at in range(index, len(nodes)):
            text = nodes[at].text if isinstance(nodes[at], Text) else ""
            size = len(text) - len(text.lstrip(_SPACE))
            if size and nodes is not place.nodes:
                raise ParserRepair("white space behind a block that leaves elements open")
            space += text[:size]
            if size < len(text) or not text:
                return space, Tokenizer(nodes, (at, size)).token()
        if owner is None:
            raise AtBlockEnd
        nodes, index, owner = owner.nodes, owner.position[0] + 1, owner.owner


class _Writer:
    def __init__(self, owner: Owner, place: Place, probe: Probe, space: str = "", follow: Token | None = None) -> None:
        self.owner, self.tree = owner, owner.tree
        self.place = place
        self.probe = probe
        self.space = space
        self.follow = follow

    # What a parser does.

    def may_close(self, part: Node) -> bool:
        """Whether the first tag of one of the part's alternatives closes an element that the part stands in."""
        outer = tuple(self.tree.stack)
        for nodes in part.children():
            lead = _lead(nodes)
            fed = self._fed(outer, lead.token) if lead is not None else None
            if nodes and (fed is None or not _all_same(fed[: len(outer)], list(outer))):
                return True
        return False

    def _fed(self, elements: tuple[Element, ...], token: Token | None) -> list[Element] | None:
        """The open elements after a tag, without its own. None: it does not fit, or closes what is not the block's."""
        if token is None:
            return None
        tree = OpenElements(self.owner, ())
        tree.stack = [_copy(element) for element in elements]
        tree.floor = min(self.tree.floor, len(elements))
        try:
            if token.kind == START:
                made = tree.start(token, self.place)
                return [each for each in tree.stack if each is not made]
            if not tree.end(token) or tree.implied:  # </p> without a <p> makes one
                return None
        except ParserRepair:
            return None
        return tree.stack

    def _around(self, token: Token) -> _Around | None:
        """What the part's first tag does. None: nothing that is understood here."""
        outer = tuple(self.tree.stack)
        fed = self._fed(outer, token)
        if fed is None:
            return None
        kept = 0
        while kept < min(len(fed), len(outer)) and _same(fed[kept], outer[kept]):
            kept += 1
        new = fed[kept:]
        if len(new) > 1:
            return None
        inside = (*outer[:kept], *(Element(each.name) for each in new))
        after = self._fed(inside, self.follow)
        if not _all_same(after, self._fed(outer, self.follow)):
            return None
        keeps = bool(new) and after is not None and _all_same(after, list(inside))
        return _Around(outer[kept:], new[0].name if new else "", inside, keeps)

    def _left_open(self, nodes: list[Node], around: _Around, loop: For | None) -> tuple[str, ...] | None:
        """The names of what the part leaves open. None: what follows does not close it, or it has another fault."""
        try:
            opened = self.probe(nodes, around.inside, loop)
        except ParserRepair:
            return None
        full = (*around.inside, *map(Element, opened))
        lead = _lead(nodes)
        if opened and loop and (lead is None or not _all_same(self._fed(full, lead.token), list(around.inside))):
            return None
        closed = _all_same(self._fed(full, self.follow), self._fed(around.inside, self.follow))
        return opened if closed else None

    # Writing.

    def _replace(self, *nodes: Node) -> bool:
        """Puts nodes in the part's place, and takes the white space behind it away."""
        listed, at = self.place.nodes, self.place.position[0]
        left = len(self.space)
        while left:
            size = len(listed[at + 1].text)
            listed[at + 1 : at + 2] = [listed[at + 1].slice(left, size)] if left < size else []
            left -= min(left, size)
        listed[at : at + 1] = nodes
        return True

    def _text(self, text: str) -> list[Node]:
        return [Text(text, self.place.nodes[self.place.position[0]].op[1])] if text else []

    def _tag(self, text: str) -> list[Node]:
        return [WrittenOut(text, self.place.nodes[self.place.position[0]].op[1])]

    def _closing(self, names: tuple[str, ...]) -> list[Node]:
        """The outermost one's end tag: it closes those inside as well."""
        return self._tag(f"</{names[0]}>") if names else []

    def _start_tag(self, around: _Around) -> list[Node]:
        return self._tag(f"<{around.wrapper}>") if around.wrapper else []

    def _end_tag(self, around: _Around) -> list[Node]:
        return self._tag(f"</{around.wrapper}>") if around.wrapper and not around.keeps else []

    def loop(self, loop: For) -> bool:
        """{% for %}"""
        lead, empty = _lead(loop.body), _lead(loop.empty)
        around = self._around(lead.token) if lead is not None else None
        if lead is None or around is None or "forloop" in loop.op[2]:
            return False
        opened = self._left_open(lead.rest, around, loop)
        if opened is None or not (opened or around.closed or around.wrapper):
            return False
        nothing: list[Node] = []
        if loop.empty:
            if empty is None or empty.space != lead.space or not _same_around(around, self._around(empty.token)):
                return False
            empty_opened = self._left_open(empty.rest, around, None)
            if empty_opened is None:
                return False
            nothing = [*empty.rest, *self._text(self.space), *self._closing(empty_opened)]
        body = [*lead.rest, *self._between_rows(loop, lead.space), *self._closing(opened)]
        return self._write_loop(loop, lead.space, around, body, nothing)

    def _write_loop(self, loop: For, space: str, around: _Around, body: list[Node], nothing: list[Node]) -> bool:
        """space: what stands before the first row."""
        before = self._closing(tuple(each.name for each in around.closed))
        always = around.keeps or bool(nothing) or not around.wrapper
        alike = space == self.space or bool(nothing)
        if before and not always and not alike:
            return False
        expr, named = self._named(loop, alike and always)
        made = _changed(loop, expr, body, nothing)
        around_rows = [*self._start_tag(around), made, *self._end_tag(around)]
        if alike and always:
            return self._replace(*self._text(space), *before, *around_rows)
        rows: Cond = ("value", ("call", _HasRows(_rows_name(loop)), None))
        if always:
            spaces = self._if(loop, [(rows, self._text(space)), (None, self._text(self.space))])
            return self._replace(named([spaces, *before, *around_rows]))
        if alike:
            return self._replace(*self._text(space), *before, named([self._if(loop, [(rows, around_rows)])]))
        shown = [*self._text(space), *around_rows]
        return self._replace(named([self._if(loop, [(rows, shown), (None, self._text(self.space))])]))

    def _between_rows(self, loop: For, space: str) -> list[Node]:
        """The white space at a row's end: what stands before the next one, and behind the last."""
        if space == self.space:
            return self._text(space)
        position = ForLoop(loop.loop).read(("forloop", "last"))
        last: Cond = ("value", lower_expr(FilterExpression("forloop.last", None)))
        alternatives = [(last, self._text(self.space)), (None, self._text(space))]
        return [If(_if_op(loop.op[1], alternatives), alternatives, position)]

    def _named(self, loop: For, plain: bool) -> tuple[Expr, Callable[[list[Node]], Node]]:
        """What a loop iterates, if it is asked for twice: evaluated once, under a name; and the scope of that name."""
        _, node, _, expr = loop.op[:4]
        if plain:
            return expr, lambda nodes: nodes[0]
        name = _rows_name(loop)
        pairs = ((name, ("call", _Rows(node.sequence), None)),)
        op = ("with", node, pairs)
        return lower_expr(FilterExpression(name, None)), lambda nodes: Scope((*op, ops_of(nodes)), op, nodes)

    def _if(self, loop: For, alternatives: list[tuple[Cond | None, list[Node]]]) -> If:
        return If(_if_op(loop.op[1], alternatives), alternatives, loop.seq_deps)

    def condition(self, node: If) -> bool:
        """{% if %}"""
        leads = [(cond, _lead(nodes)) for cond, nodes in node.alternatives if nodes]
        if not leads or any(lead is None for _, lead in leads):
            return False
        arounds = [self._around(lead.token) for _, lead in leads if lead is not None]
        around = arounds[0]
        if around is None or not all(_same_around(around, each) for each in arounds):
            return False
        shared = bool(around.closed or around.keeps)
        if shared and any(lead.space != self.space for _, lead in leads if lead is not None):
            return False
        written = [self._alternative(cond, nodes, around, shared) for cond, nodes in node.alternatives]
        alternatives = [each for each in written if each is not None]
        if len(alternatives) < len(written) or not self.changed:
            return False
        if alternatives[-1][0] is not None and not shared and self.space:
            alternatives.append((None, self._text(self.space)))
        made = If(_if_op(node.op[1], alternatives), alternatives, node.cond_deps)
        before = self._closing(tuple(each.name for each in around.closed))
        if not shared:
            return self._replace(made)
        return self._replace(*self._text(self.space), *before, *(self._start_tag(around) if around.keeps else ()), made)

    changed = False

    def _alternative(
        self, cond: Cond | None, nodes: list[Node], around: _Around, shared: bool
    ) -> tuple[Cond | None, list[Node]] | None:
        lead = _lead(nodes)
        if lead is None:
            return cond, [] if shared else self._text(self.space)
        opened = self._left_open(lead.rest, around, None)
        if opened is None:
            return None
        wraps = bool(around.wrapper) and not around.keeps
        self.changed = self.changed or bool(opened or around.closed or around.wrapper)
        inside = [*lead.rest, *self._text(self.space), *self._closing(opened)]
        if wraps:
            inside = [*self._start_tag(around), *inside, *self._end_tag(around)]
        return cond, inside if shared else [*self._text(lead.space), *inside]


def _rows_name(loop: For) -> str:
    return f"troupe_rows_{loop.loop.row.bit_length()}"


def _copy(element: Element) -> Element:
    made = Element(element.name, element.ns, element.path, element.owner, element.place)
    made.html_inside = element.html_inside
    return made


def _same(one: Element, other: Element) -> bool:
    return (one.name, one.ns) == (other.name, other.ns)


def _all_same(some: list[Element] | None, others: list[Element] | None) -> bool:
    return some is not None and others is not None and len(some) == len(others) and all(map(_same, some, others))


def _same_around(around: _Around, other: _Around | None) -> bool:
    if other is None:
        return False
    return (around.wrapper, around.keeps, len(around.closed)) == (other.wrapper, other.keeps, len(other.closed))


def _if_op(node: Any, alternatives: list[tuple[Cond | None, list[Node]]]) -> tuple[Any, ...]:
    return ("if", node, tuple((cond, ops_of(nodes)) for cond, nodes in alternatives))


def _changed(loop: For, expr: Expr, body: list[Node], empty: list[Node]) -> For:
    op = (*loop.op[:3], expr, loop.op[4], ops_of(body), ops_of(empty))
    return For(op, loop.loop, loop.seq_deps, body, empty)


def ends_by_itself(elements: list[Element]) -> bool:
    """Whether these are open elements that a block may leave open."""
    return bool(elements) and all(each.is_html(IMPLIED) for each in elements)
