"""Model instances: a saved one by its primary key, so that it is the row as it is then; another one by its fields."""

import functools
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.functional import cached_property

from .. import wire
from .classes import named_values
from .errors import NotSerializable, RowGone

_CACHED = (cached_property, functools.cached_property)
ROW = 13  # extension type: a saved instance, with nothing but its fields


def pack_row(value: models.Model) -> bytes | list[Any]:
    """The bytes of ROW; or ["row", label, using, n, n names, key, n values] where it has more than its fields, such as
    annotations; or, of one that is not saved, ["unsaved", …], with a name and a value a field.
    """
    meta, more = value._meta, what_else(value)
    if value.pk is None or value._state.adding or value._state.db is None:
        fields = {field.attname: _value_of(value, field) for field in meta.concrete_fields}
        parts = {**fields, **more}
        return ["unsaved", meta.label, value._state.db, len(parts), *parts, *parts.values()]
    if not more:
        return wire.pack_body({"label": meta.label, "pk": value.pk, "using": value._state.db})
    return ["row", meta.label, value._state.db, len(more), *more, value.pk, *more.values()]


@functools.lru_cache(maxsize=4096)
def _left_out(cls: Any) -> frozenset[str]:
    """Attributes that come with the row, or are computed anew."""
    names = {field.attname for field in cls._meta.concrete_fields}
    for base in cls.__mro__:
        names.update(name for name, value in vars(base).items() if isinstance(value, _CACHED))
    return frozenset(names)


def what_else(value: models.Model) -> dict[str, Any]:
    """What the instance has besides its fields: annotations, and what the project's code set. Not what is private, and
    no functions.
    """
    cls: Any = type(value)
    known, names = _left_out(cls), vars(value)
    if len(names) <= len(known) and all(name in known or name[:1] == "_" for name in names):
        return {}
    return {name: part for name, part in names.items() if name not in known and name[:1] != "_" and not callable(part)}


def _value_of(value: models.Model, field: Any) -> Any:
    """What an unsaved instance has in a field."""
    part = getattr(value, field.attname)
    if isinstance(part, FieldFile):
        if part and not part._committed:
            raise NotSerializable(f"a {value._meta.label} with a file that is not saved cannot be serialized: save it")
        return part.name
    if part is None and field.is_relation and field.is_cached(value) and field.get_cached_value(value) is not None:
        other = field.get_cached_value(value)._meta.label
        text = f"a {value._meta.label} of a {other} that is not saved cannot be serialized: save that first"
        raise NotSerializable(text)
    return part


def unpack_row(data: bytes) -> models.Model:
    """Asks the database. RowGone."""
    fields = wire.unpack_body(data)
    return _get(fields["label"], fields["using"], fields["pk"])


def _get(label: str, using: str, key: Any) -> models.Model:
    model = apps.get_model(label)
    try:
        return model._base_manager.using(using).get(pk=key)
    except model.DoesNotExist:
        raise RowGone(f"the {label} with the key {key!r} does not exist any more") from None


def make_row(label: str, using: str, count: Any, *rest: Any) -> models.Model:
    """Of pack_row()'s parts. RowGone."""
    if type(count) is not int or len(rest) <= count:
        raise ValueError("names and values do not match")
    more = named_values(count, (*rest[:count], *rest[count + 1 :]))
    row = _get(label, using, rest[count])
    vars(row).update(more)
    return row


def make_unsaved(label: str, using: str | None, count: Any, *rest: Any) -> models.Model:
    """An instance that is not saved. Fields that the model has by now, and had not, get their defaults."""
    cls, values = apps.get_model(label), named_values(count, rest)
    fields = {field.attname: values.pop(field.attname, models.DEFERRED) for field in cls._meta.concrete_fields}
    for field in cls._meta.concrete_fields:
        if fields[field.attname] is models.DEFERRED:
            fields[field.attname] = field.get_default()
    row = cls.from_db(using, list(fields), list(fields.values()))
    row._state.adding, row._state.db = True, using
    vars(row).update(values)
    return row
