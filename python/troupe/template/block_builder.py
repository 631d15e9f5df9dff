"""Builds one block of a plan: walks its nodes with the open elements in mind, and makes items, slots and a skeleton.

Where a decision turns out to be wrong further on (a construct is not balanced, a parser would move something), it is
noted for the place in question, and the block is walked again.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any, NoReturn, Self

from . import block_signs, dependencies
from .block_chunk import chunk_hash, make_chunk
from .block_items import finished_items, is_independent
from .dependencies import Loop
from .effects import names_read
from .html_elements import EDGE, NOSCRIPT, PRE, QUIET, QUOTE_SINGLE, RAW, SLOT_RAW, ascii_lower
from .html_tokenizer import COMMENT, END, NODE, NOTHING, START, TEXT, Token, Tokenizer, nodes_between
from .implied_ends import AtBlockEnd, LeftOpen, ends_by_itself, write_out
from .inlining import Unplannable
from .ir import Cond, Ops
from .nodes import For, If, Node, Place, Scope, Text, WrittenOut, deps_of, newline_first, ops_of
from .open_elements import WHOLE_PAGE, Element, OpenElements, ParserRepair, attribute_name
from .regions import LIKELY, NEVER, SURELY, content_end, is_escaped_script, raw_end, region_end
from .text_run import TextRun

KEYS = ("dj-key", "data-key", "id")
_NEWLINES = re.compile(r"\r\n?")
_SHADOW_ROOT = re.compile(r"[\s/]shadowrootmode\b", re.I)
_MOST_ATTEMPTS = 2000


class _Retry(Exception):
    """Something was decided: walk the block again."""


class _Unbalanced(Exception):
    """The block itself cannot stand by itself. opened: what it leaves open, if that ends by itself."""

    def __init__(self, reason: str, opened: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.opened = opened


class Shared:
    """What the blocks of one page share: decisions. regions: place: why. branches: scopes that are a branch each.
    written_out: loops and conditions in which tags were looked for that an author had left out.
    """

    def __init__(self) -> None:
        self.regions: dict[tuple[int, int], str] = {}
        self.branches: set[int] = set()
        self.written_out: set[int] = set()
        self.kept: list[Node] = []  # those, so that no other gets the same id
        self.attempts = 0


class BlockBuilder:
    """One block. base: the elements around it; loops: the lists around it, outermost first; opened: the scope that it
    is, if it is one; is_row: it is shown any number of times.
    """

    def __init__(
        self,
        shared: Shared,
        base: tuple[Element, ...] = (),
        loops: tuple[Loop, ...] = (),
        opened: Scope | None = None,
        is_row: bool = False,
    ) -> None:
        self.shared = shared
        self.base = base
        self.loops = loops
        self.opened = opened
        self.is_row = is_row

    def build(self, nodes: list[Node]) -> Self:
        """Walks the nodes and returns self, whose `block` is the plan's. ParserRepair: the block cannot stand alone."""
        while True:
            self.shared.attempts += 1
            if self.shared.attempts > _MOST_ATTEMPTS:
                raise Unplannable("too many places where the markup is not balanced")
            self._reset()
            try:
                self._sequence(nodes, None)
                self._finish()
                return self
            except _Retry:
                continue
            except _Unbalanced as error:
                raise (LeftOpen(str(error), error.opened) if error.opened else ParserRepair(str(error))) from None

    def _reset(self) -> None:
        self.items: list[Any] = []
        self.level: list[Any] = self.items
        self.scopes: tuple[Scope, ...] = ()
        self.skeleton: list[str] = []
        self.classes: list[str] = []
        self.slots: list[list[Any]] = []
        self.notes: dict[int, tuple[str, str | None, int | None]] = {}
        self.run: TextRun | None = None
        self.tree = OpenElements(self, self.base)
        self.key: Ops | None = None
        self.key_name: str | None = None
        self.plain = True  # nothing stands at the top level but one element and white space

    # Walking.

    def _sequence(self, nodes: list[Node], owner: Place | None) -> None:
        tokenizer = Tokenizer(nodes)
        while not tokenizer.ended():
            place = Place(nodes, tokenizer.position, owner)
            try:
                reason = self.shared.regions.get(place.key)
                if reason is not None and self._inside():
                    self._region(tokenizer, place, reason)
                else:
                    self._token(tokenizer, tokenizer.token(self.tree.foreign()), place)
            except ParserRepair as repair:
                self._cover_repair(repair, place)

    def _inside(self) -> bool:
        return True

    def _cover_repair(self, repair: ParserRepair, place: Place) -> NoReturn:
        cover = repair.cover
        if cover is WHOLE_PAGE or (cover is not None and cover.owner is None):
            raise Unplannable(str(repair)) from None
        if cover is not None and cover.owner is not self:
            raise repair
        self._make_region(place if cover is None else cover.place, str(repair))

    def _make_region(self, place: Place | None, reason: str) -> NoReturn:
        """Makes a region at a place. If there is one already, it was not enough."""
        assert place is not None  # whatever stands in the block has one
        if place.key in self.shared.regions:
            self._widen_region(place, reason)
        self.shared.regions[place.key] = reason
        raise _Retry

    def _widen_region(self, place: Place, reason: str) -> NoReturn:
        parent = self.tree.current()
        if parent is not self.tree.top_level and parent.place is not None and parent.place.nodes is place.nodes:
            self._make_region(self._wider_place(parent, reason), reason)
        if place.owner is not None:
            self._make_region(place.owner, reason)
        raise _Unbalanced(reason)

    def _wider_place(self, parent: Element, reason: str) -> Place | None:
        """The place to begin at instead: where the parent begins."""
        return parent.place

    def _region(self, tokenizer: Tokenizer, place: Place, reason: str) -> None:
        parent = self.tree.current()
        near = parent is not self.tree.top_level and parent.place is not None and parent.place.nodes is place.nodes
        at_end = NEVER if near else SURELY if self.is_row else LIKELY
        name = ascii_lower(parent.name) if near else None
        end = region_end(place.nodes, place.position, name, at_end, self.tree.foreign())
        if end is None or end <= place.position:
            self._widen_region(place, reason)
        self._check_anchor(place)
        self._flush(EDGE)
        self._region_leaf(nodes_between(place.nodes, place.position, end), reason, place)
        tokenizer.position = end

    def _token(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        kind = token.kind
        if kind == TEXT or kind == NOTHING:
            if token.dynamic:
                raise ParserRepair("a value in <!…>", self.tree.foreign_root())
            self._static_text(nodes_between(place.nodes, token.begin, token.end))
        elif kind == NODE:
            self._node(place.nodes[token.begin[0]], place)
        elif kind == START:
            self._start(tokenizer, token, place)
        elif kind == END:
            self._end(token, place)
        elif kind == COMMENT:
            self._comment(token, place)
        else:
            raise ParserRepair(token.reason)

    # Items.

    def _html(self, text: str) -> None:
        if self.level and self.level[-1][0] == "html":
            self.level[-1][1] += text
        elif text:
            self.level.append(["html", text])

    def _markup(self, text: str) -> None:
        self._html(text)
        self.skeleton.append(text)

    def _in_document(self) -> None:
        if self.tree.template():
            raise ParserRepair("a value in <template>", self.tree.template())

    def _slot(self, kind: str, descriptor: list[Any]) -> int:
        self._in_document()
        self.classes.append(kind)
        self.slots.append(descriptor)
        return len(self.slots)

    def _leaf(self, kind: str, descriptor: list[Any], flags: int, nodes: list[Node], once: bool = False) -> int:
        slot = self._slot(kind, descriptor)
        mask = dependencies.finalize(deps_of(nodes), self.loops)
        if once:
            acts = deps_of(nodes) & dependencies.ACTS
            mask, flags = (dependencies.IMPURE, flags | QUIET) if acts else (0, flags)
        self.level.append(["leaf", slot, kind, flags, mask, ops_of(nodes)])
        return slot

    def _unit(self, kind: str) -> tuple[list[int], str, int]:
        """Counts a range of the block as a unit. (path, name, unit)."""
        if self.tree.current() is self.tree.top_level:
            self.plain = False
        current = self.tree.current()
        unit = self.tree.unit(block_signs.of_range(kind))
        self.skeleton.append(f"<!--${kind}--><!--$-->")
        return list(current.path), current.name, unit

    def _region_leaf(self, nodes: list[Node], reason: str, place: Place, once: bool = False) -> None:
        flags = self.tree.place()
        slot = self._leaf("h", ["h", *self._unit("h")], flags, nodes, once)
        self.notes[slot] = (reason, *place.where())

    def _whole_entities(self) -> None:
        if self.run is not None and self.run.half_entity():
            raise ParserRepair("an entity that may go on behind it", self.tree.parent() or WHOLE_PAGE)

    def _check_anchor(self, place: Place) -> None:
        """Before an anchor is put here: it must not split what the parser sees as one."""
        parent = self.tree.current()
        self._whole_entities()
        if not parent.is_html(("pre", "listing")) or parent.units or (self.run is not None and self.run.never_empty()):
            return
        # The parser drops a newline right behind <pre>, but not behind an anchor.
        if newline_first(place.nodes[place.position[0] :]):
            raise ParserRepair(f"the first newline in <{parent.name}>", parent)

    # Texts.

    def _static_text(self, nodes: list[Node]) -> None:
        for node in nodes:
            self.tree.text(node.blank())
            self._run().text(node)

    def _run(self) -> TextRun:
        self.run = self.run or TextRun(self)
        return self.run

    def _flush(self, edge: int = 0) -> None:
        """Ends the run of text, if there is one: an element or a unit (edge: EDGE) follows, or its parent ends."""
        run, self.run = self.run, None
        if run is None:
            return
        if run.item is None:
            text = "".join(node.text for node in run.parts)
            if run.top and text.strip("\t\n\f\r "):
                self.plain = False
            self._markup(text)
            return
        if run.top:
            self.plain = False
        slot = self._slot("t", ["t", run.path, run.name, run.gap])
        mask = dependencies.finalize(deps_of(run.parts), self.loops)
        run.item[:] = ["leaf", slot, "t", run.flags | edge, mask, ops_of(run.parts)]

    def conflict(self, scope: Scope) -> NoReturn:
        """A text begins on one side of a scope's boundary and continues on the other: the scope becomes a branch."""
        self.shared.branches.add(id(scope))
        raise _Retry

    # Nodes.

    def _node(self, node: Node, place: Place) -> None:
        if not node.visible():
            self._set(node)
        elif node.textual():
            self._value(node, place)
        elif isinstance(node, Scope) and (id(node) not in self.shared.branches or node is self.opened):
            self._scope(node, place)
        elif isinstance(node, For):
            self._list(node, place)
        else:
            assert isinstance(node, If | Scope)
            self._branch(node, place)

    def _set(self, node: Node) -> None:
        item = ["set", [node.op]]
        self.level.append(item)
        if self.run is not None:
            self.run.set(node, item)

    def _value(self, node: Node, place: Place) -> None:
        self._in_document()
        parent = self.tree.parent()
        if parent is not None and parent.is_html(("tr", "tbody", "thead", "tfoot")) and not node.blank():
            self._flush(EDGE)
            self._region_leaf([node], f"a value in <{parent.name}>: cells perhaps, or rows", place)
            return
        self.tree.text(node.blank())
        self._run().value(node)

    def _scope(self, node: Scope, place: Place) -> None:
        before = self.level, self.scopes
        inside: list[Any] = []
        item = ["scope", dependencies.finalize(node.deps, self.loops), node.scope, inside]
        self.level.append(item)
        self.level, self.scopes = inside, (*self.scopes, node)
        self._sequence(node.nodes, place)
        self.level, self.scopes = before

    def _alternatives(self, node: If | Scope) -> tuple[list[tuple[Cond | None, list[Node]]], int]:
        if isinstance(node, If):
            return node.alternatives, node.cond_deps
        return [(None, [node])], 0

    def _branch(self, node: If | Scope, place: Place) -> None:
        """{% if %}; or a scope that has to be a unit of its own, as a branch with one alternative."""
        self._check_anchor(place)
        self._flush(EDGE)
        alternatives, cond_deps = self._alternatives(node)
        opened = None if isinstance(node, If) else node
        try:
            blocks = tuple((cond, self._block(nodes, opened)) for cond, nodes in alternatives)
        except ParserRepair:
            self._write_out(node, place)
            raise
        slot = self._slot("b", ["b", *self._unit("b")])
        masks = dependencies.finalize(node.deps, self.loops), dependencies.finalize(cond_deps, self.loops)
        self.level.append(["branch", slot, *masks, blocks, None if opened else node.op[1]])

    def _block(self, nodes: list[Node], opened: Scope | None = None) -> dict[str, Any] | None:
        if not nodes:
            return None
        return BlockBuilder(self.shared, self.tree.inner(), self.loops, opened).build(nodes).block

    def _list(self, node: For, place: Place) -> None:
        self._check_anchor(place)
        self._flush(EDGE)
        loop, loops = node.loop, (*self.loops, node.loop)
        try:
            row = BlockBuilder(self.shared, self.tree.inner(), loops, is_row=True).build(node.body).as_row()
            empty = self._block(node.empty)
        except ParserRepair:
            self._write_out(node, place)
            raise
        slot = self._slot("l", ["l", *self._unit("l"), row.key_name])
        _, django_node, loopvars, expr, is_reversed = node.op[:5]
        self.level.append(
            [
                "list", slot,
                dependencies.finalize(node.deps, self.loops), dependencies.finalize(node.seq_deps, self.loops),
                dependencies.row_bit(len(self.loops)), loopvars, expr, is_reversed, django_node,
                loop.forloop, loop.flags, row.key, row.block, empty,
            ]
        )  # fmt: skip

    def _write_out(self, node: Node, place: Place) -> None:
        """Where the block of a loop or a condition does not stand by itself for want of a tag: retries with that tag.

        What follows in another block is known when that one has its tags.
        """
        if id(node) in self.shared.written_out:
            return
        self.shared.written_out.add(id(node))
        self.shared.kept.append(node)
        try:
            done = write_out(self, place, self._probe)
        except AtBlockEnd:
            if ends_by_itself(self.tree.stack[self.tree.floor :]):
                self.shared.written_out.discard(id(node))
                raise self._ends_open() from None
            return
        except ParserRepair:
            return
        if done:
            raise _Retry

    def _probe(self, nodes: list[Node], around: tuple[Element, ...], loop: For | None) -> tuple[str, ...]:
        """What these nodes leave open of what ends by itself. ParserRepair: they have another fault."""
        loops = (*self.loops, loop.loop) if loop else self.loops
        try:
            BlockBuilder(Shared(), around, loops, is_row=loop is not None).build(list(nodes))
        except LeftOpen as left:
            return left.opened
        return ()

    # Tags.

    def _start(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        self._flush()
        if token.name == "template" and self._is_shadow_root(token, place):
            self._shadow_root(tokenizer, token, place)
            return
        element = self.tree.start(token, place)
        self.tree.sign(element, token)
        self.skeleton.append(self.tree.take_implied())
        if len(element.path) == 1:
            self._top_element(token, place)
        self._tag(token, place, element)
        if self.tree.parent() is not element or not element.is_html((element.name,)):
            return
        if element.name in RAW:
            self._raw(tokenizer, element, place, once=self._ignored(token))
        elif self._ignored(token):
            self._ignored_content(tokenizer, element, place)

    def _ignored(self, token: Token) -> bool:
        """True for an element whose content belongs to another script, or to another view."""
        update = token.attribute("dj-update")
        ignore = update is not None and not update.dynamic and update.value == "ignore"
        return ignore or token.attribute("dj-ignore") is not None or token.attribute("dj-root") is not None

    def _top_element(self, token: Token, place: Place) -> None:
        """An element at the block's top level: it may have the row's key."""
        if self.tree.top_level.units != 1:
            self.plain = False
            return
        row = self.loops[-1].row if self.loops else 0
        for name in KEYS:
            attribute = token.attribute(name)
            if attribute is None or not attribute.dynamic or not attribute.quote:
                continue
            nodes = nodes_between(place.nodes, attribute.begin, attribute.end)
            if deps_of(nodes) == row:
                self.key = self._key(ops_of(nodes))
                self.key_name = name if self.key else None
                return

    def _key(self, ops: Ops) -> Ops | None:
        """The ops of the row's key, evaluated before the row: in the scopes that they stand in. None: no key."""
        for node in reversed(self.scopes):
            names = names_read(ops)
            if names is None:
                return None
            kind, *about = node.scope
            if kind == "autoescape":
                ops = [("autoescape", None, about[0], ops)]
            elif kind in ("with", "include"):
                pairs = about[1] if kind == "with" else about[2]
                if kind == "include" and about[3] and names - {name for name, _ in pairs}:
                    return None  # a name that the included template does not see
                pairs = tuple(pair for pair in pairs if pair[0] in names)
                ops = [("with", about[0], pairs, ops)] if pairs else ops
            elif kind != "block":
                return None
        names = names_read(ops)
        return ops if names is not None and is_independent(names, self.items) else None

    def _is_shadow_root(self, token: Token, place: Place) -> bool:
        nodes = nodes_between(place.nodes, token.begin, token.end)
        return not self.tree.foreign() and any(node.holds(_SHADOW_ROOT) for node in nodes)

    def _shadow_root(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        """A page's parser makes it the shadow root of its parent: then it is no node of the page, and what is in it is
        out of reach. Where a patch is parsed it stays a <template>.
        """
        end = content_end(place.nodes, token.end, token.name, False)
        if end is None:
            raise ParserRepair(f"<{token.name}> does not end here")
        tokenizer.position = end
        end = tokenizer.token().end
        self._check_anchor(place)
        self._flush(EDGE)
        nodes = nodes_between(place.nodes, token.begin, end)
        self._region_leaf(nodes, "a shadow root: rendered once", place, once=True)

    def _tag(self, token: Token, place: Place, element: Element) -> None:
        """The markup of a start tag, with slots for what is not static in it."""
        nodes = place.nodes
        if not token.dynamic:
            self._pieces(nodes_between(nodes, token.begin, token.end))
            return
        path, name = list(element.path), element.name
        dynamic = [each.name for each in token.attributes if each.dynamic]
        if token.loose or token.doubled() or any(_has_namespace(each, element) for each in dynamic):
            self._leaf("g", ["g", path, name], 0, nodes_between(nodes, token.begin, token.end))
            self.skeleton.append(f"<{token.written}{'/' * token.closed}>")
            return
        start = token.begin
        for attribute in token.attributes:
            if attribute.dynamic:
                self._pieces(nodes_between(nodes, start, attribute.begin))
                flags = QUOTE_SINGLE if attribute.quote == "'" else 0
                descriptor = ["a", path, name, attribute_name(attribute.name, element.ns)]
                self._leaf("a", descriptor, flags, nodes_between(nodes, attribute.begin, attribute.end))
                start = attribute.end
        self._pieces(nodes_between(nodes, start, token.end))

    def _pieces(self, nodes: list[Any]) -> None:
        for node in nodes:
            if isinstance(node, WrittenOut):
                self.level.append(["tag", node.text])
                self.skeleton.append(node.text)
            else:
                self._markup(node.text)

    def _raw(self, tokenizer: Tokenizer, element: Element, place: Place, once: bool) -> None:
        """The content of an element that holds text only."""
        begin = tokenizer.position
        found, dynamic = tokenizer.find(raw_end(element.name), begin)
        if found is None:
            raise ParserRepair(f"<{element.name}> does not end here", element)
        nodes: list[Any] = nodes_between(place.nodes, begin, found[0])
        if element.name == "script" and any(map(is_escaped_script, nodes)):
            raise ParserRepair("<script> in a comment in <script>", WHOLE_PAGE)
        tokenizer.position = found[0]
        if not dynamic and element.name == "noscript":  # text in the page, but markup where chunks are parsed
            for node in nodes:
                self._html(node.text)
                self.skeleton.append(escape(node.text, quote=False))
        elif not dynamic:
            self._pieces(nodes)
        elif element.name in SLOT_RAW:
            flags = {"textarea": PRE, "noscript": NOSCRIPT}.get(element.name, 0)
            self._leaf("r", ["r", list(element.path), element.name], flags, nodes, once)
        else:
            raise ParserRepair(f"a value in <{element.name}>", element)

    def _ignored_content(self, tokenizer: Tokenizer, element: Element, place: Place) -> None:
        """An ignored element: its content is rendered once and then left alone."""
        begin = tokenizer.position
        end = content_end(place.nodes, begin, ascii_lower(element.name), self.tree.foreign())
        if end is None:
            raise ParserRepair(f"<{element.name}> does not end here", element)
        nodes = nodes_between(place.nodes, begin, end)
        if all(isinstance(node, Text) for node in nodes):
            return
        self._evaluate_once(nodes, place)
        tokenizer.position = end

    def _evaluate_once(self, nodes: list[Node], place: Place) -> None:
        self._region_leaf(nodes, "looked after by another script: rendered once", place, once=True)

    def _end(self, token: Token, place: Place) -> None:
        nodes: list[Any] = nodes_between(place.nodes, token.begin, token.end)
        if not self.tree.end(token):
            for node in nodes:
                self._run().text(node)
            return
        self._flush()
        implied = self.tree.take_implied()
        if not implied:
            self._pieces(nodes)
            return
        self._html("".join(node.text for node in nodes))
        self.skeleton.append(implied)

    def _comment(self, token: Token, place: Place) -> None:
        self._flush()
        if token.dynamic:
            self._region_leaf(nodes_between(place.nodes, token.begin, token.end), "a value in a comment", place)
            return
        if self.tree.current() is self.tree.top_level:
            self.plain = False
        self.tree.unit(block_signs.COMMENT)
        self._pieces(nodes_between(place.nodes, token.begin, token.end))

    # The end.

    def _finish(self) -> None:
        if len(self.tree.stack) > self.tree.floor:
            raise self._ends_open()
        self._whole_entities()
        self._flush(EDGE)
        self._make_block(_NEWLINES.sub("\n", "".join(self.skeleton)))

    def _ends_open(self) -> _Unbalanced:
        inside = self.tree.stack[self.tree.floor :]
        opened = tuple(each.name for each in inside) if ends_by_itself(inside) else ()
        return _Unbalanced(f"<{inside[-1].name}> does not end where it began", opened)

    def as_row(self) -> Self:
        """The block is a row: if it is one element, its chunk says so."""
        if self.plain and self.tree.top_level.units == 1:
            skeleton = _NEWLINES.sub("\n", "".join(self.skeleton))
            space = "\t\n\f "
            lead, trail = len(skeleton.lstrip(space)), len(skeleton.rstrip(space))
            self._make_block(skeleton, [len(skeleton) - lead, len(skeleton) - trail])
        return self

    def _make_block(self, skeleton: str | None, element_range: list[int] | None = None) -> None:
        self.block = {
            "items": finished_items(self.items),
            "classes": "".join(self.classes),
            "hash": chunk_hash(chunk := make_chunk(skeleton, self.slots, element_range, self.tree.units)),
            "chunk": chunk,
            "one": element_range is not None,
            "notes": self.notes,
        }


def _has_namespace(name: str, element: Element) -> bool:
    return ":" in name or (name == "xmlns" and not element.is_html((element.name,)))
