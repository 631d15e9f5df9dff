"""Plans: a page as blocks and slots, for the worker (worker/py/live/plan.h) to execute and for the browser to apply.

`compile_page(template, context)` gives None, or a dict:

    roots      names of the context that are read anywhere, in the order of their bits (46 and more share bit 46)
    block      the root block. Its top level is the root element; what stands before and behind it is dead.
    root       "dj-root", "body" or "wrapped": which element the root is
    wrapped    True: the template has neither dj-root nor <body>. The page is to be wrapped in <div dj-root>…</div>,
               which is not in the items; it is unit 0 of the root block all the same.
    templates  all other templates that went into it
    extends    ((ExtendsNode, parent template), …)
    variant    ((expr, value), …): the plan holds while these give these values (inlining.variant_value)

A block is a dict: items (below, in the order in which they run), classes (a letter for each slot), hash and chunk
(what browsers get: block_chunk.py), one (True: a row that is one element with nothing but white space around it), notes
({slot: (why it is a region, template, line)}).

    ("html", text)                                  static markup
    ("tag", text)                                   a tag that a parser takes for read, and no template has: left out
                                                    when a value has turned out to be other markup than was expected
    ("leaf", slot, class, flags, deps, ops)         class t text, a attribute, g tag, r raw text, h region, T title
    ("dead", deps, ops, acts, flags)                not live: made when the page's HTML is; acts: it sets variables, or
                                                    does what others may notice: evaluated all the same; flags: as a
                                                    leaf's, 0 outside of the root
    ("set", ops)                                    yields nothing, sets variables: runs whenever its block does
    ("branch", slot, deps, cond_deps, ((cond | None, block | None), …), node | None)     cond None: always
    ("list", slot, deps, seq_deps, row, loopvars, expr, reversed, node, forloop, flags, key ops | None, block,
             empty block | None)
    ("scope", deps, scope, items)                   scope: see scope_new in worker/py/template/program.h

deps are the masks of dependencies.py; flags of a leaf are PLACE_* (worker/page/html/place.h), html_elements.QUIET and
EDGE, those of a list dependencies.BY_*. A list inside whose flags say BY_PARENT takes its rows' position bit over from
the rows around it as well.
"""

import re
from typing import Any, NoReturn, Self

from django.template import Context
from django.template.base import Template

from . import block_signs, dependencies
from .block_builder import BlockBuilder, Shared
from .html_elements import HEAD_ENDS, HEAD_STARTS, IMPLIED, RAW, ascii_lower
from .html_tokenizer import AMBIGUOUS, COMMENT, END, NODE, START, TEXT, Token, Tokenizer, nodes_between
from .inlining import Inliner, Unplannable
from .nodes import Node, Place, Scope, Text, deps_of, ops_of
from .open_elements import Element, ParserRepair
from .regions import raw_end
from .text_run import TextRun

_MARKED = re.compile(r"\bdj-root\b", re.I)
_BODY = re.compile(r"<body(?=[\t\n\f\r />]|\Z)", re.I)
_ANCHOR = re.compile(r"<!--\$")
_DOCUMENT = re.compile(r"<(?:html|head|frameset)(?=[\t\n\f\r />]|\Z)", re.I)

MARKED, BODY, WRAPPED = "dj-root", "body", "wrapped"
_BEFORE, _INSIDE, _AFTER = "before", "inside", "after"


class _NoRoot(Unplannable):
    pass


def compile_page(template: Template, context: Context) -> dict[str, Any] | None:
    """The plan of a template, or None: then the page is one region. context: a Context that the page could have."""
    try:
        return plan_page(template, context)
    except Unplannable:
        return None


def plan_page(template: Template, context: Context) -> dict[str, Any]:
    """The same, but raises Unplannable, which says why."""
    try:
        return _plan_page(template, context, decide=False)
    except Unplannable as error:
        try:
            return _plan_page(template, context, decide=True)
        except Unplannable:
            raise error from None


def _plan_page(template: Template, context: Context, decide: bool) -> dict[str, Any]:
    bound, context.template = context.template, context.template or template
    try:
        inliner = Inliner(template, context, decide)
        nodes = inliner.page()
    finally:
        context.template = bound
    builder = _build(nodes)
    return {
        "roots": tuple(inliner.names.roots),
        "block": builder.block,
        "root": builder.kind,
        "wrapped": builder.kind == WRAPPED,
        "templates": tuple(inliner.templates[1:]),
        "extends": tuple(inliner.extends),
        "variant": tuple(inliner.variant),
    }


def _build(nodes: list[Node]) -> "_Root":
    for kind in _kinds(nodes):
        try:
            return _Root(Shared(), kind).build(nodes)
        except _NoRoot as error:
            missing = error
    raise missing


def _kinds(nodes: list[Node]) -> list[str]:
    """The kinds of root that the page may have, best first."""
    if any(node.holds(_ANCHOR) for node in nodes):
        raise Unplannable("a comment that looks like one of our anchors: <!--$")
    kinds = []
    if any(node.holds(_MARKED) for node in nodes):
        kinds.append(MARKED)
    if any(node.holds(_BODY) for node in nodes):
        kinds.append(BODY)
    elif not any(node.holds(_DOCUMENT) for node in nodes):
        kinds.append(WRAPPED)
    if not kinds:
        raise Unplannable("a document without a <body> tag")
    return kinds


class _Root(BlockBuilder):
    """The root block: looks for the root element first."""

    def __init__(self, shared: Shared, kind: str) -> None:
        super().__init__(shared)
        self.kind = kind
        self.marker = _MARKED if kind == MARKED else _BODY

    def build(self, nodes: list[Node]) -> Self:
        try:
            return super().build(nodes)
        except ParserRepair as error:
            raise Unplannable(str(error)) from error

    def _reset(self) -> None:
        super()._reset()
        self.titled = False
        self.element: Element | None = None
        self.phase = _BEFORE
        self.implied_body = ""  # what the parser made a <body> for, before the root's tag
        if self.kind == WRAPPED:
            self.phase = _INSIDE
            self.element = Element("div", path=(0,), owner=self)
            self.tree.stack.append(self.element)
            self.tree.top_level.units = 1

    def _inside(self) -> bool:
        return self.phase == _INSIDE

    def _token(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        if self.phase == _INSIDE:
            super()._token(tokenizer, token, place)
        else:
            self._outside(tokenizer, token, place)

    def _cover_repair(self, repair: ParserRepair, place: Place) -> NoReturn:
        if repair.cover is not None and repair.cover is self.element:
            self._wider_place(self.element, str(repair))
        super()._cover_repair(repair, place)

    def _wider_place(self, parent: Element, reason: str) -> Place | None:
        if parent is self.element:
            raise Unplannable(f"{reason}, and nothing but the root is large enough for a region")
        return super()._wider_place(parent, reason)

    # Outside of the root.

    def _outside(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        nodes = nodes_between(place.nodes, token.begin, token.end)
        if token.kind == NODE:
            self._outside_node(nodes[0], place)
            return
        if token.kind == AMBIGUOUS:
            self._outside_ambiguous(tokenizer, token, place)
            return
        raw = token.kind == START and token.name in RAW and not self.tree.foreign()
        if token.kind == START and self.phase == _BEFORE:
            if self._is_root(token):
                self._begin(token, place)
                return
            self._imply_body(token.name not in HEAD_STARTS, f"<{token.name}>")
            self.tree.start_unchecked(token)
        elif token.kind == END and self.phase == _BEFORE:
            self._imply_body(token.name in HEAD_ENDS, f"</{token.name}>")
            self.tree.end_unchecked(token)
        elif token.kind == TEXT:
            self._imply_body(not all(node.blank() for node in nodes), "text")
        if token.kind == START:
            for node in nodes:
                self._behind_body(node)
        self._dead(nodes)
        if raw:
            self._outside_raw(tokenizer, token.name, place)
        elif token.kind == COMMENT and any(node.holds(self.marker) for node in nodes if not isinstance(node, Text)):
            raise Unplannable("the root is in a comment")

    def _imply_body(self, implied: bool, what: str) -> None:
        """Notes what the parser makes a <body> for: that is then the root, with all that came before its tag."""
        if implied and not self.implied_body and not self.tree.template():
            self.implied_body = what

    def _outside_ambiguous(self, tokenizer: Tokenizer, token: Token, place: Place) -> None:
        """A tag that is not static enough. If it cannot be the root, its '<' counts as text."""
        index, offset = token.begin
        text = place.nodes[index].text
        if self.phase == _BEFORE and self.marker.search(text, offset, (text.find(">", offset) + 1) or len(text)):
            raise Unplannable(f"the root's tag has {token.reason}")
        self._html("<")
        tokenizer.position = (index, offset + 1)

    def _is_root(self, token: Token) -> bool:
        if self.kind == BODY:
            return token.name == "body"
        return token.attribute("dj-root") is not None

    def _begin(self, token: Token, place: Place) -> None:
        if token.name == "body" and (self.implied_body or self.tree.template()):
            raise Unplannable(f"{self.implied_body or '<template>'} before <body>")
        self.phase = _INSIDE
        self.element = self.tree.root(token, place)
        self._tag(token, place, self.element)

    def _outside_node(self, node: Node, place: Place) -> None:
        if isinstance(node, Scope) and self.phase == _BEFORE and not node.textual():
            self._scope(node, place)
            return
        if self.phase == _BEFORE and node.holds(self.marker):
            raise Unplannable("whether the root is there depends on a condition")
        self._behind_body(node)
        self._dead([node])

    def _dead(self, nodes: list[Node]) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self._html(node.text)
            else:
                self._dead_node(node)

    def _behind_body(self, node: Node) -> None:
        """What stands behind </body> is put into the body: if it changes, the page has to show it."""
        read = dependencies.finalize(node.deps, self.loops) & ((1 << (dependencies.ROOTS + 1)) - 1)
        if self.phase == _AFTER and read and self.element is not None and self.element.is_html(("body",)):
            raise Unplannable("a value behind </body>")

    def _dead_node(self, node: Node) -> None:
        inside = self.phase == _INSIDE
        acts = bool(node.deps & (dependencies.ACTS if inside else dependencies.SETS))
        mask = dependencies.finalize(node.deps, self.loops)
        flags = self.tree.place() if inside else 0
        last = self.level[-1] if self.level else None
        if last and last[0] == "dead" and last[3:] == [acts, flags]:
            last[1] |= mask
            last[2].append(node.op)
        else:
            self.level.append(["dead", mask, [node.op], acts, flags])

    def _outside_raw(self, tokenizer: Tokenizer, name: str, place: Place) -> None:
        begin = tokenizer.position
        found, dynamic = tokenizer.find(raw_end(name), begin)
        if found is None:
            if self.phase == _BEFORE:
                raise Unplannable(f"<{name}> does not end here")
            return
        nodes = nodes_between(place.nodes, begin, found[0])
        tokenizer.position = found[0]
        if name == "title" and dynamic and not self.titled and self.phase == _BEFORE:
            self._leaf("T", ["T"], 0, nodes)
        else:
            self._dead(nodes)
        self.titled = self.titled or name == "title"

    # Inside.

    def _evaluate_once(self, nodes: list[Node], place: Place) -> None:
        self._dead(nodes)

    def _end(self, token: Token, place: Place) -> None:
        if self._ends_body(token):
            self._end_body(token, place)
            return
        super()._end(token, place)
        if self.element not in self.tree.stack:
            if self.kind == WRAPPED:
                raise Unplannable(f"</{token.name}> closes what was not opened")
            self.phase = _AFTER
            self._flush()

    def _ends_body(self, token: Token) -> bool:
        """Whether an end tag ends the body, which is the root: what is open in it stays so, if that ends by itself."""
        root = self.element
        if token.name not in ("body", "html") or root is None or not root.is_html(("body",)):
            return False
        return all(each.is_html(IMPLIED) for each in self.tree.stack[self.tree.stack.index(root) + 1 :])

    def _end_body(self, token: Token, place: Place) -> None:
        run = self.run
        if run is not None and run.item is not None:
            self._last_text(run, run.item, place)
        self._flush()
        self._pieces(nodes_between(place.nodes, token.begin, token.end))
        self.phase = _AFTER

    def _last_text(self, run: TextRun, item: list[Any], place: Place) -> None:
        """What stands behind </body> is put into the body, or into the <p> or the like that is open at its end: the
        last text must not grow together with it.
        """
        self.run = None
        slot = self._slot("h", ["h", run.path, run.name, self.tree.unit(block_signs.of_range("h"))])
        mask = dependencies.finalize(deps_of(run.parts), self.loops)
        item[:] = ["leaf", slot, "h", run.flags, mask, ops_of(run.parts)]
        self.notes[slot] = ("text right before </body>", *place.where())

    def _finish(self) -> None:
        if self.phase == _BEFORE:
            raise _NoRoot("the root is not in the static markup")
        if self.phase == _INSIDE:
            self._unended()
        self._flush()
        self._make_block(None)

    def _unended(self) -> None:
        assert self.element is not None
        inside = self.tree.stack[self.tree.stack.index(self.element) + 1 :]
        if (self.kind == MARKED and self.element.name != "body") or any(not each.is_html(IMPLIED) for each in inside):
            raise Unplannable(f"<{ascii_lower(self.tree.innermost().name)}> does not end")
