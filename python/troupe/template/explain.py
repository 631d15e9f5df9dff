"""A plan in words, as EXPLAIN does for a query: what became a slot, what each depends on, and what is a region, why."""

import json

from . import dependencies

_CLASSES = {"t": "text", "a": "attribute", "g": "tag", "r": "raw text", "h": "region", "T": "page title"}
_LONGEST = 70


def explain(page):
    """An outline of a page (plan.compile_page), a line for each slot."""
    lines = ["root: " + ("a <div dj-root> around all of it" if page["wrapped"] else "found in the template")]
    for template in page["templates"]:
        lines.append(f"with: {template.name}")
    for expr, value in page["variant"]:
        lines.append(f"holds while {expr[1].token} is {getattr(value, 'name', value)}")
    _Outline(page["roots"], lines).block(page["block"], 0)
    return "\n".join(lines)


def count_slots(page):
    """How many slots of each class a page has, {class: number}, and its regions: [(reason, template, line)]."""
    classes, regions = {}, []

    def visit(block):
        for letter in block["classes"]:
            classes[letter] = classes.get(letter, 0) + 1
        regions.extend(block["notes"].values())
        for inner in inner_blocks(block):
            visit(inner)

    visit(page["block"])
    return classes, regions


def inner_blocks(block):
    """The blocks of its branches and lists, each as often as it stands there."""
    return _inner(block["items"])


def _inner(items):
    for item in items:
        if item[0] == "scope":
            yield from _inner(item[3])
        elif item[0] == "branch":
            yield from (block for _, block in item[4] if block)
        elif item[0] == "list":
            yield from (block for block in item[12:14] if block)


class _Outline:
    def __init__(self, roots, lines):
        self.roots = roots
        self.lines = lines

    def say(self, depth, text):
        self.lines.append("  " * depth + text)

    def block(self, block, depth):
        places = json.loads(block["chunk"])["s"]
        self.items(block["items"], block, places, depth)

    def items(self, items, block, places, depth):
        for item in items:
            if item[0] == "scope":
                self.items(item[3], block, places, depth)
            elif item[0] == "leaf":
                self.leaf(item, block, places, depth)
            elif item[0] == "branch":
                self.branch(item, depth)
            elif item[0] == "list":
                self.list(item, depth)
            elif item[0] == "dead":
                self.say(depth, f"not live: {source(item[2])}")

    def leaf(self, item, block, places, depth):
        _, slot, letter, _, mask, ops = item
        place = places[slot - 1]
        where = f" in <{place[2]}>" if len(place) > 2 and place[2] else ""
        name = f" {place[3]}" if letter == "a" else ""
        self.say(depth, f"{slot} {_CLASSES[letter]}{name}{where}: {source(ops)}  ({self.reads(mask)})")
        if slot in block["notes"]:
            reason, template, line = block["notes"][slot]
            at = f", line {line} of {template or 'the template'}" if line else ""
            self.say(depth, f"    a region because of {reason}{at}")

    def branch(self, item, depth):
        _, slot, _, mask, alternatives, node = item
        told = f"{_tag(node)}  ({self.reads(mask)})" if node else "a part that keeps texts apart"
        self.say(depth, f"{slot} branch: {told}")
        for at, (_, block) in enumerate(alternatives):
            if at:
                self.say(depth, "  or")
            if block:
                self.block(block, depth + 1)

    def list(self, item, depth):
        _, slot, _, mask, _, _, _, _, node, _, _, key, block, empty = item
        keyed = f"by key {source(key)}" if key else "by position"
        self.say(depth, f"{slot} list {keyed}: {_tag(node)}  ({self.reads(mask)})")
        self.block(block, depth + 1)
        if empty:
            self.say(depth, "  or, if it is empty")
            self.block(empty, depth + 1)

    def reads(self, mask):
        """What a mask stands for, in words."""
        words = [name for at, name in enumerate(self.roots) if mask & (1 << min(at, dependencies.ROOTS))]
        if mask & sum(1 << bit for bit in range(dependencies.FIRST_ROW, dependencies.LAST_ROW + 1)):
            words.append("its row")
        if mask & dependencies.POSITION:
            words.append("its position")
        if mask & dependencies.IMPURE:
            words.append("always")
        return ", ".join(words) or "once"


def source(ops):
    """Ops as they stand in the template, shortened."""
    text = "".join(op[2] if op[0] == "text" else _tag(op[1]) for op in ops)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _tag(node):
    token = getattr(node, "token", None)
    if token is None:
        return "{…}"
    pair = ("{{ %s }}", "{%% %s %%}")[token.token_type.name != "VAR"]
    return pair % token.contents
