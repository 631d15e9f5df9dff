"""Querysets and managers. A queryset comes back as its query, and is evaluated anew.

What is written is tried at once: read again, it has to ask the database the same. That, and the writing, is done once a
queryset, as each is made of its own query.

It is signed with SECRET_KEY: the objects of a query say in many places what its SQL is (`template` of a function, the
connector of a condition), and only a process of the project may say that.
"""

import weakref
from collections.abc import Callable
from typing import Any

import django
import msgpack
from django.apps import apps
from django.conf import settings
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import models
from django.db.models.fields.related_descriptors import ReverseManyToOneDescriptor
from django.db.models.manager import BaseManager
from django.db.models.query import BaseIterable, RawQuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from . import classes, query_graph
from .errors import NotSerializable

Dumps = Callable[[Any], bytes]
Loads = Callable[[bytes], Any]

# Of a QuerySet: what its query does not say. The others are what it did so far.
_KEPT = ("_prefetch_related_lookups", "_iterable_class", "_fields", "_sticky_filter", "_for_write")
_NOT_KEPT = {
    *_KEPT,
    *("model", "_db", "_hints", "_query", "_result_cache", "_prefetch_done", "_known_related_objects", "_fetch_mode"),
    *("_defer_next_filter", "_deferred_filter", "_cloning_enabled"),
}

_packed: "weakref.WeakKeyDictionary[Any, tuple[Any, bytes]]" = weakref.WeakKeyDictionary()  # with the query


def pack_queryset(queryset: Any, dumps: Dumps, loads: Loads) -> bytes:
    """dumps, loads: for values in it. NotSerializable: it has raw SQL in it, or what cannot be described."""
    if isinstance(queryset, RawQuerySet):
        advice = "keep list() of it, or make it in get_context_data()"
        raise NotSerializable(f"a raw() queryset cannot be serialized: {advice}")
    query, there = queryset.query, _packed.get(queryset)
    if there is not None and there[0] is query:
        return there[1]
    body = msgpack.packb(_to_plain(queryset, dumps))
    data: bytes = msgpack.packb([list(django.VERSION[:3]), sign(body, settings.SECRET_KEY), body])
    _verify(queryset, data, loads)
    _packed[queryset] = query, data
    return data


def sign(body: bytes, key: str | bytes) -> bytes:
    """The signature of a queryset's description."""
    return salted_hmac("troupe.queryset", body, secret=key, algorithm="sha256").digest()


def _to_plain(queryset: Any, dumps: Dumps) -> list[Any]:
    cls: Any = type(queryset)
    writer = query_graph.Writer(dumps, lambda inner: _to_plain(inner, dumps))
    attributes = {name: getattr(queryset, name) for name in _KEPT}
    attributes.update((name, part) for name, part in vars(queryset).items() if name not in _NOT_KEPT)
    # What a related manager made is of its instance's database.
    using = queryset._db or (queryset.db if queryset._hints else None)
    return [
        queryset.model._meta.label,
        *classes.name_of(cls),
        using,
        writer.write(queryset.query),
        writer.write(attributes),
        _name_of_fetch_mode(queryset),
    ]


def _verify(queryset: Any, data: bytes, loads: Loads) -> None:
    try:
        same = _sql_of(unpack_queryset(data, loads)) == _sql_of(queryset)
    except Exception as error:
        raise NotSerializable(f"a queryset cannot be serialized: {type(error).__name__}: {error}") from error
    if not same:
        raise NotSerializable("a queryset whose query cannot be described cannot be serialized: keep list() of it")


def _sql_of(queryset: Any) -> Any:
    try:
        return queryset.query.get_compiler(queryset.db).as_sql()
    except (EmptyResultSet, FullResultSet) as empty:
        return type(empty)


def unpack_queryset(data: bytes, loads: Loads) -> Any:
    """Asks no database. Any exception means that there is no such query any more: a field is gone, say."""
    version, *signed = msgpack.unpackb(data)
    if version != list(django.VERSION[:3]):
        raise ValueError("a queryset of another version of Django")
    signature, body = signed
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if type(body) is not bytes or not any(constant_time_compare(signature, sign(body, key)) for key in keys):
        raise ValueError("a queryset that another SECRET_KEY signed")
    return _from_plain(msgpack.unpackb(body, strict_map_key=False), loads)


def _from_plain(plain: Any, loads: Loads) -> Any:
    label, module, qualname, using, query, attributes, fetch_mode = plain
    cls = classes.find_class(module, qualname, models.QuerySet)
    reader = query_graph.Reader(loads, lambda inner: _from_plain(inner, loads))
    queryset = object.__new__(cls)
    models.QuerySet.__init__(queryset, apps.get_model(label), reader.read(query), using, {})
    kept = reader.read(attributes)
    if not issubclass(kept["_iterable_class"], BaseIterable):
        raise ValueError("a queryset that gives no rows")
    vars(queryset).update(kept)
    _set_fetch_mode(queryset, fetch_mode)
    return queryset


def _fetch_modes() -> dict[str, Any]:
    """Those of Django 6.1, by the names of their classes."""
    modes = [getattr(models, name, None) for name in ("FETCH_ONE", "FETCH_PEERS", "FETCH_RAISE")]
    return {type(mode).__name__: mode for mode in modes if mode is not None}


def _name_of_fetch_mode(queryset: Any) -> str | None:
    name = type(getattr(queryset, "_fetch_mode", None)).__name__
    return name if name in _fetch_modes() else None


def _set_fetch_mode(queryset: Any, name: Any) -> None:
    if name is not None:
        queryset._fetch_mode = _fetch_modes()[name]


def pack_manager(manager: Any) -> list[Any]:
    """["related", instance, accessor], or ["manager", label, name]."""
    instance = getattr(manager, "instance", None)
    if instance is not None:
        return ["related", instance, _accessor(type(instance), type(manager))]
    if manager.model is None or manager.model._meta.managers_map.get(manager.name) is None:
        raise NotSerializable(f"a {type(manager).__name__} of no model cannot be serialized")
    return ["manager", manager.model._meta.label, manager.name]


def _accessor(model: Any, cls: type) -> str:
    """The attribute of the model that gives related managers of this class."""
    for base in model.__mro__:
        for name, descriptor in vars(base).items():
            if isinstance(descriptor, ReverseManyToOneDescriptor) and descriptor.related_manager_cls is cls:
                return str(name)
    raise NotSerializable(f"a {cls.__name__} of {model.__name__} cannot be serialized: keep its all()")


def make_manager(label: str, name: str) -> BaseManager[Any]:
    """Of pack_manager()'s parts."""
    return apps.get_model(label)._meta.managers_map[name]


def make_related(instance: Any, name: str) -> Any:
    """The same, for "related"."""
    if not isinstance(instance, models.Model):
        raise ValueError("a related manager of no model instance")
    if not isinstance(getattr(type(instance), name, None), ReverseManyToOneDescriptor):
        raise ValueError(f"{type(instance).__name__} has no related {name}")
    return getattr(instance, name)
