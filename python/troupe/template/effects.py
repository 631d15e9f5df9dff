"""Effect analysis: what ops (lowering.py) read from the context, whether they are pure, and which names they set.

An op list as a whole is described by a triple (reads, pure, sets), as the grammar in lowering.py defines them.
"""

import inspect
from collections.abc import Callable
from typing import Any

from .ir import Cond, Effects, Expr, Op, Ops, Reads, Sets


def _condition_reads(condition: Cond) -> Reads:
    """The exprs that a cond reads, or None: anything."""
    if condition[0] == "value":
        return (condition[1],)
    if condition[0] == "call":
        return None
    return join_reads(*(_condition_reads(part) for part in condition[1:]))


def join_reads(*parts: Reads) -> Reads:
    """All reads of the parts; None when one of them may read anything."""
    known = [part for part in parts if part is not None]
    return tuple(expr for part in known for expr in part) if len(known) == len(parts) else None


def effects_of(ops: Ops) -> Effects:
    """(reads, pure, sets) of a list of ops that is evaluated as a whole."""
    reads: Reads = ()
    pure = True
    sets: Sets = ()
    for op in ops:
        op_reads, op_pure, op_sets = _effects_of_op(op)
        reads = join_reads(reads, op_reads) if reads is not None else None
        pure = pure and op_pure is True
        sets = sets + op_sets if sets is not None and op_sets is not None else None
    return reads, pure, sets


_OPAQUE = (None, False, None)


def _effects_of_op(op: Op) -> Effects:
    kind = op[0]
    if kind == "text":
        return (), True, ()
    if kind == "var":
        return (op[2],), expr_is_pure(op[2]), ()
    if kind == "if":
        alternatives = [effects_of(ops) for _, ops in op[2]]
        conditions = [_condition_reads(condition) for condition, _ in op[2] if condition is not None]
        return _merge(alternatives, join_reads(*conditions))
    if kind == "for":
        return _merge([effects_of(op[5]), effects_of(op[6])], (op[3],))
    if kind == "with":
        return _merge([effects_of(op[3])], tuple(value for _, value in op[2]))
    if kind == "autoescape":
        return effects_of(op[3])
    if kind == "firstof":
        return op[2], all(map(expr_is_pure, op[2])), (op[3],) if op[3] else ()
    if kind in ("block", "extends", "include"):
        return _OPAQUE
    return op[2:5]


def names_read(ops: Ops) -> set[str] | None:
    """The names of the context that ops read, or None: any. A name that they set themselves may be among them."""
    reads, _, _ = effects_of(ops)
    names: set[str] = set()
    for expr in reads if reads is not None else (("call", None, None),):
        if expr[0] == "call":
            return None
        if expr[0] == "expr":
            bases = [expr[2], *(value for _, args, _ in expr[3] for is_variable, value in args if is_variable)]
            if any(base[0] == "call" and getattr(base[1], "lookups", ()) is not None for base in bases):
                return None
            names.update(base[2][0] for base in bases if base[0] == "lookup")
    return names


def names_set(ops: Ops) -> set[str] | None:
    """The names that ops may set, or None: any."""
    sets = effects_of(ops)[2]
    return None if sets is None else set(sets)


def _merge(parts: list[Effects], reads: Reads) -> Effects:
    """The effects of ops that are evaluated as one, given those of their parts and what the ops themselves read."""
    pure = all(part_pure for _, part_pure, _ in parts) and all(expr_is_pure(expr) for expr in reads or ())
    known = [part_sets for _, _, part_sets in parts if part_sets is not None]
    sets = tuple(name for part_sets in known for name in part_sets) if len(known) == len(parts) else None
    return join_reads(reads, *(part_reads for part_reads, _, _ in parts)), pure, sets


_IMPURE_FILTERS = frozenset({"random", "timesince", "timeuntil", "naturaltime", "naturalday"})


def filter_is_pure(function: Callable[..., Any]) -> bool:
    """Whether a filter is a pure function: Django's own are, except those that read the clock or a random number."""
    plain = inspect.unwrap(function)
    module = getattr(plain, "__module__", None) or ""
    name = getattr(plain, "__name__", "random").removesuffix("_filter")  # as the functions of some are called
    return module.startswith("django.") and name not in _IMPURE_FILTERS


def expr_is_pure(expr: Expr) -> bool:
    """Whether an expr gives the same for the same values of what it reads."""
    if expr[0] == "const":
        return True
    return expr[0] == "expr" and all(filter_is_pure(function) for function, _, _ in expr[3])
