"""Where a region ends: the first place behind something unbalanced where all tags that it opened are closed again.

Tags are counted by name. Those in an {% if %} count for that condition only, so that `{% if x %}<a>{% endif %}…
{% if x %}</a>{% endif %}` is found to be balanced.
"""

import re

from .html_elements import IMPLIED, RAW, VOID
from .html_tokenizer import AMBIGUOUS, COMMENT, END, NODE, START, TEXT, Tokenizer
from .nodes import For, If, Scope, Value

_CLOSE = re.compile(r">")


class _Unknown(Exception):
    """Nobody can tell."""


def raw_end(name):
    """The pattern of the end tag of an element whose content is no markup."""
    return re.compile(rf"</{name}(?=[\t\n\f\r />])", re.I)


NEVER, SURELY, LIKELY = range(3)


def region_end(nodes, begin, parent, at_end, foreign):
    """The position behind the region that begins there, or None if it does not end in this list of nodes.

    parent: the name of the element that the region is in, if its end tag is to stand in the same list; it is not a
    part of the region. at_end: whether the region may go to the end of the list: if it is balanced then, or if it is
    so under conditions that nobody knows (what it is at run time is looked at then).
    """
    count = _Count(foreign)
    source = Tokenizer(nodes, begin)
    try:
        while not source.ended():
            here = source.at
            kind, name = count.take(source, parent)
            if kind == "outside":
                return here if count.likely() else None
            if kind != TEXT and count.settled():
                return source.at
    except _Unknown:
        return None
    fine = at_end and (count.settled() if at_end == SURELY else count.likely())
    return (len(nodes), 0) if fine else None


def content_end(nodes, begin, name, foreign):
    """The position of the end tag of an element whose content begins there, or None."""
    count = _Count(foreign)
    source = Tokenizer(nodes, begin)
    try:
        while not source.ended():
            here = source.at
            if count.take(source, name)[0] == "outside":
                return here
    except _Unknown:
        pass
    return None


class _Count:
    def __init__(self, foreign):
        self.counts = {}  # (name, conditions): how many are open
        self.under = ()  # the conditions that hold here
        self.foreign = foreign
        self.around = []  # (element that must be closed, what was open before it of those that need not)

    def settled(self):
        """True if nothing is open."""
        return not any(self.counts.values())

    def likely(self):
        """True if it is balanced as far as anybody can tell who does not know what the conditions give."""
        names = {name for name, _ in self.counts}
        return all(self._total(name) == 0 for name in names)

    def _total(self, name):
        return sum(n for (each, _), n in self.counts.items() if each == name)

    def _open(self, name):
        """How many elements of that name are open for sure where we are."""
        here = set(self.under)
        return sum(n for (each, under), n in self.counts.items() if each == name and here.issuperset(under))

    def _add(self, name, n):
        key = (name, self.under)
        self.counts[key] = self.counts.get(key, 0) + n

    def take(self, source, parent=None):
        """Consumes one token. Its kind and name; "outside" when it ends the parent."""
        token = source.token(self.foreign)
        if token.kind == AMBIGUOUS:
            return self._ambiguous(source, token)
        if token.kind == NODE:
            self._node(source.nodes[token.begin[0]])
        elif token.kind == START:
            self._start(source, token)
        elif token.kind == END and token.name not in VOID:
            if self._open(token.name) > 0 or self._total(token.name) > 0:
                self._add(token.name, -1)
                self._implied(token.name)
            elif token.name == parent:
                return "outside", token.name
            elif token.name != "p":
                raise _Unknown
        return token.kind, token.name

    def _start(self, source, token):
        name = token.name
        if name in VOID or (token.closed and (self.foreign or self._open("svg") > 0 or self._open("math") > 0)):
            return
        if name not in IMPLIED:
            self.around.append((name, {key: n for key, n in self.counts.items() if key[0] in IMPLIED}))
        self._add(name, 1)
        if name in RAW and not (self.foreign or self._open("svg") > 0):
            found, _ = source.find(raw_end(name), source.at)
            if found is None:
                raise _Unknown
            source.at = found[0]

    def _implied(self, name):
        """An end tag closes the <li>, <p>… inside its element, too."""
        while self.around:
            inner, before = self.around.pop()
            if inner == name:
                for key in [key for key in self.counts if key[0] in IMPLIED]:
                    self.counts[key] = min(self.counts[key], before.get(key, 0))
                return

    # A tag whose name or end is not static: if it ends in this list, it is one of a name of its own.
    def _ambiguous(self, source, token):
        found, _ = source.find(_CLOSE, token.begin)
        if found is None or token.name == "!":
            raise _Unknown
        source.at = found[1]
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

    def _node(self, node):
        if isinstance(node, Value):
            return
        if isinstance(node, If):
            self._if(node)
        elif isinstance(node, Scope):
            self._nodes(node.nodes)
        elif isinstance(node, For):
            for nodes in (node.body, node.empty):
                self._repeated(nodes)

    def _repeated(self, nodes):
        """A loop's body: it must leave everything as it was, but for an <li> or the like that the next one closes."""
        before, self.counts = self.counts, dict(self.counts)
        self._nodes(nodes)
        left = {}
        for (name, _), n in [*self.counts.items(), *((key, -n) for key, n in before.items())]:
            left[name] = left.get(name, 0) + n
        self.counts = before
        for name, n in left.items():
            if n and (n < 0 or name not in IMPLIED):
                raise _Unknown
            self._add(name, n)

    def _if(self, node):
        conds = tuple(_cond_text(cond) for cond, _ in node.alternatives)
        before = self.under
        deltas = []
        for at, (_, nodes) in enumerate(node.alternatives):
            self.under = (*before, (conds, at))
            self._nodes(nodes)
            deltas.append({name: n for (name, under), n in self.counts.items() if under == self.under and n})
        if node.alternatives[-1][0] is not None:
            deltas.append({})
        if all(delta == deltas[0] for delta in deltas):
            for at in range(len(deltas)):
                for name in deltas[0]:
                    self.counts.pop((name, (*before, (conds, at))), None)
            self.under = before
            for name, n in deltas[0].items():
                self._add(name, n)
        self.under = before

    def _nodes(self, nodes):
        source = Tokenizer(nodes)
        while not source.ended():
            self.take(source)


def _cond_text(cond):
    if cond is None:
        return "else"
    if cond[0] == "value":
        return _expr_text(cond[1])
    if cond[0] == "call":
        return str(id(cond[1]))
    return f"({cond[0]} {' '.join(map(_cond_text, cond[1:]))})"


def _expr_text(expr):
    if expr[0] == "expr" and expr[1] is not None:
        return expr[1].token
    return repr(expr[1:])
