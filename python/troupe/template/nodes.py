"""A page before it is cut into slots: ops (see lowering.py) with their inheritance and includes put in place.

Each node knows what it depends on, as bits (see dependencies.py), and the op that does all of it in Django's way, for
when it becomes a part of a slot.
"""

import re

from . import dependencies

# What begins markup in a text. A '<' at the end counts: what follows may be a name.
MARKUP = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
_SPACE = "\t\n\f\r "


class Node:
    """What all nodes have in common: `op`, and `deps`, all that its output depends on."""

    __slots__ = ("op", "deps")

    def children(self):
        """The lists of nodes inside, one for each alternative."""
        return ()

    def textual(self):
        """True if no markup of the template's own is inside."""
        return all(node.textual() for nodes in self.children() for node in nodes)

    def visible(self):
        """False if it yields nothing at all."""
        return any(node.visible() for nodes in self.children() for node in nodes)

    def blank(self):
        """True if it yields nothing but white space."""
        return all(node.blank() for nodes in self.children() for node in nodes)

    def holds(self, pattern):
        """True if a static text inside matches a pattern."""
        return any(node.holds(pattern) for nodes in self.children() for node in nodes)

    def clear_start(self):
        """True if what it yields is empty or begins with white space: it cannot go on with a name before it."""
        return all(_clear(nodes) for nodes in self.children())


def _clear(nodes):
    for node in nodes:
        if isinstance(node, Text):
            return node.text[0] in _SPACE
        if node.visible() and not node.clear_start():
            return False
    return True


class Text(Node):
    """Static text of a template, at least a character long. `start` is its place in the template's own text node."""

    __slots__ = ("text", "node", "start")

    def __init__(self, text, node, start=0):
        self.text = text
        self.node = node
        self.start = start
        self.op = ("text", node, text)
        self.deps = 0

    def part(self, begin, end):
        """The piece between two offsets."""
        return Text(self.text[begin:end], self.node, self.start + begin)

    def textual(self):
        return not MARKUP.search(self.text)

    def visible(self):
        return True

    def blank(self):
        return not self.text.strip(_SPACE)

    def holds(self, pattern):
        return bool(pattern.search(self.text))

    def line(self, offset=0):
        """The line in the template, or None."""
        token = getattr(self.node, "token", None)
        if token is None or token.lineno is None:
            return None
        return token.lineno + str.count(token.contents, "\n", 0, self.start + offset)


class Value(Node):
    """Anything that is evaluated in one piece: a variable, a tag that is not looked into."""

    __slots__ = ()

    def __init__(self, op, mask):
        self.op = op
        self.deps = mask

    def textual(self):
        return True

    def visible(self):
        return True

    def blank(self):
        return False

    def clear_start(self):
        return False


class Set(Value):
    """A tag that yields nothing and sets variables."""

    __slots__ = ()

    def visible(self):
        return False

    def blank(self):
        return True

    def clear_start(self):
        return True


class If(Node):
    """{% if %}: `alternatives` are (cond, nodes), and `cond_deps` what decides between them."""

    __slots__ = ("alternatives", "cond_deps")

    def __init__(self, op, alternatives, cond_deps):
        self.op = op
        self.alternatives = alternatives
        self.cond_deps = cond_deps
        self.deps = cond_deps | dependencies.union(node.deps for _, nodes in alternatives for node in nodes)

    def children(self):
        return [nodes for _, nodes in self.alternatives]


class Loop:
    """One {% for %}: the bits that stand for its row and its position while a page is compiled, and its flags."""

    __slots__ = ("row", "position", "flags", "forloop", "outer", "beyond")

    def __init__(self, number, outer, beyond):
        self.row, self.position = dependencies.loop_bits(number)
        self.flags = 0
        self.forloop = False
        self.outer = outer
        self.beyond = beyond  # see Names.beyond()


class For(Node):
    """{% for %}. Seen from outside, it depends on its sequence wherever its body depends on its row."""

    __slots__ = ("loop", "seq_deps", "body", "empty")

    def __init__(self, op, loop, seq_deps, body, empty):
        self.op = op
        self.loop = loop
        self.seq_deps = seq_deps
        self.body = body
        self.empty = empty
        inside = dependencies.union(node.deps for node in body) & ~(loop.row | loop.position)
        self.deps = (seq_deps | inside | dependencies.union(node.deps for node in empty)) & ~dependencies.LEAK

    def children(self):
        return [self.body, self.empty]


class Scope(Node):
    """with, include, block, autoescape, extends: `scope` is what the plan says of it."""

    __slots__ = ("scope", "nodes")

    def __init__(self, op, scope, nodes, frame=True):
        self.op = op
        self.scope = scope
        self.nodes = nodes
        self.deps = dependencies.union(node.deps for node in nodes)
        if frame:
            self.deps &= ~dependencies.LEAK

    def children(self):
        return [self.nodes]


def newline_first(nodes):
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


def joined(nodes):
    """The same nodes; texts that touch are one."""
    result = []
    for node in nodes:
        if isinstance(node, Text) and result and isinstance(result[-1], Text):
            last = result[-1]
            result[-1] = Text(last.text + node.text, last.node, last.start)
        else:
            result.append(node)
    return result


def deps_of(nodes):
    """All that these nodes depend on."""
    return dependencies.union(node.deps for node in nodes)


def ops_of(nodes):
    """The ops that yield what these nodes yield."""
    return [node.op for node in nodes]
