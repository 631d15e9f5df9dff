"""What a snapshot holds besides Python's own plain types: how it is packed, and made again. No pickle, anywhere.

worker/py/pack.c packs exact None, bool, int, float, str, bytes, list, dict, tuple, set and frozenset by itself, and
calls pack() for the rest. Codes 1 to 7 are wire.py's; 8 to 10 are pack.c's tuples and sets.
"""

import datetime
import decimal
import enum
import importlib
import uuid
import zoneinfo

import msgpack
from django.apps import apps
from django.db import models
from django.utils.safestring import SafeString

from .. import wire

BIG_INT, SURROGATES, MODEL, ZONED, CHOICE, ANONYMOUS = range(11, 17)

_BY_WIRE = {datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID, SafeString}
_FIXED = (type(None), datetime.timezone)


class NotKept(TypeError):
    """A value that no snapshot can hold."""


def pack(value):
    """(code, bytes) of a value. NotKept: it cannot be made again from bytes."""
    kind = type(value)
    if kind is datetime.datetime:
        return _pack_datetime(value)
    if kind in _BY_WIRE:
        return wire.pack_ext(value)
    if kind is int:
        return BIG_INT, str(value).encode()
    if kind is str:
        return SURROGATES, value.encode("utf-8", "surrogatepass")
    if isinstance(value, models.Model):  # of a lazy user too
        return _pack_model(value)
    if _is_anonymous(value):
        return ANONYMOUS, b""
    if isinstance(value, enum.Enum):
        return CHOICE, msgpack.packb([kind.__module__, kind.__qualname__, value.name])
    raise NotKept(f"a {kind.__name__} cannot be kept")


def _anonymous():
    from django.contrib.auth.models import AnonymousUser  # only where that app is installed

    return AnonymousUser


def _is_anonymous(value):
    return apps.is_installed("django.contrib.auth") and isinstance(value, _anonymous())


def _pack_datetime(value):
    if isinstance(value.tzinfo, _FIXED):
        return 1, value.isoformat().encode()
    key = getattr(value.tzinfo, "key", None)
    if type(value.tzinfo) is not zoneinfo.ZoneInfo or key is None:
        raise NotKept(f"a datetime with a {type(value.tzinfo).__name__} cannot be kept")
    return ZONED, msgpack.packb([value.replace(tzinfo=None).isoformat(), value.fold, key])


def _pack_model(value):
    meta = value._meta
    if value.pk is None or value._state.adding or value._state.db is None:
        raise NotKept(f"a {meta.label} that is not saved cannot be kept")
    return MODEL, wire.pack_body({"label": meta.label, "pk": value.pk, "using": value._state.db})


def _model(data):
    said = wire.unpack_body(data)
    return apps.get_model(said["label"])._base_manager.using(said["using"]).get(pk=said["pk"])


def _zoned(data):
    naive, fold, key = msgpack.unpackb(data)
    return datetime.datetime.fromisoformat(naive).replace(fold=fold, tzinfo=zoneinfo.ZoneInfo(key))


def _choice(data):
    module, name, member = msgpack.unpackb(data)
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not (isinstance(found, type) and issubclass(found, enum.Enum)):
        raise ValueError(f"{module}.{name} is no Enum")
    return found[member]


_READERS = {
    BIG_INT: lambda data: int(data.decode()),
    SURROGATES: lambda data: data.decode("utf-8", "surrogatepass"),
    MODEL: _model,
    ZONED: _zoned,
    CHOICE: _choice,
    ANONYMOUS: lambda data: _anonymous()(),
}


def unpack(code, data):
    """The value of an extension type. Whatever it raises says that the value cannot be made again."""
    reader = _READERS.get(code)
    return reader(bytes(data)) if reader is not None else wire.unpack_ext(code, data)
