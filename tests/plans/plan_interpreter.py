"""A plan (troupe.template.plan) executed in plain Python, with Django's own nodes: what a plan means, for tests.

Slow and simple. It gives the page's HTML, with or without anchors, and beside it the value of each slot, so that a test
can look whether a parser finds the values where the plan says that they are.
"""

from contextlib import contextmanager

from django.template.base import Template
from django.template.context import make_context
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockContext, BlockNode, ExtendsNode

from troupe.template.slow_path import inclusion_context

PRE = 1


class Rendered:
    """What came out. values: {slot: text | branch | list}; a branch is (chunk number | None, values), a list
    (kind, chunk number | None, [values of each row], branch of {% empty %} | None). chunks: {hash: (number, chunk)}."""

    def __init__(self, html, values, chunks):
        self.html = html
        self.values = values
        self.chunks = chunks


def render(page, template, data, anchors=True):
    """Renders a template by its plan."""
    context = make_context(data, None, autoescape=template.engine.autoescape)
    with context.render_context.push_state(template), context.bind_template(template):
        walk = _Walk(context, anchors)
        values = walk.block(page["block"])
    html = "".join(walk.out)
    if page["wrapped"]:
        html = f"<div dj-root>{html}</div>"
    return Rendered(html, values, walk.chunks)


class _Walk:
    def __init__(self, context, anchors):
        self.context = context
        self.anchors = anchors
        self.out = []
        self.chunks = {}  # hash: (number, chunk)

    def block(self, block):
        values = {}
        self.items(block["items"], values)
        return values

    def number(self, block):
        return self.chunks.setdefault(block["hash"], (len(self.chunks), block["chunk"]))[0]

    def anchor(self, text):
        if self.anchors:
            self.out.append(f"<!--${text}-->")

    def items(self, items, values):
        for item in items:
            getattr(self, "_" + item[0])(item, values)

    def text(self, ops):
        return "".join(op[2] if op[0] == "text" else op[1].render_annotated(self.context) for op in ops)

    def _html(self, item, values):
        self.out.append(item[1])

    _tag = _html

    def _dead(self, item, values):
        self.out.append(self.text(item[2]))

    def _set(self, item, values):
        assert self.text(item[1]) == ""

    def _leaf(self, item, values):
        _, slot, kind, flags, _, ops = item
        text = values[slot] = self.text(ops)
        first = ""
        if kind == "t" and "<" in text:
            if flags & PRE and text[:1] == "\n":
                first, text = text[:1], text[1:]
            self.out.append(first)
            self.anchor("t")
        elif kind == "h":
            self.anchor("h")
        self.out.append(text)
        if kind == "h" or (kind == "t" and "<" in text):
            self.anchor("")

    def _branch(self, item, values):
        _, slot, _, _, alternatives, node = item
        for at, (cond, block) in enumerate(alternatives):
            if cond is None or self.holds(cond, node, at):
                values[slot] = self.shown("b", block)
                return
        values[slot] = self.shown("b", None)

    def holds(self, cond, node, at):
        if not hasattr(node, "conditions_nodelists"):  # the plan's own
            return cond[1][1].resolve(self.context)
        try:
            return node.conditions_nodelists[at][0].eval(self.context)
        except Exception as error:
            if not getattr(error, "silent_variable_failure", False) and type(error).__name__ != "VariableDoesNotExist":
                raise
            return None

    def shown(self, letter, block):
        if block is None:
            self.anchor(letter)
            self.anchor("")
            return None, {}
        number = self.number(block)
        self.anchor(f"{letter}{number}")
        values = self.block(block)
        self.anchor("")
        return number, values

    def _list(self, item, values):
        _, slot, _, _, _, names, expr, is_reversed, node, _, _, key, block, empty = item
        rows = (expr[1] if expr[0] == "expr" else node.sequence).resolve(self.context, ignore_failures=True)
        rows = list(rows or ())
        if is_reversed:
            rows.reverse()
        if not rows:
            values[slot] = ("e", None, [], self.shown("e", empty))
            return
        number = self.number(block)
        self.anchor(f"{'l' if key else 'p'}{number}")
        values[slot] = ("l", number, list(self.rows(rows, names, block)), None)
        self.anchor("")

    def rows(self, rows, names, block):
        outer = self.context["forloop"] if "forloop" in self.context else {}
        with self.context.push():
            for at, row in enumerate(rows):
                last = len(rows) - 1
                self.context["forloop"] = {
                    "parentloop": outer, "counter0": at, "counter": at + 1, "revcounter": last - at + 1,
                    "revcounter0": last - at, "first": at == 0, "last": at == last, "length": last + 1,
                }  # fmt: skip
                inner = dict(zip(names, row, strict=True)) if len(names) > 1 else {names[0]: row}
                if not block["one"]:
                    self.anchor(",")
                with self.context.push(inner) if len(names) > 1 else _set(self.context, inner):
                    yield self.block(block)

    def _scope(self, item, values):
        _, _, scope, items = item
        before = self.context
        with getattr(self, "_in_" + scope[0])(*scope[1:]):
            self.items(items, values)
        self.context = before

    def _in_with(self, node, pairs):
        if not hasattr(node, "extra_context"):  # the plan's own
            return self.context.push(**{name: expr[1].resolve(self.context) for name, expr in pairs})
        return self.context.push(**{name: value.resolve(self.context) for name, value in node.extra_context.items()})

    @contextmanager
    def _in_autoescape(self, setting):
        before, self.context.autoescape = self.context.autoescape, setting
        yield
        self.context.autoescape = before

    @contextmanager
    def _in_include(self, node, template, pairs, isolated):
        assert isinstance(template, Template)
        values = {name: value.resolve(self.context) for name, value in node.extra_context.items()}
        if isolated:
            self.context = self.context.new(values)
            with self.context.render_context.push_state(template):
                yield
        else:
            with self.context.push(**values), self.context.render_context.push_state(template):
                yield

    @contextmanager
    def _in_inclusion(self, node, template):
        self.context = inclusion_context(node, self.context)
        with self.context.render_context.push_state(template):
            yield

    @contextmanager
    def _in_block(self, node):
        blocks = self.context.render_context.get(BLOCK_CONTEXT_KEY)
        with self.context.push():
            if blocks is None:
                self.context["block"] = node
                yield
                return
            taken = blocks.pop(node.name)
            chosen = taken or node
            block = type(chosen)(chosen.name, chosen.nodelist)
            block.context = self.context
            self.context["block"] = block
            yield
            if taken is not None:
                blocks.push(node.name, taken)

    @contextmanager
    def _in_extends(self, node, parent):
        render_context = self.context.render_context
        blocks = render_context.setdefault(BLOCK_CONTEXT_KEY, BlockContext())
        blocks.add_blocks(node.blocks)
        if not any(isinstance(each, ExtendsNode) for each in parent.nodelist):
            blocks.add_blocks({each.name: each for each in parent.nodelist.get_nodes_by_type(BlockNode)})
        with render_context.push_state(parent, isolated_context=False):
            yield


@contextmanager
def _set(context, values):
    for name, value in values.items():
        context[name] = value
    yield
