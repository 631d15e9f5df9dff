"""What of Django's rendering is Django's own, and what other packages have put in its place.

Packages replace methods of Django's template classes: django-components post-processes in Template.render(), tracers
wrap it and BlockNode.render(). A replaced method of a node's class is called, as an unknown tag is. One by which all
templates are rendered must be called with the whole page, so that no part of a page can be rendered by itself.
"""

import logging
import sys
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from django.template import base
from django.template.context import BaseContext

from .. import conf
from ..logs import quoted

logger = logging.getLogger("troupe")

# What wraps rendering to time it and changes nothing of it; TROUPE["OBSERVERS"] names more.
OBSERVERS = frozenset(
    {"ddtrace", "elasticapm", "newrelic", "opentelemetry", "scout_apm", "sentry_sdk", "silk", "logfire", "appsignal"}
)
_METHODS = ((base.Template, "render"), (base.Template, "_render"), (base.NodeList, "render"))
_EVERY_NODES = (base.Node, "render_annotated")
_VALUES = (
    (base.FilterExpression, "resolve"),
    (base.Variable, "resolve"),
    (base.Variable, "_resolve_lookup"),
    (BaseContext, "__getitem__"),
    (BaseContext, "__contains__"),
)

Method = Any


def method_of(cls: type[Any], name: str) -> Method:
    """Django's own method of one of its classes; None: something else is in its place."""
    method = _inside(getattr(cls, name))
    return method if _is_own(cls, method) else None


def class_is_own(cls: type[Any]) -> bool:
    """Whether all methods of a class of nodes, and of its bases, are Django's own, but for those that make it."""
    return all(
        _is_own(each, _inside(value))
        for each in cls.__mro__
        for name, value in vars(each).items()
        if each is not object and callable(value) and (not name.startswith("__") or name == "__iter__")
        if not isinstance(value, (type, staticmethod, classmethod))
    )


def values_are_own() -> bool:
    """Whether Django's own code evaluates variables and filters, and makes values text. django-fastdev and its like
    raise there for what is missing. Cheap.
    """
    global _values
    now = (base.render_value_in_context, *(getattr(cls, name) for cls, name in _VALUES))
    if now != _values[0]:
        own = _is_own(base.Node, now[0]) and None not in [method_of(cls, name) for cls, name in _VALUES]
        _values = (now, own)
    return _values[1]


def _inside(method: Method) -> Method:
    """What observers are around."""
    while hasattr(method, "__wrapped__") and _observes(method):
        method = method.__wrapped__
    return method


def _is_own(cls: type[Any], method: Method) -> bool:
    if type(method) is not FunctionType or hasattr(method, "__wrapped__"):
        return False
    module = method.__globals__.get("__name__")
    return module == method.__module__ and any(base.__module__ == module for base in cls.__mro__)


def _observes(method: Method) -> bool:
    """Whether this only watches what it wraps."""
    module = _module_of(method)
    return module.partition(".")[0] in OBSERVERS or any(
        module == name or module.startswith(f"{name}.") for name in conf.get("OBSERVERS")
    )


def _module_of(method: Method) -> str:
    """The module whose code is called in Django's place. A proxy (wrapt's) shows the attributes of what it wraps."""
    wrapper = getattr(method, "_self_wrapper", None) or getattr(method, "_nr_wrapper", None) or method
    while isinstance(wrapper, (partial, MethodType)):
        wrapper = wrapper.func if isinstance(wrapper, partial) else wrapper.__func__
    if type(wrapper) is FunctionType:
        return str(wrapper.__globals__.get("__name__"))
    return str(getattr(wrapper, "__module__", None) or type(wrapper).__module__)


def is_djangos_instrument(method: Method) -> bool:
    """Django's test environment and django-debug-toolbar: they want to know which templates are rendered."""
    instruments = sys.modules.get("django.test.utils")
    return instruments is not None and method is vars(instruments).get("instrumented_test_render")


def in_place() -> list[Method]:
    """Template's render and _render and NodeList's render, if they are Django's own; None for one that is not."""
    return [
        method if method is getattr(cls, name) else None for cls, name in _METHODS for method in [method_of(cls, name)]
    ]


_values: tuple[tuple[Method, ...], bool] = ((), True)
_seen: tuple[Method, ...] = ()
_replaced: str | None = None


def replaced() -> str | None:
    """What renders whole templates in Django's place, in words; None: nothing does. Cheap. Logs what is new."""
    global _seen, _replaced
    template, nodelist = base.Template, base.NodeList
    now = (template.render, template._render, nodelist.render, base.Node.render_annotated)
    if now != _seen:
        _replaced = what_is_replaced()
        _seen = now
        if _replaced is not None:
            logger.warning(
                "event=rendering_replaced text=%s",
                quoted(f"{_replaced}: live pages have no slots, and each change renders all of a page"),
            )
    return _replaced


def what_is_replaced() -> str | None:
    """The same, looked at now, without a line in the log."""
    for cls, name in (*_METHODS, _EVERY_NODES):
        method = _inside(getattr(cls, name))
        if not (_is_own(cls, method) or is_djangos_instrument(method) or _observes(method)):
            return f"{_module_of(method)} has replaced {cls.__name__}.{name}()"
    return None
