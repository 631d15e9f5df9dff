"""Serializes values of any type that a snapshot can hold. Nothing is ever pickled.

worker/py/snapshot_value.c packs exact None, bool, int, float, str, bytes, list, dict, tuple, set and
frozenset by itself, and calls pack() for the rest. Extension types 1 to 7 are wire.py's, and 8 to 10
tuples and sets. dumps() and loads() do in Python what it does in C, for values that travel with a request.
"""

import datetime
import decimal
import enum
import importlib
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import msgpack
from django.apps import apps
from django.db import models
from django.utils.functional import LazyObject, Promise, empty
from django.utils.safestring import SafeString

from . import wire

TUPLE, SET, FROZENSET = range(8, 11)
BIG_INT, SURROGATES, MODEL, ZONED, CHOICE, ANONYMOUS = range(11, 17)

_PACKED_BY_WIRE = {datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, SafeString}
_FIXED_OFFSETS = (type(None), datetime.timezone)


_COLLECTIONS: dict[type, int] = {tuple: TUPLE, set: SET, frozenset: FROZENSET}
_COLLECTION_TYPES: dict[int, Callable[[list[Any]], Any]] = {TUPLE: tuple, SET: set, FROZENSET: frozenset}
_PLAIN = {type(None), bool, int, float, str, bytes, list, dict}
_MAX_NESTING = 32  # of collections inside of each other


class NotSerializable(TypeError):
    """No snapshot can hold this value."""


def pack(value: Any) -> tuple[int, bytes]:
    """(extension type, bytes) of a value. NotSerializable: it could not be restored from bytes."""
    kind = type(value)
    if kind is datetime.datetime:
        return _pack_datetime(value)
    if kind in _PACKED_BY_WIRE:
        ext = wire.pack_ext(value)
        assert ext is not None
        return ext
    if kind is int:
        return BIG_INT, str(value).encode()
    if kind is str:
        return SURROGATES, value.encode("utf-8", "surrogatepass")
    if isinstance(value, models.Model):  # also the one inside a lazy user
        return _pack_model(value)
    if _is_anonymous(value):
        return ANONYMOUS, b""
    if isinstance(value, enum.Enum):
        return CHOICE, msgpack.packb([kind.__module__, kind.__qualname__, value.name])
    raise NotSerializable(f"a {kind.__name__} cannot be serialized")


def _anonymous_user() -> type:
    from django.contrib.auth.models import AnonymousUser  # importable only where that app is installed

    return AnonymousUser


def _is_anonymous(value: Any) -> bool:
    return apps.is_installed("django.contrib.auth") and isinstance(value, _anonymous_user())


def _pack_datetime(value: datetime.datetime) -> tuple[int, bytes]:
    if isinstance(value.tzinfo, _FIXED_OFFSETS):
        return wire.DATETIME, value.isoformat().encode()
    key = getattr(value.tzinfo, "key", None)
    if type(value.tzinfo) is not zoneinfo.ZoneInfo or key is None:
        raise NotSerializable(f"a datetime with a {type(value.tzinfo).__name__} cannot be serialized")
    return ZONED, msgpack.packb([value.replace(tzinfo=None).isoformat(), value.fold, key])


def _pack_model(value: models.Model) -> tuple[int, bytes]:
    meta = value._meta
    if value.pk is None or value._state.adding or value._state.db is None:
        raise NotSerializable(f"a {meta.label} that is not saved cannot be serialized")
    return MODEL, wire.pack_body({"label": meta.label, "pk": value.pk, "using": value._state.db})


def _unpack_model(data: bytes) -> models.Model:
    fields = wire.unpack_body(data)
    return apps.get_model(fields["label"])._base_manager.using(fields["using"]).get(pk=fields["pk"])


def _unpack_zoned(data: bytes) -> datetime.datetime:
    naive, fold, key = msgpack.unpackb(data)
    return datetime.datetime.fromisoformat(naive).replace(fold=fold, tzinfo=zoneinfo.ZoneInfo(key))


def _unpack_choice(data: bytes) -> enum.Enum:
    module, qualname, member = msgpack.unpackb(data)
    cls: Any = importlib.import_module(module)
    for name in qualname.split("."):
        cls = getattr(cls, name)
    if not (isinstance(cls, type) and issubclass(cls, enum.Enum)):
        raise ValueError(f"{module}.{qualname} is no Enum")
    return cls[member]


_READERS: dict[int, Callable[[bytes], Any]] = {
    BIG_INT: lambda data: int(data.decode()),
    SURROGATES: lambda data: data.decode("utf-8", "surrogatepass"),
    MODEL: _unpack_model,
    ZONED: _unpack_zoned,
    CHOICE: _unpack_choice,
    ANONYMOUS: lambda data: _anonymous_user()(),
}


def unpack(code: int, data: bytes) -> Any:
    """The value of an extension type. Any exception means that the value cannot be restored: a deleted row, say."""
    reader = _READERS.get(code)
    return reader(bytes(data)) if reader is not None else wire.unpack_ext(code, data)


def dumps(value: Any) -> bytes:
    """A value as msgpack, as in a snapshot. Lazy objects and lazy texts are evaluated. NotSerializable."""
    return _dumps(value, _MAX_NESTING)


def _dumps(value: Any, depth: int) -> bytes:
    if depth == 0:
        raise NotSerializable("it is nested too deep")
    packer = msgpack.Packer(default=lambda inner: _to_plain(inner, depth), strict_types=True)
    try:
        return packer.pack(value)
    except UnicodeEncodeError:  # lone surrogates, which pack() knows: but only a text as a whole
        if type(value) is str:
            return msgpack.packb(msgpack.ExtType(*pack(value)))
        raise NotSerializable("a text that UTF-8 cannot encode cannot be serialized") from None
    except (ValueError, RecursionError) as error:
        raise NotSerializable(str(error)) from error


def _to_plain(value: Any, depth: int) -> Any:
    """What msgpack packs in place of a value that is not of a built-in type."""
    if isinstance(value, LazyObject):
        if value._wrapped is empty:
            value._setup()
        return value._wrapped if type(value._wrapped) in _PLAIN else _to_plain(value._wrapped, depth)
    code = _COLLECTIONS.get(type(value))
    if code is not None:
        return msgpack.ExtType(code, _dumps(list(value), depth - 1))
    if isinstance(value, Promise):
        return str(value)
    try:
        return msgpack.ExtType(*pack(value))
    except NotSerializable:
        if isinstance(value, str) and not isinstance(value, enum.Enum):
            return str.__str__(value)  # a subclass: what it adds is lost, as with query strings
        raise


def loads(data: bytes) -> Any:
    """The value that dumps() packed. Any exception means that it cannot be restored: a deleted row, say."""
    return msgpack.unpackb(data, strict_map_key=False, ext_hook=_unpack_any)


def _unpack_any(code: int, data: bytes) -> Any:
    make = _COLLECTION_TYPES.get(code)
    return make(loads(data)) if make is not None else unpack(code, data)
