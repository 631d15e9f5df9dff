"""What a piece of a template depends on: masks, and the names that are in scope while a template is walked.

In a finished plan a mask has 64 bits. 0 to 45 are the page's first roots (names of the context), 46 all others; 47 to
61 the rows of lists by depth, deeper ones share 61; 62 is the position in the innermost list; 63: evaluate every time.
While a page is compiled each loop has two bits of its own above those, because it is not known yet which loops will be
lists: finalize() makes one of the other.

A custom tag may mutate the data that it is given: what is read later through the same name is evaluated every time.
Mutations that show under another name ({% with %}, a loop's row) are not tracked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .effects import filter_is_pure
from .ir import Base, Cond, Expr

ROOTS = 46
FIRST_ROW, LAST_ROW = 47, 61
POSITION = 1 << 62
IMPURE = 1 << 63
SETS_LOCAL = 1 << 64  # sets a variable that what follows may read: runs whenever anything around it does
SETS_OUTER = 1 << 65  # the same, and the variable may belong to a scope further out, as {% cycle … as c %} has it
SETS = SETS_LOCAL | SETS_OUTER
ACTS = SETS | IMPURE  # what is shown once must run again: {% cycle %} has a state that its other places share
_LOOPS = 66
_FINAL = (1 << 64) - 1

# What the body of a loop asks of its position.
BY_POSITION, BY_LENGTH, BY_PARENT = 1, 2, 4
_OF_LENGTH = {"revcounter", "revcounter0", "last", "length"}
_OF_POSITION = {"counter", "counter0", "first"}

_BUILTINS = {"True", "False", "None"}
_IDENTITY = ("is", "is not")


def loop_bits(number: int) -> tuple[int, int]:
    """The two bits of the page's loop of that number, while it is compiled."""
    return 1 << (_LOOPS + 2 * number), 1 << (_LOOPS + 2 * number + 1)


def union(masks: Iterable[int]) -> int:
    """All bits of some masks."""
    result = 0
    for mask in masks:
        result |= mask
    return result


def row_bit(depth: int) -> int:
    """The bit of a list's rows in a plan; depth 0: the outermost list."""
    return 1 << min(FIRST_ROW + depth, LAST_ROW)


def finalize(mask: int, loops: Sequence[Loop]) -> int:
    """The mask as a plan has it. loops: those around that are lists, outermost first; marks who asks for a position."""
    result = mask & _FINAL
    if mask & SETS:
        result |= IMPURE
    if mask >> _LOOPS:
        for depth, loop in enumerate(loops):
            if mask & loop.row:
                result |= row_bit(depth)
            if mask & loop.position:
                result |= POSITION
                for inner in loops[depth + 1 :]:
                    inner.flags |= BY_PARENT
    return result


class Loop:
    """One {% for %}: the bits that stand for its row and its position while a page is compiled, and its flags."""

    __slots__ = ("row", "position", "flags", "forloop", "outer", "beyond")

    def __init__(self, number: int, outer: Loop | None, beyond: Callable[[], int]) -> None:
        self.row, self.position = loop_bits(number)
        self.flags = 0
        self.forloop = False
        self.outer = outer
        self.beyond = beyond  # see Names.beyond()


class ForLoop:
    """The binding of `forloop` inside a loop."""

    __slots__ = ("loop",)

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def read(self, path: tuple[str, ...]) -> int:
        """What reading forloop.a.b depends on."""
        self.loop.forloop = True
        name = path[1] if len(path) > 1 else None
        if name in _OF_POSITION:
            self.loop.flags |= BY_POSITION
        elif name in _OF_LENGTH:
            self.loop.flags |= BY_POSITION | BY_LENGTH
        elif name == "parentloop":
            outer = self.loop.outer
            return ForLoop(outer).read(path[1:]) if outer is not None else self.loop.beyond()
        else:
            return self.all() | self._beyond()
        return self.loop.position

    def _beyond(self) -> int:
        outermost = self.loop
        while outermost.outer is not None:
            outermost = outermost.outer
        return outermost.beyond()

    def all(self) -> int:
        """What depends on any part of it, and of the loops around."""
        mask = 0
        loop: Loop | None = self.loop
        while loop is not None:
            loop.forloop = True
            loop.flags |= BY_POSITION | BY_LENGTH
            mask |= loop.position
            loop = loop.outer
        return mask


class Block:
    """The binding of `block` inside a {% block %}: what {{ block.super }} depends on is found when it is met."""

    __slots__ = ("name", "queue")

    def __init__(self, name: str, queue: tuple[Any, ...]) -> None:
        self.name = name
        self.queue = queue


# What a name stands for: the mask of what it depends on, or one of the names that templates themselves provide.
Binding = int | ForLoop | Block


class _Frame:
    __slots__ = ("names", "tainted", "isolated", "condition", "revision")

    def __init__(self, names: dict[str, Binding], isolated: bool) -> None:
        self.names = names
        self.tainted = False
        self.isolated = isolated
        self.condition = 0
        self.revision = 0  # see Names.revision()


class Names:
    """The scopes of a template, as Django's Context will have them, with a mask for each name."""

    def __init__(self) -> None:
        self.roots: dict[str, int] = {}  # name: index
        self.can_fail = False  # a filter was met that fails when a name does not exist
        self.upward: set[str] = set()  # names that a tag may have set in any scope
        self.mutated: set[tuple[str, ...]] = set()  # paths whose values a tag may have changed
        self.frames = [_Frame({}, False)]

    def push(self, names: dict[str, Binding], isolated: bool = False) -> None:
        """Enters a scope that binds these names; isolated: it sees nothing else."""
        self.frames.append(_Frame(names, isolated))

    def pop(self) -> tuple[dict[str, Binding], bool]:
        """Leaves it. Returns what was set inside: (names, anything at all may have been)."""
        frame = self.frames.pop()
        return frame.names, frame.tainted

    def taint(self) -> None:
        """A tag may have set any name in any scope: from here on, what reads a name is evaluated every time."""
        for frame in reversed(self.frames):
            names: dict[str, Binding] = {name: self._always(name, old) for name, old in frame.names.items()}
            if not frame.tainted or names != frame.names:
                frame.revision += 1
            frame.names, frame.tainted = names, True
            if frame.isolated:
                return

    def _always(self, name: str, binding: Binding) -> int:
        mask = binding.all() if isinstance(binding, ForLoop) else self._mask(binding, (name,))
        return mask | IMPURE

    def revision(self) -> int:
        """Grows when something is learnt that makes a second walk over ops in these scopes give other masks."""
        return len(self.upward) + len(self.mutated) + sum(frame.revision for frame in self.frames)

    def set_outer(self, name: str) -> None:
        """A tag sets a name in whichever scope has it: from here on, what reads the name is evaluated every time."""
        self.upward.add(name)

    def note_mutation(self, exprs: tuple[Expr, ...]) -> None:
        """A custom tag was given these values: it may mutate lists, dicts and objects."""
        for expr in exprs:
            if expr[0] == "expr":
                for base in (expr[2], *(value for _, args, _ in expr[3] for is_variable, value in args if is_variable)):
                    if base[0] == "lookup":
                        self.mutated.add(base[2])

    def bind(self, name: str, mask: int, surely: bool = True) -> None:
        """A tag sets a name here, or perhaps does. It may be inside an {% if %}: then the old value counts as well."""
        frame = self.frames[-1]
        if frame.condition or not surely:
            mask |= frame.condition | self.read((name,))
        frame.names[name] = mask

    def enter_condition(self, condition: int) -> int:
        """Until the answer is given back to leave_condition: what follows runs only if that holds."""
        frame = self.frames[-1]
        before = frame.condition
        # A condition of constants is one as well.
        frame.condition = before | condition | SETS_LOCAL
        return before

    def leave_condition(self, before: int) -> None:
        """See enter_condition()."""
        self.frames[-1].condition = before

    def binding(self, name: str) -> tuple[Binding | None, int]:
        """The binding of a name in the innermost scope that has one, or None; and whether it may be overlaid."""
        impure = 0
        for frame in reversed(self.frames):
            if name in frame.names:
                return frame.names[name], impure
            if frame.tainted:
                impure = IMPURE
            if frame.isolated:
                return 0, impure
        return None, impure

    def read(self, path: tuple[str, ...]) -> int:
        """What reading a.b.c depends on."""
        name = path[0]
        binding, impure = self.binding(name)
        if name in self.upward or any(_overlap(path, each) for each in self.mutated):
            impure = IMPURE
        if binding is not None:
            return self._mask(binding, path) | impure
        if name in _BUILTINS or name == "csrf_token":
            return impure
        return self.root(name) | impure

    def _mask(self, binding: Binding, path: tuple[str, ...]) -> int:
        if isinstance(binding, ForLoop):
            return binding.read(path)
        if isinstance(binding, Block):
            return IMPURE
        return binding & ~SETS

    def root(self, name: str) -> int:
        """The bit of a name of the context."""
        return 1 << min(self.roots.setdefault(name, len(self.roots)), ROOTS)

    def anything(self) -> int:
        """What a tag depends on that may read any name."""
        for frame in reversed(self.frames):
            binding = frame.names.get("forloop")
            if isinstance(binding, ForLoop):
                binding.all()
            if frame.isolated:
                break
        return IMPURE

    def loop(self) -> Loop | None:
        """The innermost loop whose `forloop` can be seen here, or None."""
        binding, _ = self.binding("forloop")
        return binding.loop if isinstance(binding, ForLoop) else None

    def beyond(self) -> Callable[[], int]:
        """For a loop that begins here: what its forloop.parentloop depends on, if it is not in a loop. A function."""
        binding, impure = self.binding("forloop")
        if binding is None:
            return lambda: self.root("forloop") | impure
        mask = 0 if isinstance(binding, ForLoop) else self._mask(binding, ("forloop",))
        return lambda: mask | impure

    # Expressions, as lowering.py writes them.

    def expr(self, expr: Expr) -> int:
        """What an expression depends on."""
        if expr[0] == "const":
            return 0
        if expr[0] == "call":
            return self.all_of(expr[2])
        _, _, base, filters = expr
        mask = self.base(base)
        for function, args, _ in filters:
            if not filter_is_pure(function):
                mask |= IMPURE
            for is_variable, value in args:
                if is_variable:
                    self.can_fail = True
                    mask |= self.base(value)
        return mask

    def base(self, base: Base) -> int:
        """What an expression without its filters depends on."""
        if base[0] == "lookup":
            return self.read(base[2])
        if base[0] == "call" and getattr(base[1], "lookups", ()) is not None:
            return self.anything()
        return 0

    def all_of(self, exprs: tuple[Expr, ...] | None) -> int:
        """What several depend on; None: anything."""
        return self.anything() if exprs is None else union(self.expr(each) for each in exprs)

    def cond(self, cond: Cond | None) -> int:
        """What a condition depends on; None: else."""
        if cond is None:
            return 0
        if cond[0] == "value":
            return self.expr(cond[1])
        if cond[0] == "call":
            return self.anything()
        mask = union(self.cond(each) for each in cond[1:])
        if cond[0] in _IDENTITY and not any(self._is_single(each) for each in cond[1:]):
            mask |= IMPURE  # equal objects need not be identical, and a turn compares their values
        return mask

    def _is_single(self, cond: Cond) -> bool:
        """True for singletons (None, True, False): for these, equal means identical."""
        if cond[0] != "value":
            return False
        expr = cond[1]
        if expr[0] == "const":
            return True
        plain = expr[0] == "expr" and not expr[3] and expr[2][0] == "lookup"
        return plain and len(expr[2][2]) == 1 and expr[2][2][0] in _BUILTINS and not self.read(expr[2][2])


def _overlap(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """True if one is the other, or what the other is a part of."""
    return all(mine == theirs for mine, theirs in zip(path, other, strict=False))
