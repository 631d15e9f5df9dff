"""The objects that a Django query is made of, as plain data: nodes, lookups, expressions, joins.

Django has no other description of a query than the objects themselves (its own advice is to pickle them). Here each is
written as its class and its attributes, of classes that belong to queries only; models and their fields by name. None
of the classes' code runs when they are read. Queries with raw SQL in them are refused, both ways. What Django's own
objects make SQL of cannot be told from harmless text: that a store brings no SQL is querysets.py's signature.
"""

import functools
import types
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import lookups, sql
from django.db.models.expressions import BaseExpression, Combinable, RawSQL
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.where import ExtraWhere
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.tree import Node

from . import classes
from .errors import NotSerializable

Plain = Any  # what msgpack packs

# Objects that stand for "not given".
_SENTINELS = {name: getattr(timezone, name) for name in ("NOT_PASSED",) if hasattr(timezone, name)}  # Django 4.2

_SCALARS = (type(None), bool, int, float, str, bytes)
_SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_PACKAGES = ("django.db.models.", "django.contrib.postgres.", "django.contrib.gis.db.models.", "django.utils.tree")
_BASES = (BaseExpression, Combinable, lookups.Lookup, Node, models.Prefetch, models.FilteredRelation)
_RAW = (RawSQL, ExtraWhere)
_RAW_ATTRIBUTES = ("extra", "extra_tables", "extra_order_by")
_NO_RAW = "a queryset with SQL of its own (raw(), extra(), RawSQL) cannot be serialized: keep what it is made from"


def _is_of_queries(cls: Any) -> bool:
    """Whether a query may contain instances of this class."""
    return not issubclass(cls, _RAW) and (cls.__module__.startswith(_PACKAGES) or issubclass(cls, _BASES))


@functools.lru_cache(maxsize=4096)
def _computed(cls: Any) -> frozenset[str]:
    """Attributes that are computed anew. An `output_field` may also have been given."""
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, cached_property)}
    return frozenset(names - {"output_field"})


class Writer:
    """Writes one graph. An object that is there several times is written once: parts compare by identity.

    pack_value: for values in lookups; pack_queryset: for the one of a Prefetch.
    """

    def __init__(self, pack_value: Callable[[Any], bytes], pack_queryset: Callable[[Any], Plain]) -> None:
        self._pack_value, self._pack_queryset = pack_value, pack_queryset
        self._written: dict[int, tuple[int, Any]] = {}

    def write(self, value: Any) -> Plain:
        """What stands for a value, or a part of it."""
        kind: Any = type(value)
        if kind in _SCALARS:
            return value
        if kind.__name__ in _SEQUENCES and kind.__module__ == "builtins":
            return [kind.__name__, *map(self.write, value)]
        if kind is dict:
            return ["dict", *(self.write(part) for pair in value.items() for part in pair)]
        if isinstance(value, type):
            return self._write_class(value)
        if isinstance(value, models.Field):
            return self._write_field(value)
        if isinstance(value, models.ForeignObjectRel):
            return ["relation", self._write_field(value.field)]
        if isinstance(value, models.QuerySet):
            return ["queryset", self._pack_queryset(value)]
        if classes.is_named_tuple(value) and _is_of_queries(kind):
            return ["namedtuple", *classes.name_of(kind), *map(self.write, tuple(value))]
        if isinstance(value, sql.Query) or _is_of_queries(kind):
            return self._write_object(value)
        if isinstance(value, _RAW):
            raise NotSerializable(_NO_RAW)
        for name, sentinel in _SENTINELS.items():
            if value is sentinel:
                return ["sentinel", name]
        return ["value", self._pack_value(value)]

    def _write_class(self, value: Any) -> Plain:
        if issubclass(value, models.Model):
            return ["model", value._meta.label]
        return ["class", *classes.name_of(value)]

    def _write_field(self, field: Any) -> Plain:
        model = getattr(field, "model", None)
        if model is not None and model._meta.get_field(field.name) is field:
            return ["field", model._meta.label, field.name]
        if model is None and type(field).__module__.startswith("django.db.models."):  # an output_field
            _, _, args, kwargs = field.deconstruct()
            kind: Any = type(field)
            return ["output", *classes.name_of(kind), self.write(list(args)), self.write(kwargs)]
        raise NotSerializable(f"a queryset with a {type(field).__name__} of no model cannot be serialized")

    def _write_object(self, value: Any) -> Plain:
        there = self._written.get(id(value))
        if there is not None:
            return ["same", there[0]]
        number = len(self._written)
        self._written[id(value)] = number, value  # held: the id stays its own
        if isinstance(value, sql.Query):
            return ["query", number, *self._attributes_of_query(value)]
        kind: Any = type(value)
        names = {name: part for name, part in vars(value).items() if name not in _computed(kind)}
        parts = [self.write(part) for pair in names.items() for part in pair]
        return ["object", number, *classes.name_of(kind), *parts]

    def _attributes_of_query(self, query: sql.Query) -> list[Plain]:
        """The model's label, and the attributes that differ from those of a new query."""
        if type(query) is not sql.Query or any(getattr(query, name, None) for name in _RAW_ATTRIBUTES):
            raise NotSerializable(_NO_RAW)
        cls: Any = sql.Query
        model: Any = query.model
        fresh, parts = vars(sql.Query(model)), [model._meta.label]
        for name, part in vars(query).items():
            plain = type(part) in _SCALARS or not part
            if name == "model" or name in _computed(cls):
                continue
            if plain and name in fresh and type(fresh[name]) is type(part) and fresh[name] == part:
                continue
            parts += [name, self.write(part)]
        return parts


class Reader:
    """Reads what a Writer wrote. ValueError, LookupError and the like: it is no graph, or names what is gone."""

    def __init__(self, unpack_value: Callable[[bytes], Any], unpack_queryset: Callable[[Plain], Any]) -> None:
        self._unpack_value, self._unpack_queryset = unpack_value, unpack_queryset
        self._objects: dict[int, Any] = {}

    def read(self, plain: Plain) -> Any:
        if type(plain) is not list:
            return plain
        tag, *rest = plain
        if tag in _SEQUENCES:
            return _SEQUENCES[tag]([self.read(part) for part in rest])
        if tag == "dict":
            return self._read_dict(rest)
        return _READERS[tag](self, *rest)

    def _read_dict(self, parts: list[Plain]) -> dict[Any, Any]:
        return {self.read(key): self.read(value) for key, value in zip(parts[::2], parts[1::2], strict=True)}

    def _read_model(self, label: str) -> Any:
        return apps.get_model(label)

    def _read_class(self, module: str, qualname: str) -> Any:
        found = classes.find_class(module, qualname, object)
        if not found.__module__.startswith(_PACKAGES):
            raise ValueError(f"{module}.{qualname} is no part of a query")
        return found

    def _read_field(self, label: str, name: str) -> Any:
        return apps.get_model(label)._meta.get_field(name)

    def _read_relation(self, field: Plain) -> Any:
        return self.read(field).remote_field

    def _read_output(self, module: str, qualname: str, args: Plain, kwargs: Plain) -> Any:
        if not module.startswith("django.db.models."):
            raise ValueError(f"{module}.{qualname} is no field of Django's")
        return classes.find_class(module, qualname, models.Field)(*self.read(args), **self.read(kwargs))

    def _read_queryset(self, plain: Plain) -> Any:
        return self._unpack_queryset(plain)

    def _read_named_tuple(self, module: str, qualname: str, *parts: Plain) -> Any:
        return tuple.__new__(self._read_class(module, qualname), map(self.read, parts))

    def _read_same(self, number: int) -> Any:
        return self._objects[number]

    def _read_sentinel(self, name: str) -> Any:
        return _SENTINELS[name]

    def _read_value(self, data: bytes) -> Any:
        return self._unpack_value(data)

    def _read_query(self, number: int, label: str, *parts: Plain) -> Any:
        query = self._objects[number] = sql.Query(apps.get_model(label))
        attributes = self._read_dict(list(parts))
        if any(attributes.get(name) for name in _RAW_ATTRIBUTES):
            raise ValueError("a query with SQL of its own")
        vars(query).update(attributes)
        return query

    def _read_object(self, number: int, module: str, qualname: str, *parts: Plain) -> Any:
        cls = classes.find_class(module, qualname, object)
        if not _is_of_queries(cls):
            raise ValueError(f"{module}.{qualname} is no part of a query")
        made = self._objects[number] = object.__new__(cls)
        vars(made).update(self._read_dict(list(parts)))
        if isinstance(made, (BaseTable, Join)) and made.table_name not in _tables():
            raise ValueError(f"no model has the table {made.table_name} any more")
        return made


def _tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_models(include_auto_created=True)}


_READERS: types.MappingProxyType[str, Callable[..., Any]] = types.MappingProxyType(
    {
        "model": Reader._read_model,
        "class": Reader._read_class,
        "field": Reader._read_field,
        "relation": Reader._read_relation,
        "output": Reader._read_output,
        "queryset": Reader._read_queryset,
        "namedtuple": Reader._read_named_tuple,
        "same": Reader._read_same,
        "sentinel": Reader._read_sentinel,
        "value": Reader._read_value,
        "query": Reader._read_query,
        "object": Reader._read_object,
    }
)
