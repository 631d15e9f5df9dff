"""Where a region ends: the first place behind something unbalanced where all tags that it opened are closed again.

Tags are counted by name. Those in an {% if %} count for that condition only, so that `{% if x %}<a>{% endif %}…
{% if x %}</a>{% endif %}` is found to be balanced.
"""

import re

from .html_elements import IMPLIED, RAW, VOID
from .html_tokenizer import AMBIGUOUS, COMMENT, END, NODE, START, TEXT, Token, Tokenizer
from .ir import Cond, Expr
from .nodes import For, If, Node, Position, Scope, Value

_CLOSE = re.compile(r">")


class _Unknown(Exception):
    """Whether the tags are balanced cannot be told."""


def raw_end(name: str) -> re.Pattern[str]:
    """The pattern of the end tag of an element whose content is no markup."""
    return re.compile(rf"</{name}(?=[\t\n\f\r />])", re.I)


def is_escaped_script(node: Node) -> bool:
    """True for content of a <script> in which a <script> in a comment hides an end tag."""
    return node.holds(re.compile("<!--")) and node.holds(re.compile("<script", re.I))


NEVER, SURELY, LIKELY = range(3)


def region_end(nodes: list[Node], begin: Position, parent: str | None, at_end: int, foreign: bool) -> Position | None:
    """The position behind the region that begins there, or None if it does not end in this list of nodes.

    parent: the name of the element that the region is in, if its end tag is to stand in the same list; it is not a
    part of the region. at_end: whether the region may go to the end of the list: if it is balanced then, or if it is
    so under conditions that are not known here (then what it is at run time is checked).
    """
    balance = _TagBalance(foreign)
    tokenizer = Tokenizer(nodes, begin)
    try:
        while not tokenizer.ended():
            here = tokenizer.position
            kind, name = balance.take(tokenizer, parent)
            if kind == "outside":
                return here if balance.perhaps_balanced() else None
            if kind != TEXT and balance.balanced():
                return tokenizer.position
    except _Unknown:
        return None
    fine = at_end and (balance.balanced() if at_end == SURELY else balance.perhaps_balanced())
    return (len(nodes), 0) if fine else None


def is_balanced(nodes: list[Node]) -> bool:
    """Whether what these nodes open they close as well, and nothing else."""
    balance = _TagBalance(False)
    tokenizer = Tokenizer(nodes)
    try:
        while not tokenizer.ended():
            balance.take(tokenizer)
    except _Unknown:
        return False
    return balance.balanced()


def content_end(nodes: list[Node], begin: Position, name: str, foreign: bool) -> Position | None:
    """The position of the end tag of an element whose content begins there, or None."""
    balance = _TagBalance(foreign)
    tokenizer = Tokenizer(nodes, begin)
    try:
        while not tokenizer.ended():
            here = tokenizer.position
            if balance.take(tokenizer, name)[0] == "outside":
                return here
    except _Unknown:
        pass
    return None


# Alternatives of {% if %}s: the texts of all its conditions, and which one it is.
_Conditions = tuple[tuple[tuple[str, ...], int], ...]


class _TagBalance:
    def __init__(self, foreign: bool) -> None:
        self.counts: dict[tuple[str, _Conditions], int] = {}  # how many elements of a name are open
        self.under: _Conditions = ()  # the conditions that hold here
        self.foreign = foreign
        # Elements that must be closed, each with what was open before it of those that need not be.
        self.enclosing: list[tuple[str, dict[tuple[str, _Conditions], int]]] = []

    def balanced(self) -> bool:
        """True if nothing is open."""
        return not any(self.counts.values())

    def perhaps_balanced(self) -> bool:
        """True if it is balanced whenever the conditions come out consistently; which they do is not known here."""
        names = {name for name, _ in self.counts}
        return all(self._total(name) == 0 for name in names)

    def _total(self, name: str) -> int:
        return sum(n for (each, _), n in self.counts.items() if each == name)

    def _open(self, name: str) -> int:
        """How many elements of that name are open for sure where we are."""
        here = set(self.under)
        return sum(n for (each, under), n in self.counts.items() if each == name and here.issuperset(under))

    def _add(self, name: str, n: int) -> None:
        key = (name, self.under)
        self.counts[key] = self.counts.get(key, 0) + n

    def take(self, tokenizer: Tokenizer, parent: str | None = None) -> tuple[str, str]:
        """Consumes one token. Its kind and name; "outside" when it ends the parent."""
        token = tokenizer.token(self.foreign)
        if token.kind == AMBIGUOUS:
            return self._ambiguous(tokenizer, token)
        if token.kind == NODE:
            self._node(tokenizer.nodes[token.begin[0]])
        elif token.kind == START:
            self._start(tokenizer, token)
        elif token.kind == END and token.name not in VOID:
            if self._open(token.name) > 0 or self._total(token.name) > 0:
                self._add(token.name, -1)
                self._implied(token.name)
            elif token.name == parent:
                return "outside", token.name
            elif token.name != "p":
                raise _Unknown
        return token.kind, token.name

    def _start(self, tokenizer: Tokenizer, token: Token) -> None:
        name = token.name
        if name in VOID or (token.closed and (self.foreign or self._open("svg") > 0 or self._open("math") > 0)):
            return
        if name not in IMPLIED:
            self.enclosing.append((name, {key: n for key, n in self.counts.items() if key[0] in IMPLIED}))
        self._add(name, 1)
        if name in RAW and not (self.foreign or self._open("svg") > 0):
            found, _ = tokenizer.find(raw_end(name), tokenizer.position)
            if found is None:
                raise _Unknown
            tokenizer.position = found[0]

    def _implied(self, name: str) -> None:
        """An end tag closes the <li>, <p>… inside its element, too. Of those themselves it is not known which is which:
        what is open in them counts until the element around them ends.
        """
        while name not in IMPLIED and self.enclosing:
            inner, before = self.enclosing.pop()
            if inner == name:
                for key in [key for key in self.counts if key[0] in IMPLIED]:
                    self.counts[key] = min(self.counts[key], before.get(key, 0))
                return

    # A tag whose name or end is not static: if it ends in this list, it is one of a name of its own.
    def _ambiguous(self, tokenizer: Tokenizer, token: Token) -> tuple[str, str]:
        found, _ = tokenizer.find(_CLOSE, token.begin)
        if found is None or token.name == "!":
            raise _Unknown
        tokenizer.position = found[1]
        name = token.name
        if token.reason == "a name that is not static":
            name += "?"
        if name.startswith("/"):
            self._add(name[1:], -1)
            if self._open(name[1:]) < 0:
                raise _Unknown
        else:
            self._add(name, 1)
        return COMMENT, name

    def _node(self, node: Node) -> None:
        if isinstance(node, Value):
            return
        if isinstance(node, If):
            self._if(node)
        elif isinstance(node, Scope):
            self._nodes(node.nodes)
        elif isinstance(node, For):
            for nodes in (node.body, node.empty):
                self._repeated(nodes)

    def _repeated(self, nodes: list[Node]) -> None:
        """A loop's body: it must leave everything as it was, but for an <li> or the like that the next one closes."""
        before, self.counts = self.counts, dict(self.counts)
        self._nodes(nodes)
        left: dict[str, int] = {}
        for (name, _), n in [*self.counts.items(), *((key, -n) for key, n in before.items())]:
            left[name] = left.get(name, 0) + n
        self.counts = before
        for name, n in left.items():
            if n and (n < 0 or name not in IMPLIED):
                raise _Unknown
            self._add(name, n)

    def _if(self, node: If) -> None:
        conds = tuple(_cond_text(cond) for cond, _ in node.alternatives)
        before = self.under
        deltas: list[dict[str, int]] = []
        for index, (_, nodes) in enumerate(node.alternatives):
            self.under = (*before, (conds, index))
            self._nodes(nodes)
            deltas.append({name: n for (name, under), n in self.counts.items() if under == self.under and n})
        if node.alternatives[-1][0] is not None:
            deltas.append({})
        if all(delta == deltas[0] for delta in deltas):
            for index in range(len(deltas)):
                for name in deltas[0]:
                    self.counts.pop((name, (*before, (conds, index))), None)
            self.under = before
            for name, n in deltas[0].items():
                self._add(name, n)
        self.under = before

    def _nodes(self, nodes: list[Node]) -> None:
        tokenizer = Tokenizer(nodes)
        while not tokenizer.ended():
            self.take(tokenizer)


def _cond_text(cond: Cond | None) -> str:
    if cond is None:
        return "else"
    if cond[0] == "value":
        return _expr_text(cond[1])
    if cond[0] == "call":
        return str(id(cond[1]))
    return f"({cond[0]} {' '.join(map(_cond_text, cond[1:]))})"


def _expr_text(expr: Expr) -> str:
    if expr[0] == "expr" and expr[1] is not None:
        return expr[1].token
    return repr(expr[1:])
