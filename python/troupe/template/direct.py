"""Templates that code makes of a text, `Template("{{ value }}")`, where the engine is ours: a column of django-tables2
makes one for every cell.

C renders them. Django parses the text each time; here, from the second time on, the same text gives the same nodes, as
it does for a template that a cached loader found. Nodes of other classes than Django's own, which may keep something in
themselves, are made anew as ever.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.template import base

from . import native
from .lowering import is_known

MAX_TEXTS = 1000  # of one engine: texts that are made at run time must not pile up
LONGEST = 10_000  # characters


class _Parsed(NamedTuple):
    nodelist: base.NodeList
    nodes: int
    extra_data: Any  # of the parser, since Django 5.1


# Of an engine, by text; None: it was seen once, or its nodes are not to be shared.
_Texts = dict[str, _Parsed | None]

_installed: Callable[[Any], Any] | None = None


def install(engine_class: type[Any]) -> None:
    """Makes it so for engines of this class. Idempotent."""
    global _installed
    if _installed is not None:
        return
    _installed = compile_nodelist = base.Template.compile_nodelist

    def compile_or_share(self: Any) -> Any:
        if self.origin.name != base.UNKNOWN_SOURCE or not isinstance(self.engine, engine_class):
            return compile_nodelist(self)
        return _nodelist(self, compile_nodelist)

    base.Template.compile_nodelist = compile_or_share


def _nodelist(template: Any, compile_nodelist: Callable[[Any], Any]) -> Any:
    texts: _Texts = vars(template.engine).setdefault("troupe_texts", {})
    source = template.source
    known = texts.get(source, texts)
    if isinstance(known, _Parsed) and len(known.nodelist) == known.nodes:
        nodelist = known.nodelist
        if known.extra_data is not None:
            template.extra_data = known.extra_data
    else:
        nodelist = compile_nodelist(template)
        if type(nodelist) is not base.NodeList:
            return nodelist
        if known is texts and len(source) <= LONGEST:  # the first time
            if len(texts) >= MAX_TEXTS:
                texts.clear()
            texts[source] = None
        elif known is None and _are_known(nodelist):
            texts[source] = _Parsed(nodelist, len(nodelist), getattr(template, "extra_data", None))
        native.make_nodelists_native(nodelist)
    if type(template) is base.Template:
        template.__class__ = native.Template
    return nodelist


def _are_known(nodelist: base.NodeList) -> bool:
    return all(is_known(node) and all(map(_are_known, native.node_lists(node))) for node in nodelist)
