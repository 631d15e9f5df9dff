"""The open elements, as an HTML parser has them while it reads a template's static tags.

Follows what the parser does by itself where that is certain (an <li> that closes the one before it, an implied
<tbody>) and raises ParserRepair where it would move, drop or repeat something: then a region covers the place. The
rules are those of the HTML standard's tree construction; tests/browser/test_parser_rules.py asks Chromium.
"""

from __future__ import annotations

from collections.abc import Container

from . import block_signs
from .html_elements import (
    BREAKOUT,
    BUTTON_SCOPE,
    CELLS,
    FOREIGN,
    FORMATTING,
    HEADINGS,
    HTML,
    IMPLIED,
    IN_A,
    IN_BUTTON,
    IN_DD,
    IN_FORM,
    IN_LI,
    IN_P,
    KNOWN,
    MARKERS,
    MATH,
    NEVER,
    P_CLOSERS,
    PARENTS,
    RUBY_PARTS,
    SCOPE,
    SECTIONS,
    SPECIAL,
    STRONG_ENDS,
    SVG,
    SVG_ATTRIBUTES,
    SVG_NAMES,
    SVG_POINTS,
    TABLE_PARTS,
    TABLE_SCOPE,
    TABLEISH,
    TEXT_POINTS,
    VOID,
    ascii_lower,
)
from .html_tokenizer import Token
from .nodes import Place


class ParserRepair(Exception):
    """The parser would repair the markup here. cover: the element that a region must cover; None: this place."""

    def __init__(self, reason: str, cover: Element | _WholePage | None = None) -> None:
        super().__init__(reason)
        self.cover = cover


class _WholePage:
    """What a region must cover when none is large enough."""

    owner = place = None


WHOLE_PAGE = _WholePage()


class Element:
    """An open element. path: unit indexes from the block's top level. units: its child nodes so far that are no texts.

    owner: the builder whose block it stands in; place: where its tag begins. Both None for what is outside of the root.
    """

    __slots__ = ("name", "ns", "path", "units", "owner", "place", "html_inside")

    def __init__(
        self,
        name: str,
        ns: str = HTML,
        path: tuple[int, ...] = (),
        owner: object | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = name
        self.ns = ns
        self.path = path
        self.units = 0
        self.owner = owner
        self.place = place
        self.html_inside = ns == HTML or (ns == SVG and name in SVG_POINTS) or (ns == MATH and name in TEXT_POINTS)

    def is_html(self, names: Container[str]) -> bool:
        """True for an HTML element whose name is one of these."""
        return self.ns == HTML and self.name in names


class OpenElements:
    """The stack of open elements of one block. base: those around the block, outermost first; they stay open."""

    def __init__(self, owner: object, base: tuple[Element, ...]) -> None:
        self.owner = owner
        self.stack = list(base)
        self.floor = len(base)
        self.top_level = Element("", path=())  # stands for the block itself
        self.implied = ""
        self.units: dict[tuple[int, ...], list[str]] = {}  # what is signed of each unit (block_signs.py), by path

    def parent(self) -> Element | None:
        """What the next node becomes a child of, for the parser's rules: perhaps an element around the block."""
        return self.stack[-1] if self.stack else None

    def innermost(self) -> Element:
        """The same where it is known that there is one."""
        return self.stack[-1]

    def current(self) -> Element:
        """The same for addresses: the block's top level, or an element of its own."""
        return self.stack[-1] if len(self.stack) > self.floor else self.top_level

    def unit(self, signed: str) -> int:
        """Counts a unit in the current element; its index."""
        current = self.current()
        current.units += 1
        self.units.setdefault(current.path, []).append(signed)
        return current.units - 1

    def sign(self, element: Element, token: Token) -> None:
        """Notes what is signed of an element that begins with this tag."""
        self.units[element.path[:-1]][element.path[-1]] = block_signs.of_element(element.name, token)

    def foreign(self) -> bool:
        """True where svg's or math's rules hold."""
        parent = self.parent()
        return parent is not None and not parent.html_inside

    def inner(self) -> tuple[Element, ...]:
        """The elements that a block inside here has around it."""
        return tuple(self.stack)

    def take_implied(self) -> str:
        """The tags that the parser implied since the last call, as markup.

        What it implies may depend on elements further out than the parent, which is all that a chunk is parsed in
        (ruby around an <rt>). So chunks have these tags in full.
        """
        implied, self.implied = self.implied, ""
        return implied

    # Looking up the stack.

    def _find(self, names: Container[str], barriers: Container[str] = frozenset()) -> Element | None:
        """The innermost open element of these names that no barrier hides, or None."""
        for element in reversed(self.stack):
            if element.name in names and element.ns == HTML:
                return element
            if element.name in barriers and (element.ns == HTML or element.name in ("svg", "math")):
                return None
        return None

    def table(self) -> Element | None:
        """The innermost table, or None."""
        return self._find(("table",))

    def template(self) -> Element | None:
        """The innermost <template>, or None: what is inside is no part of the document."""
        return self._find(("template",))

    def place(self) -> int:
        """Flags that say what is open here, for values that turn out to be markup (worker/page/html/place.h)."""
        parent = self.parent()
        flags = KNOWN
        if parent is None:
            return flags
        if self.foreign():
            flags |= FOREIGN
        flags |= PARENTS.get(parent.name, 0) if parent.ns == HTML else 0
        names = {element.name for element in self.stack if element.ns == HTML}
        for name, flag in (("p", IN_P), ("a", IN_A), ("button", IN_BUTTON), ("form", IN_FORM)):
            if name in names:
                flags |= flag
        if "li" in names and self._find(("li",), ("ul", "ol", "menu")):
            flags |= IN_LI
        if self._find(("dd", "dt"), ("dl",)):
            flags |= IN_DD
        return flags

    # Texts.

    def text(self, blank: bool) -> None:
        """A text stands here; blank: white space only."""
        parent = self.parent()
        if not blank and parent is not None and parent.is_html(TABLEISH):
            raise ParserRepair(f"text in <{parent.name}>", self.table() or parent)

    # Start tags.

    def start(self, token: Token, place: Place) -> Element:
        """A start tag. The new element, which is open now unless it is void; its unit is counted.

        Raises ParserRepair before it changes anything.
        """
        name = token.name
        if self.foreign():
            return self._start_foreign(token, place)
        parent = self.parent()
        if name in NEVER:
            raise ParserRepair(NEVER[name], WHOLE_PAGE)
        if name in ("mglyph", "malignmark") and parent is not None and parent.ns == MATH:
            raise ParserRepair(f"<{name}> in <{parent.name}>", self.foreign_root())
        if parent is not None and parent.is_html(("select", "option", "optgroup")) and self._find(("select",)):
            self._in_select(name)
        elif parent is not None and parent.is_html(TABLEISH):
            self._in_table(token)
        elif name in TABLE_PARTS:
            self._table_part(token)
        self._close_implied(name)
        self._check_nesting(name)
        if name in ("svg", "math"):
            return self._push(name, SVG if name == "svg" else MATH, place, void=token.closed)
        return self._push("img" if name == "image" else name, HTML, place, void=name in VOID or name == "image")

    def _push(self, name: str, ns: str, place: Place | None, void: bool) -> Element:
        current = self.current()
        element = Element(name, ns, (*current.path, current.units), self.owner, place)
        self.unit(f"{name}|")
        if void:
            return element
        self.stack.append(element)
        return element

    def _start_foreign(self, token: Token, place: Place) -> Element:
        parent = self.innermost()
        name = token.name
        if name in BREAKOUT or (name == "font" and may_have(token, "color", "face", "size")):
            raise ParserRepair(f"<{name}> in <{parent.name}>", self.foreign_root())
        if name == "annotation-xml" and parent.ns == MATH and may_have(token, "encoding"):
            # It holds HTML, but not where a browser parses a chunk: the parent that it makes has no attributes.
            raise ParserRepair("<annotation-xml> of some encoding", self.foreign_root())
        adjusted = SVG_NAMES.get(name, name) if parent.ns == SVG else name
        ns = SVG if name == "svg" and parent.name == "annotation-xml" else parent.ns
        return self._push(adjusted, ns, place, void=token.closed)

    def foreign_root(self) -> Element | None:
        """The outermost element of the svg or math that we are in, or None."""
        found = None
        for element in reversed(self.stack):
            if element.ns == HTML:
                break
            found = element
        return found

    def _close(self, element: Element, why: str) -> None:
        """The parser closes this element, and with it what is open inside."""
        index = self.stack.index(element)
        if index < self.floor:
            raise ParserRepair(why, element)
        for each in self.stack[index + 1 :]:
            if not each.is_html(IMPLIED):
                raise ParserRepair(why, element)
        self.implied += "".join(f"</{each.name}>" for each in reversed(self.stack[index:]))
        del self.stack[index:]

    def _close_implied(self, name: str) -> None:
        """What a start tag closes before it opens its own element."""
        if name in ("li", "dd", "dt"):
            self._close_item(("li",) if name == "li" else ("dd", "dt"), name)
        if name in P_CLOSERS:
            found = self._find(("p",), BUTTON_SCOPE)
            if found and name == "table":
                raise ParserRepair("<table> in <p>, which it closes only in a page with a doctype", found)
            if found:
                self._close(found, f"<{name}> closes a <p>")
        parent = self.parent()
        if parent is None:
            return
        if name in ("option", "optgroup") and parent.is_html(("option",)):
            self._close(parent, f"<{name}> in <option>")
        elif name in RUBY_PARTS and self._find(("ruby",), SCOPE):
            while self.innermost().is_html(RUBY_PARTS[name]):
                self._close(self.innermost(), f"<{name}> closes <{self.innermost().name}>")
        elif name in HEADINGS and parent.is_html(HEADINGS):
            raise ParserRepair(f"<{name}> in <{parent.name}>", parent)

    def _close_item(self, names: Container[str], name: str) -> None:
        for element in reversed(self.stack):
            if element.is_html(names):
                self._close(element, f"<{name}> closes <{element.name}>")
                return
            if element.ns != HTML or (element.name in SPECIAL and element.name not in ("address", "div", "p")):
                return

    def _check_nesting(self, name: str) -> None:
        """Elements that must not be nested in one of their own kind."""
        if name in ("a", "nobr"):
            found = self._find((name,), MARKERS)
        elif name == "button":
            found = self._find((name,), SCOPE)
        elif name == "form":
            found = self._find((name,), ("template",))
        elif name == "select":
            found = self._find((name,), ("template",))
        else:
            return
        if found:
            raise ParserRepair(f"<{name}> in <{name}>", found)

    def _in_select(self, name: str) -> None:
        if name in ("option", "optgroup", "hr"):
            while self.innermost().is_html(("option",) if name == "option" else ("option", "optgroup")):
                self._close(self.innermost(), f"<{name}> in <{self.innermost().name}>")
        elif name not in ("script", "template"):
            raise ParserRepair(f"<{name}> in <select>", self._find(("select",)))

    # Tables.

    def _in_table(self, token: Token) -> None:
        """A start tag while the innermost element is a table, a part of it that holds parts, or a colgroup."""
        name, parent = token.name, self.innermost()
        if name in ("style", "script", "template") and parent.name != "colgroup":
            return
        if parent.name == "colgroup":
            if name not in ("col", "template"):
                self._close(parent, f"<{name}> closes <colgroup>")
                self._in_table(token)
        elif name == "input" and _static(token, "type") == "hidden":
            return
        elif parent.name == "table":
            self._in_bare_table(name, parent)
        elif parent.name == "tr":
            if name not in CELLS:
                self._leave_row(token, parent)
        elif name != "tr":
            self._leave_row(token, parent)

    def _in_bare_table(self, name: str, table: Element) -> None:
        around = {"tr": "tbody", "col": "colgroup"}.get(name)
        if around is not None:
            if table.owner is not self.owner or self.current() is self.top_level:
                raise ParserRepair(f"<{name}> without <{around}>", table)
            self._push(around, HTML, table.place, void=False)
            self.implied += f"<{around}>"
        elif name not in SECTIONS and name not in ("caption", "colgroup"):
            raise ParserRepair(f"<{name}> in <table>", table)

    def _leave_row(self, token: Token, parent: Element) -> None:
        closers = TABLE_PARTS - CELLS if parent.name == "tr" else TABLE_PARTS - CELLS - {"tr"}
        if token.name not in closers:
            raise ParserRepair(f"<{token.name}> in <{parent.name}>", self.table() or parent)
        self._close(parent, f"<{token.name}> closes <{parent.name}>")
        if not self.innermost().is_html(TABLEISH):
            raise ParserRepair(f"<{token.name}> without <table>")
        self._in_table(token)

    def _table_part(self, token: Token) -> None:
        """<tr>, <td> and their like, while something else than a part of a table is innermost."""
        name = token.name
        cell = self._find((*CELLS, "caption"), TABLE_SCOPE)
        if cell is None:
            if self.stack and self.innermost().is_html(("template",)):
                return
            raise ParserRepair(f"<{name}> outside of a table")
        self._close(cell, f"<{name}> closes <{cell.name}>")
        self._in_table(token)

    # End tags.

    def end(self, token: Token) -> bool:
        """An end tag; the elements that it closes are taken off. False if a parser drops it.

        An end tag without an element is dropped, but </p> and </br> make one.
        """
        name = token.name
        if name == "br":
            return self._out_of_nothing(name)
        foreign = True  # so far all of them are, from the innermost on
        for element in reversed(self.stack):
            foreign = foreign and element.ns != HTML
            if ascii_lower(element.name) == name and (element.ns == HTML or foreign):
                return self._end_of(element)
            if name in HEADINGS and element.is_html(HEADINGS):
                raise ParserRepair(f"</{name}> ends <{element.name}>", element)
            if name not in FORMATTING and element.is_html(SCOPE) and name not in TABLEISH:
                break
        return self._end_of_nothing(name)

    def _end_of(self, element: Element) -> bool:
        index = self.stack.index(element)
        why = f"</{element.name}> where <{self.stack[-1].name}> is open"
        if index < self.floor:
            raise ParserRepair(f"</{element.name}> closes what was opened outside")
        for inner in self.stack[index + 1 :]:
            if inner.is_html(FORMATTING):
                raise ParserRepair(f"<{inner.name}> is left open", WHOLE_PAGE)
            closes = element.is_html(STRONG_ENDS) or not inner.is_html(SPECIAL)
            if not inner.is_html(IMPLIED) or not closes:
                raise ParserRepair(why, element)
        del self.stack[index:]
        return True

    def _end_of_nothing(self, name: str) -> bool:
        if name == "p":
            if self._find(("p",)):
                raise ParserRepair("</p> closes what was opened outside")
            return self._out_of_nothing(name)
        if name in ("body", "html"):  # comments behind it, our anchors too, are put elsewhere
            raise ParserRepair(f"</{name}> closes what was not opened", WHOLE_PAGE)
        if self._find((name,)):
            raise ParserRepair(f"</{name}> in the wrong place")
        return False

    def _out_of_nothing(self, name: str) -> bool:
        """</p> and </br> make an element, in most places."""
        parent = self.parent()
        if parent is not None and parent.is_html(TABLEISH):
            raise ParserRepair(f"</{name}> in <{parent.name}>", self.table() or parent)
        if self.foreign() or self._find(("select",)):
            cover = self.foreign_root() or self._find(("select",))
            raise ParserRepair(f"</{name}> in <{self.innermost().name}>", cover)
        self.unit(f"{name}|")
        self.implied += "<br>" if name == "br" else "<p></p>"
        return True

    # Outside of the root nothing is checked.

    def start_unchecked(self, token: Token) -> None:
        """A start tag before the root. It is only remembered."""
        name = token.name
        parent = self.parent()
        if name in VOID or (token.closed and self.foreign()):
            return
        if name in P_CLOSERS:
            found = self._find(("p",), BUTTON_SCOPE)
            if found:
                del self.stack[self.stack.index(found) :]
        self.stack.append(Element(*self._name_here(name, parent)))

    def _name_here(self, name: str, parent: Element | None) -> tuple[str, str]:
        if name in ("svg", "math"):
            return name, SVG if name == "svg" else MATH
        if parent is not None and not parent.html_inside:
            return (SVG_NAMES.get(name, name) if parent.ns == SVG else name), parent.ns
        return name, HTML

    def end_unchecked(self, token: Token) -> None:
        """An end tag before the root."""
        for index in range(len(self.stack) - 1, -1, -1):
            if ascii_lower(self.stack[index].name) == token.name:
                del self.stack[index:]
                return

    def root(self, token: Token, place: Place) -> Element:
        """The root's start tag: from here on everything counts. Returns the root element."""
        name, ns = self._name_here(token.name, self.parent())
        self.floor = len(self.stack)
        return self._push(name, ns, place, void=False)


def attribute_name(name: str, ns: str) -> str:
    """The name that the parser gives an attribute of an element in that namespace."""
    if ns == SVG:
        return SVG_ATTRIBUTES.get(name, name)
    return "definitionURL" if ns == MATH and name == "definitionurl" else name


def _static(token: Token, name: str) -> str | None:
    """An attribute's value in lower case, or None where it is not known: one may come before it, too."""
    attribute = token.attribute(name)
    if attribute is None or attribute.dynamic or token.loose:
        return None
    return ascii_lower(attribute.value)


def may_have(token: Token, *names: str) -> bool:
    """Whether a tag has one of these attributes, as far as that is known before values are."""
    return token.loose or any(token.attribute(name) for name in names)
