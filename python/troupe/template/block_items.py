"""The items of a block, when all of it is known."""

from collections.abc import Iterable
from typing import Any

from .effects import names_set
from .ir import Item
from .nodes import TEMPLATE_SCOPES
from .slow_path import is_watched


def finished_items(items: Iterable[Item]) -> list[tuple[Any, ...]]:
    """The items as a plan has them: tuples; scopes of static markup are that markup, unless a test wants to know of
    their template.
    """
    result = []
    for item in items:
        if item[0] == "scope":
            inside = finished_items(item[3])
            known = item[2][0] == "inclusion" or (item[2][0] in TEMPLATE_SCOPES and is_watched())
            if not known and all(each[0] == "html" for each in inside):
                result.extend(inside)
                continue
            item = (*item[:3], inside)
        if item[0] == "html" and result and result[-1][0] == "html":
            result[-1] = ("html", result[-1][1] + item[1])
        elif item[0] != "html" or item[1]:
            result.append(tuple(item))
    return result


def is_independent(names: set[str], items: Iterable[Item]) -> bool:
    """True if nothing in these items sets one of the names."""
    for item in items:
        if item[0] == "scope":
            if not is_independent(names, item[3]):
                return False
        elif item[0] in ("set", "leaf", "dead"):
            ops = item[{"set": 1, "leaf": 5, "dead": 2}[item[0]]] if len(item) > 1 else []
            sets = names_set(ops)
            if sets is None or names & sets:
                return False
    return True
