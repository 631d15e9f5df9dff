"""Serializes values whose types are not built in, for snapshots. Nothing is ever pickled.

worker/py/snapshot_value.c packs exact None, bool, int, float, str, bytes, list, dict, tuple, set and
frozenset by itself, and calls pack() for the rest. Extension types 1 to 7 are wire.py's, and 8 to 10
snapshot_value.c's tuples and sets.
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
from django.utils.safestring import SafeString

from .. import wire

BIG_INT, SURROGATES, MODEL, ZONED, CHOICE, ANONYMOUS = range(11, 17)

_PACKED_BY_WIRE = {datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, SafeString}
_FIXED_OFFSETS = (type(None), datetime.timezone)


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
