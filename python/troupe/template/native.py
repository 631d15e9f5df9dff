"""Templates that C renders: the Template and NodeList classes whose render() is C, and what makes a parsed one such.

Only the classes change here. C lowers a node list (lowering.py) and compiles it when it is first rendered.
"""

import sys
from collections.abc import Iterator
from typing import Any

from django.template import base


def _runtime() -> Any:
    """The C side of this module. A worker has it built in; elsewhere it comes with the extension module."""
    if "troupe._render" not in sys.modules:
        from troupe import _native  # noqa: F401  (it registers troupe._render)
    return sys.modules["troupe._render"]


runtime = _runtime()


class NodeList(base.NodeList):
    """A list of nodes whose render() is C. Its program is built at the first render and goes with it."""


class Template(base.Template):
    """A template whose render() is C: what make_native() turns a parsed template into."""


runtime.install(NodeList, Template)


def _node_lists(value: Any, depth: int = 0) -> Iterator[base.NodeList]:
    """The node lists that an attribute of a node holds, in tuples, lists and dicts too."""
    if isinstance(value, base.NodeList):
        yield value
    elif type(value) in (list, tuple) and depth < 4:
        for item in value:
            yield from _node_lists(item, depth + 1)
    elif type(value) is dict and depth < 4:
        for item in value.values():
            yield from _node_lists(item, depth + 1)


def node_lists(node: Any) -> Iterator[base.NodeList]:
    """The node lists inside a node."""
    for value in getattr(node, "__dict__", {}).values():
        yield from _node_lists(value)


def make_nodelists_native(nodelist: base.NodeList) -> None:
    """Makes C render a node list and all node lists inside it. Lists of other classes keep their own render()."""
    pending, seen = [nodelist], set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if type(current) is base.NodeList and all(isinstance(node, base.Node) for node in current):
            current.__class__ = NodeList
        for node in current:
            pending.extend(node_lists(node))


def make_native(template: base.Template) -> base.Template:
    """Makes C render a parsed django.template.base.Template, and returns it. Idempotent."""
    if type(template.nodelist) is base.NodeList:
        make_nodelists_native(template.nodelist)
    if type(template) is base.Template:
        template.__class__ = Template
    return template
