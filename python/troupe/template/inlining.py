"""Inlines inheritance, includes and {{ block.super }}: from ops (ir.py) to the nodes of one page (nodes.py).

What cannot be known before a page is rendered (a template whose name depends on a row, a recursion) stays one value
that is rendered in Django's way.
"""

from typing import Any

from django.template import Context
from django.template.base import Template, VariableDoesNotExist
from django.template.loader_tags import BlockNode, construct_relative_path

from .dependencies import IMPURE, SETS_LOCAL, SETS_OUTER, Binding, Block, ForLoop, Loop, Names
from .ir import Base, Cond, Expr, Op, Ops, Sets
from .lowering import lower_nodelist, values_given, with_inside
from .nodes import TEMPLATE_SCOPES, For, If, Node, Scope, Set, Text, Value, deps_of, joined
from .regions import is_balanced
from .slow_path import is_watched

Chains = dict[str, tuple[BlockNode, ...]]

_DEEPEST = 60  # includes in includes
_MOST_INCLUDES = 2000
_NAMES_OF_VARIABLES = ("asvar", "target_var", "variable", "varname", "var_name")


class Unplannable(Exception):
    """The page cannot be planned; the text says why."""


class Inliner:
    """Walks the ops of one page. context: gives templates their names, where those are variables. decide: an {% if %}
    that opens or closes elements of what is around it is decided here, if its conditions are the same everywhere: then
    the plan holds while they come out so.
    """

    def __init__(self, template: Template, context: Context, decide: bool = False) -> None:
        self.context = context
        self.decide = decide
        self.engine = template.engine
        self.names = Names()
        self.templates = [template]
        self.extends: list[tuple[Any, Template]] = []
        self.variant: list[tuple[Expr, Any]] = []
        self.watched = is_watched()
        self.loops = 0
        self.includes = 0
        self.open = [template]  # templates that are being walked
        # By name, the BlockNodes that may stand for a block, the template's own last; None: no inheritance.
        self.chains: Chains | None = None

    def page(self) -> list[Node]:
        """The nodes of the whole page."""
        with self.context.render_context.push():
            return self.nodes(lower_nodelist(self.templates[0].nodelist))

    def nodes(self, ops: Ops) -> list[Node]:
        """The nodes of a list of ops."""
        result: list[Node] = []
        for op in ops:
            walk = getattr(self, "_" + op[0], None)
            result.extend(walk(op) if walk else self._call(op))
        return joined(result)

    # One method for each kind of op that is looked into.

    def _text(self, op: Op) -> list[Node]:
        return [Text(str(op[2]), op[1])] if op[2] else []

    def _var(self, op: Op) -> list[Node]:
        expr = op[2]
        if expr[0] == "expr" and expr[2][0] == "lookup" and expr[2][2][:2] == ("block", "super"):
            return self._super(op)
        return [Value(op, self.names.expr(expr))]

    def _if(self, op: Op) -> list[Node]:
        conds = 0
        alternatives = []
        for cond, ops in op[2]:
            conds |= self.names.cond(cond)
            before = self.names.enter_condition(conds)
            alternatives.append((cond, self.nodes(ops)))
            self.names.leave_condition(before)
        if self.decide and any(not is_balanced(nodes) for _, nodes in alternatives):
            chosen = self._decided(op[1], alternatives)
            if chosen is not None:
                return chosen
        return [If(op, alternatives, conds)]

    def _decided(self, node: Any, alternatives: list[tuple[Cond | None, list[Node]]]) -> list[Node] | None:
        """What an {% if %} shows now, or None if that may be something else elsewhere on the page."""
        if not all(self._fixed_cond(cond) for cond, _ in alternatives):
            return None
        for index, (cond, nodes) in enumerate(alternatives):
            if cond is None:
                return nodes
            name = f"{{% {node.token.contents} %}}"
            name = f"condition {index + 1} of {name}" if index else name
            asked = ("cond", node.conditions_nodelists[index][0], name)
            holds = variant_value(asked, self.context)
            if holds is None:
                return None
            self.variant.append((asked, holds))
            if holds:
                return nodes
        return []

    def _for(self, op: Op) -> list[Node]:
        _, _, loopvars, expr, _, body, empty = op
        seq = self.names.expr(expr)
        loop = Loop(self.loops, self.names.loop(), self.names.beyond())
        self.loops += 1
        names: dict[str, Binding] = {"forloop": ForLoop(loop), **dict.fromkeys(loopvars, loop.row)}
        before = self.names.revision()
        nodes, set_inside, tainted = self._body(names, body)
        if self.names.revision() > before or set(set_inside) - set(names):
            # A row may read what the row before it set: walk the body again.
            names = {name: mask if name in names else IMPURE for name, mask in set_inside.items()} | names
            nodes, _, _ = self._body(names, body, tainted)
        return [For(op, loop, seq, nodes, self._body({}, empty)[0])]

    def _body(
        self, names: dict[str, Binding], ops: Ops, tainted: bool = False
    ) -> tuple[list[Node], dict[str, Binding], bool]:
        self.names.push(dict(names))
        if tainted:
            self.names.taint()
        nodes = self.nodes(ops)
        return nodes, *self.names.pop()

    def _with(self, op: Op) -> list[Node]:
        _, _, pairs, ops = op
        bound: dict[str, Binding] = {name: self.names.expr(expr) for name, expr in pairs}
        return self._scope(op, ("with", op[1], pairs), bound, ops)

    def _autoescape(self, op: Op) -> list[Node]:
        nodes = self.nodes(op[3])
        return self._kept(Scope(op, ("autoescape", op[2]), nodes, frame=False))

    def _scope(
        self, op: Op, scope: tuple[Any, ...], names: dict[str, Binding], ops: Ops, isolated: bool = False
    ) -> list[Node]:
        self.names.push(names, isolated)
        try:
            nodes = self.nodes(ops)
        finally:
            self.names.pop()
        return self._kept(Scope(op, scope, nodes))

    def _kept(self, scope: Scope) -> list[Node]:
        """A scope of static text only is that text, unless a test wants to know of its template."""
        static = all(isinstance(node, Text) for node in scope.nodes)
        return scope.nodes if static and not (self.watched and scope.scope[0] in TEMPLATE_SCOPES) else [scope]

    def _call(self, op: Op) -> list[Node]:
        _, node, reads, pure, sets = op[:5]
        mask = 0 if pure == "once" else self.names.all_of(reads)
        if not pure or sets is None:
            mask |= IMPURE
        if reads is None or sets is None:
            self.names.anything()
        self.names.note_mutation(values_given(op))
        return self._setting(op, mask, sets)

    def _setting(self, op: Op, mask: int, sets: Sets) -> list[Node]:
        """The node of a tag that sets names; None: any."""
        if sets is None:
            self.names.taint()
        upward = sets is None or any(each[0] == "cycle" for each in with_inside(op))
        for name in sets or ():
            self.names.bind(name, mask, _sets_surely(op[1]))
            if upward:
                self.names.set_outer(name)
        if sets == ():
            return [Value(op, mask)]
        return [(Set if _silent(op[1]) else Value)(op, mask | (SETS_OUTER if upward else SETS_LOCAL))]

    def _firstof(self, op: Op) -> list[Node]:
        return self._setting(op, self.names.all_of(op[2]), (op[3],) if op[3] else ())

    # Inheritance.

    def _extends(self, op: Op) -> list[Node]:
        _, node, expr, _ = op
        parent = self._parent(node, expr)
        chains: Chains = dict(self.chains or {})
        _add_blocks(chains, node.blocks)
        if not any(type(each) is type(node) for each in parent.nodelist):
            _add_blocks(chains, {each.name: each for each in parent.nodelist.get_nodes_by_type(BlockNode)})
        self.extends.append((node, parent))
        self._note(parent)
        before, self.chains = self.chains, chains
        self.open.append(parent)
        if len(self.open) > _DEEPEST:
            raise Unplannable("templates extend each other without an end")
        nodes = self.nodes(lower_nodelist(parent.nodelist))
        self.open.pop()
        self.chains = before
        return self._kept(Scope(op, ("extends", node, parent), nodes, frame=False))

    def _parent(self, node: Any, expr: Expr) -> Template:
        if not self._fixed(expr):
            raise Unplannable("the parent of {% extends %} depends on what the template itself sets")
        try:
            parent = node.get_parent(self.context)
            if expr[0] != "const":
                self.variant.append((expr, node.parent_name.resolve(self.context)))
        except Exception as error:  # rendering the page raises the same, with Django's annotations
            tag = f"{{% {node.token.contents} %}}"
            if expr[0] != "const" and not self._is_given(expr):
                raise Unplannable(f"{tag} names its parent when the page is rendered: here it has no value") from error
            raise Unplannable(f"{tag}: {error}") from error
        return parent

    def _is_given(self, expr: Expr) -> bool:
        """Whether the context has a value for an expression."""
        try:
            return bool(variant_value(expr, self.context))
        except Exception:
            return False

    def _block(self, op: Op) -> list[Node]:
        node = op[1]
        queue = (self.chains or {}).get(node.name, ())
        chosen = queue[-1] if queue else node
        return self._chosen(op, chosen, queue[:-1], op[2] if chosen is node else lower_nodelist(chosen.nodelist))

    def _chosen(self, op: Op, chosen: BlockNode, rest: tuple[BlockNode, ...], ops: Ops) -> list[Node]:
        before = self.chains
        if before is not None:
            self.chains = {**before, chosen.name: rest}
        try:
            return self._scope(op, ("block", chosen), {"block": Block(chosen.name, rest)}, ops)
        finally:
            self.chains = before

    def _super(self, op: Op) -> list[Node]:
        expr = op[2]
        binding, _ = self.names.binding("block")
        if not isinstance(binding, Block) or self.chains is None:
            return [Value(op, self.names.expr(expr))]
        before, self.names.can_fail = self.names.can_fail, False
        nodes = []
        if binding.queue:
            chosen = binding.queue[-1]
            nodes = self._chosen(op, chosen, binding.queue[:-1], lower_nodelist(chosen.nodelist))
        # A name that does not exist makes all of {{ block.super }} empty, and a filter wants all of it: one value then.
        can_fail = self.names.can_fail
        self.names.can_fail |= before
        if can_fail or expr[3] or len(expr[2][2]) > 2:
            mask = self.names.expr((*expr[:2], ("const", ""), expr[3])) | deps_of(nodes) & ~SETS_LOCAL
            # Where it failed once Django has lost the parent's block, and the next one is empty: it has a state.
            return [Value(op, mask | IMPURE if can_fail else mask)]
        return nodes

    # Includes.

    def _include(self, op: Op) -> list[Node]:
        _, node, expr, pairs, isolated = op
        template = self._included(node, expr)
        if template is None or self._is_open(template) or self.includes > _MOST_INCLUDES:
            return [Value(op, self.names.anything())]
        self.includes += 1
        self._note(template)
        bound: dict[str, Binding] = {name: self.names.expr(each) for name, each in pairs}
        ops = lower_nodelist(template.nodelist)
        before, self.chains = (self.chains, len(self.open)), None
        self.open.append(template)
        try:
            return self._scope(op, ("include", node, template, pairs, isolated), bound, ops, isolated)
        except Unplannable:
            # It says more than that, if it is rendered: which is not known here.
            return [Value(op, self.names.anything())]
        finally:
            self.chains = before[0]
            del self.open[before[1] :]

    def _inclusion(self, op: Op) -> list[Node]:
        """An inclusion tag: its function may give its template anything at every turn."""
        _, node, reads, _, sets = op[:5]
        template = self._given(node.filename)
        if template is None or self._is_open(template) or self.includes > _MOST_INCLUDES:
            return self._call(op)
        called = self._call(op)
        self.includes += 1
        before, self.chains = (self.chains, len(self.open)), None
        self.open.append(template)
        self.names.push({}, isolated=True)
        self.names.taint()
        try:
            nodes = self.nodes(lower_nodelist(template.nodelist))
        except Unplannable:
            return called
        finally:
            self.names.pop()
            self.chains = before[0]
            del self.open[before[1] :]
        self._note(template)
        scope = Scope(op, ("inclusion", node, template), nodes)
        scope.deps |= deps_of(called)
        return [scope]

    def _given(self, value: Any) -> Template | None:
        """The template that a tag's author named, or None if there is none."""
        try:
            if callable(getattr(value, "render", None)):
                value = getattr(value, "template", value)
                return value if type(value).render is Template.render else None
            if not isinstance(value, str):
                return self.engine.select_template(tuple(value))
            known = (each for each in self.templates if each.name == value and each.engine is self.engine)
            return next(known, None) or self.engine.get_template(value)
        except Exception:  # as of an include
            return None

    def _is_open(self, template: Template) -> bool:
        """Whether a template is a part of itself. A loader may give another object for the same name."""
        if len(self.open) > _DEEPEST:
            return True
        return any(each is template or (each.name and each.name == template.name) for each in self.open)

    def _included(self, node: Any, expr: Expr) -> Template | None:
        """The template, or None if it is not known before the tag runs, or does not exist."""
        if not self._fixed(expr):
            return None
        try:
            value = node.template.resolve(self.context)
            template = self._find(node, value)
        except Exception:  # of any loader: it may never run, and raises the same if it does
            return None
        if template is not None and expr[0] != "const":
            self.variant.append((expr, value))
        return template

    def _find(self, node: Any, value: Any) -> Template | None:
        if isinstance(value, str):
            value = construct_relative_path(node.origin.template_name, value)
        return self._given(value) if value or isinstance(value, str) else None

    def _fixed(self, expr: Expr) -> bool:
        """True if an expression means the same everywhere on the page: it has constants and roots in it."""
        if expr[0] == "const":
            return True
        if expr[0] != "expr" or self.names.expr(expr) & IMPURE:
            return False
        bases = (expr[2], *(value for _, args, _ in expr[3] for is_variable, value in args if is_variable))
        return all(map(self._fixed_base, bases))

    def _fixed_base(self, base: Base) -> bool:
        if base[0] != "lookup":
            return base[0] == "const"
        binding, impure = self.names.binding(base[2][0])
        return binding is None and not impure

    def _fixed_cond(self, cond: Cond | None) -> bool:
        if cond is None or cond[0] == "value":
            return cond is None or self._fixed(cond[1])
        return cond[0] != "call" and all(map(self._fixed_cond, cond[1:]))

    def _note(self, template: Template) -> None:
        if template not in self.templates:
            self.templates.append(template)


def variant_value(expr: Expr, context: Context) -> Any:
    """The value of what a plan depends on as a whole: an expr, or ("cond", condition, its name), which holds or not.
    None: the condition raises. Rendering raises the same, if it comes to it.
    """
    if expr[0] == "const":
        return expr[1]
    if expr[0] == "expr":
        return expr[1].resolve(context)
    try:
        return bool(expr[1].eval(context))
    except VariableDoesNotExist:  # as {% if %} takes it
        return False
    except Exception:
        return None


def _add_blocks(chains: Chains, blocks: dict[str, BlockNode]) -> None:
    for name, block in blocks.items():
        chains[name] = (block, *chains.get(name, ()))


def _sets_surely(node: Any) -> bool:
    """False for a tag that may leave its names alone: those may be set in an {% if %} inside."""
    return type(node).__name__ != "WidthRatioNode" and not hasattr(node, "nodelist")


def _silent(node: Any) -> bool:
    """True for Django's tags that only set a variable."""
    if not type(node).__module__.startswith("django."):
        return False
    if type(node).__name__ == "CycleNode":
        return node.silent
    return any(getattr(node, name, None) for name in _NAMES_OF_VARIABLES)
