"""The slow path of rendering: what C calls (worker/py/template/django.h) on errors, for unusual classes, and when a
template is first used.

These functions do what Django does there, so that messages, logs and annotations are the same.
"""

import inspect
import sys
from typing import Any, NoReturn

from django import VERSION, urls
from django.template import base, loader_tags
from django.template.context import BaseContext
from django.utils.translation import override

from . import originals


class _Raiser(base.Node):
    """Stands in for a node that failed in C, so that Django's own code annotates the exception."""

    def __init__(self, node: Any, error: BaseException) -> None:
        self.error = error
        self.token = getattr(node, "token", None)
        if hasattr(node, "origin"):
            self.origin = node.origin

    def render(self, context: Any) -> str:
        raise self.error


def annotate(node: Any, context: Any, error: BaseException) -> None:
    """Raises `error` as node.render_annotated(context) would."""
    raiser = _Raiser(node, error)
    try:
        raiser.render_annotated(context)
    except Exception as raised:
        if getattr(raised, "_culprit_node", None) is raiser:
            raised._culprit_node = node  # type: ignore[attr-defined]
        raise
    finally:
        del raiser.error, error


def attribute_failed(current: Any, bit: str, error: BaseException) -> Any:
    """The rest of a lookup's step after getattr() gave a TypeError or an AttributeError."""
    try:
        raise error
    except (TypeError, AttributeError):
        if not isinstance(current, BaseContext) and bit in dir(current):
            raise  # a property's own error
        try:
            return current[int(bit)]
        except (IndexError, KeyError, TypeError, ValueError):
            raise missing(current, bit)  # noqa: B904
    finally:
        del error


def context_step(current: Any, bit: str) -> Any:
    """A lookup's step in an object that is a Context: its methods are out of reach."""
    try:
        return current[bit]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        try:
            if getattr(type(current), bit):
                raise AttributeError  # noqa: B904
            return getattr(current, bit)
        except (AttributeError, TypeError) as error:
            return attribute_failed(current, bit, error)


def missing(current: Any, bit: str) -> base.VariableDoesNotExist:
    """The exception of a lookup that found nothing."""
    return base.VariableDoesNotExist("Failed lookup for key [%s] in %r", (bit, current))


_signature = getattr(base, "signature", None) or inspect.signature


def call_failed(current: Any, context: Any, error: BaseException) -> Any:
    """A value that was called without arguments raised TypeError: does it require some?"""
    try:
        raise error
    except TypeError:
        try:
            signature = _signature(current)
        except ValueError:
            return context.template.engine.string_if_invalid
        try:
            signature.bind()
        except TypeError:
            return context.template.engine.string_if_invalid
        raise
    finally:
        del error


def lookup_failed(context: Any, bit: str, error: BaseException) -> Any:
    """The end of a lookup that failed: it is logged; silent failures give the engine's string."""
    try:
        raise error
    except Exception as raised:
        base.logger.debug(
            "Exception while resolving variable '%s' in template '%s'.",
            bit,
            getattr(context, "template_name", None) or "unknown",
            exc_info=True,
        )
        if getattr(raised, "silent_variable_failure", False):
            return context.template.engine.string_if_invalid
        raise
    finally:
        del error


def include_template(node: Any, context: Any, template: Any) -> Any:
    """The template that an {% include %} means, remembered for the rendering."""
    if callable(getattr(template, "render", None)):
        return template.template if hasattr(template, "template") else template
    name = template or ()
    if isinstance(name, str):
        name = (loader_tags.construct_relative_path(node.origin.template_name, name),)
    else:
        name = tuple(name)
    known = context.render_context.dicts[0].setdefault(node, {})
    found = known.get(name)
    if found is None:
        found = known[name] = context.template.engine.select_template(name)
    return found


def inclusion_context(node: Any, context: Any) -> Any:
    """The context that an inclusion tag gives to its template."""
    args, kwargs = node.get_resolved_arguments(context)
    made = context.new(node.func(*args, **kwargs))
    csrf_token = context.get("csrf_token")
    if csrf_token is not None:
        made["csrf_token"] = csrf_token
    return made


def not_a_number(node: Any) -> NoReturn:
    """Raises what {% blocktranslate %} says of a count that is no number."""
    name, tag = node.countervar, getattr(node, "tag_name", "blocktranslate")
    raise base.TemplateSyntaxError(f"{name!r} argument to {tag!r} tag must be a number.")


def translate_again(node: Any, context: Any) -> Any:
    """A {% blocktranslate %} whose translation cannot be filled in: as it stands in the template."""
    with override(None):
        return node.render(context, nested=True)


def render_bound(template: Any, context: Any) -> Any:
    """The part of Template.render() for a context that is not bound to a template yet."""
    with context.bind_template(template):
        context.template_name = template.name
        return template._render(context)


def reverse_url(view_name: Any, args: Any, kwargs: Any, current_app: Any) -> Any:
    """What {% url %} asks Django's resolver."""
    return urls.reverse(view_name, args=args, kwargs=kwargs, current_app=current_app)


def root_blocks(template: Any) -> Any:
    """{name: BlockNode} of a template, or None when it extends another one itself. Found once for a list of nodes."""
    nodelist = template.nodelist
    known = getattr(nodelist, "_troupe_blocks", None)
    if known is None or known[0] != len(nodelist):
        known = (len(nodelist), _root_blocks(nodelist))
        if type(nodelist) is not base.NodeList:
            nodelist._troupe_blocks = known
    return known[1]


def _root_blocks(nodelist: Any) -> Any:
    first = next((node for node in nodelist if not isinstance(node, base.TextNode)), None)
    if first is None or isinstance(first, loader_tags.ExtendsNode):
        return None
    return {block.name: block for block in nodelist.get_nodes_by_type(loader_tags.BlockNode)}


class _Probe:
    do_not_call_in_templates = True

    def __class_getitem__(cls, name: str) -> str:
        return name


def _subscribes_classes() -> bool:
    """Whether this Django looks up `Class.name` with Class[name] first."""
    try:
        return base.Variable("probe.name").resolve({"probe": _Probe}) == "name"
    except Exception:
        return False


SUBSCRIBES_CLASSES = _subscribes_classes()
FORLOOP_HAS_LENGTH = VERSION >= (6, 0)


def is_watched() -> bool:
    """Whether Django's test environment (or django-debug-toolbar) wants to know which templates are rendered."""
    return originals.is_djangos_instrument(base.Template._render)


def template_shown(template: Any, context: Any) -> None:
    """Sends template_rendered, as Template._render of Django's test environment does: for a template whose nodes are
    rendered without it.
    """
    if is_watched():
        signals: Any = sys.modules["django.test.signals"]
        signals.template_rendered.send(sender=template, template=template, context=context)


TEMPLATE_RENDER, TEMPLATE_RENDER_NODES, NODELIST_RENDER = originals.in_place()
