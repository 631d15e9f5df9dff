"""Serializes values of any type that a snapshot can hold. Nothing is ever pickled.

worker/py/snapshot_value.c packs exact None, bool, int, float, str, bytes, list, dict, tuple, set and
frozenset by itself, and calls pack() for the rest. Extension types 1 to 7 are wire.py's, and 8 to 10
tuples and sets. dumps() and loads() do in Python what it does in C, for values that travel with a request; only which
values are the same object they do not keep.
"""

import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import pathlib
import re
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import msgpack
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db import models
from django.forms.utils import ErrorDict, ErrorList
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import LazyObject, Promise, empty
from django.utils.safestring import SafeString

from .. import wire
from . import classes, form_errors, lazy, querysets, rows
from .errors import NotSerializable, refusal

TUPLE, SET, FROZENSET = range(8, 11)
BIG_INT, SURROGATES, ROW, ZONED, CHOICE, ANONYMOUS, REFERENCE, MADE, QUERYSET = range(11, 20)
SUBSTITUTE = -1  # in place of an extension type: another object is to be packed instead

Parts = list[Any]
Packed = tuple[int, Any]  # (extension type, bytes or parts)

_PACKED_BY_WIRE = {datetime.date, datetime.timedelta, decimal.Decimal, uuid.UUID, SafeString}
_FIXED_OFFSETS = (type(None), datetime.timezone)
_PATHS = {cls.__name__: cls for cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath)}
_AS_TEXT: dict[str, Callable[[str], Any]] = {
    cls.__name__: cls
    for cls in (
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        ipaddress.IPv4Network,
        ipaddress.IPv6Network,
        ipaddress.IPv4Interface,
        ipaddress.IPv6Interface,
    )
}
_COLLECTIONS: dict[type, int] = {tuple: TUPLE, set: SET, frozenset: FROZENSET}
_COLLECTION_TYPES: dict[int, Callable[[list[Any]], Any]] = {TUPLE: tuple, SET: set, FROZENSET: frozenset}
_PLAIN = {type(None), bool, int, float, str, bytes, list, dict}
_MAX_NESTING = 32  # of collections inside of each other


def pack(value: Any) -> Packed:
    """(extension type, bytes) of a value; (MADE, parts): a list whose first element says what to make of the others;
    (SUBSTITUTE, another object). NotSerializable: it could not be restored.
    """
    kind = type(value)
    if kind is datetime.datetime or kind is datetime.time:
        return _pack_moment(value)
    if kind in _PACKED_BY_WIRE:
        ext = wire.pack_ext(value)
        assert ext is not None
        return ext
    if kind is int:
        return BIG_INT, str(value).encode()
    if kind is str:
        return SURROGATES, value.encode("utf-8", "surrogatepass")
    parts = _PARTS.get(kind)
    if parts is not None:
        return MADE, parts(value)
    return _pack_instance(value, kind)


def _pack_instance(value: Any, kind: type) -> Packed:
    """What is known by a base class."""
    if issubclass(kind, LazyObject):  # such as request.user
        return SUBSTITUTE, _unwrapped(value)
    if isinstance(value, models.Model):
        row = rows.pack_row(value)
        return (ROW, row) if isinstance(row, bytes) else (MADE, row)
    if isinstance(value, (models.QuerySet, models.query.RawQuerySet)):
        return QUERYSET, querysets.pack_queryset(value, dumps, loads)
    if isinstance(value, enum.Flag):
        return MADE, classes.pack_flag(value)
    if isinstance(value, enum.Enum):
        return CHOICE, msgpack.packb([*classes.name_of(kind), value.name])
    if isinstance(value, (type, types.FunctionType)):
        return MADE, classes.pack_named(value)
    if _is_anonymous(value):
        return ANONYMOUS, b""
    if isinstance(value, Promise):
        return MADE, lazy.pack_lazy(value)
    if isinstance(value, models.manager.BaseManager):
        return MADE, querysets.pack_manager(value)
    if classes.is_named_tuple(value):
        return MADE, classes.pack_named_tuple(value)
    if classes.has_parts(kind):
        return MADE, classes.pack_instance(value)
    raise refusal(value)


def step(value: Any, index: int) -> str:
    """How a path names what is at this index of the value's parts: "[3]", ".name"; empty where it is no place."""
    if type(value) in (list, tuple, set, frozenset):
        return f"[{index}]"
    parts = pack(value)[1]
    tag = parts[0]
    if tag in ("instance", "namedtuple") and index >= 4 + parts[3]:
        return f".{parts[index - parts[3]]}"
    if tag in ("row", "unsaved") and index >= 4 + parts[3]:
        return f".{parts[index - parts[3] - (tag == 'row')]}"
    if tag in ("defaultdict", "OrderedDict", "Counter", "QueryDict", "MultiValueDict", "ErrorDict") and index > 1:
        return f"[{parts[index - index % 2]!r}]"
    return f"[{index - 2}]" if tag == "deque" and index > 1 else ""


def _anonymous_user() -> type:
    from django.contrib.auth.models import AnonymousUser  # importable only where that app is installed

    return AnonymousUser


def _is_anonymous(value: Any) -> bool:
    return apps.is_installed("django.contrib.auth") and isinstance(value, _anonymous_user())


def _unwrapped(value: LazyObject) -> Any:
    if value._wrapped is empty:
        value._setup()
    return value._wrapped


def _pack_moment(value: Any) -> Packed:
    """A datetime or a time."""
    zone, is_time = value.tzinfo, type(value) is datetime.time
    if isinstance(zone, _FIXED_OFFSETS) and not value.fold and _is_plain_offset(zone):
        return wire.TIME if is_time else wire.DATETIME, value.isoformat().encode()
    if zone is not None and not (type(zone) is zoneinfo.ZoneInfo and zone.key) and type(zone) is not datetime.timezone:
        raise NotSerializable(
            f"a {type(value).__name__} with a {type(zone).__name__} cannot be serialized: use a ZoneInfo"
        )
    if type(zone) is zoneinfo.ZoneInfo and not is_time:
        return ZONED, msgpack.packb([value.replace(tzinfo=None).isoformat(), value.fold, zone.key])
    naive = value.replace(tzinfo=None, fold=0).isoformat()
    return MADE, ["time" if is_time else "datetime", naive, value.fold, zone]


def _is_plain_offset(zone: datetime.timezone | None) -> bool:
    """Whether it is nothing but its offset: it has no name of its own."""
    return zone is None or zone is datetime.UTC or len(zone.__getinitargs__()) == 1  # type: ignore[attr-defined]


def _make_moment(cls: Any) -> Callable[..., Any]:
    def make_moment(naive: str, fold: int, zone: datetime.tzinfo | None) -> Any:
        return cls.fromisoformat(naive).replace(fold=fold, tzinfo=zone)

    return make_moment


def _unpack_zoned(data: bytes) -> datetime.datetime:
    naive, fold, key = msgpack.unpackb(data)
    return datetime.datetime.fromisoformat(naive).replace(fold=fold, tzinfo=zoneinfo.ZoneInfo(key))


def _pack_zone(value: zoneinfo.ZoneInfo) -> Parts:
    if value.key is None:
        raise NotSerializable("a ZoneInfo without a key cannot be serialized")
    return ["ZoneInfo", value.key]


def _unpack_choice(data: bytes) -> enum.Enum:
    return classes.make_choice(*msgpack.unpackb(data))


# What is made of parts. Their first element is the name below.


def _pairs(mapping: Any) -> list[Any]:
    return [part for pair in mapping.items() for part in pair]


def _in_pairs(parts: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


def _lists(name: str) -> Callable[[Any], Parts]:
    """The parts of a QueryDict or MultiValueDict: what it is, and a list a key."""

    def parts(value: Any) -> Parts:
        is_query = type(value) is QueryDict
        lists = [part for key in value for part in (key, value.getlist(key))]
        return [name, [value._mutable, value.encoding] if is_query else None, *lists]

    return parts


def _make_query(how: Any, *parts: Any) -> QueryDict:
    mutable, encoding = how
    made = QueryDict(mutable=True, encoding=encoding)
    for key, items in _in_pairs(parts):
        made.setlist(key, items)
    made._mutable = bool(mutable)
    return made


def _make_bytearray(data: Any) -> bytearray:
    if type(data) is not bytes:  # a number would be a size
        raise ValueError("a bytearray without bytes")
    return bytearray(data)


def _make_fraction(numerator: Any, denominator: Any) -> fractions.Fraction:
    if type(numerator) is not int or type(denominator) is not int:  # "1e999999999" would be calculated
        raise ValueError("a fraction without integers")
    return fractions.Fraction(numerator, denominator)


def _make_deque(maxlen: Any, *items: Any) -> Any:
    return collections.deque(items, maxlen)


def _make_default(factory: Any, *parts: Any) -> Any:
    return collections.defaultdict(classes.find(*factory) if factory else None, _in_pairs(parts))


def _make_counter(_: None, *parts: Any) -> Any:
    made: Any = collections.Counter()
    dict.update(made, _in_pairs(parts))
    return made


def _pack_paginator(value: Paginator) -> Parts:
    return ["Paginator", value.object_list, value.per_page, value.orphans, value.allow_empty_first_page]


_PARTS: dict[type, Callable[[Any], Parts]] = {
    collections.deque: lambda value: ["deque", value.maxlen, *value],
    collections.defaultdict: lambda value: [
        "defaultdict",
        classes.pack_default_factory(value.default_factory),
        *_pairs(value),
    ],
    collections.OrderedDict: lambda value: ["OrderedDict", None, *_pairs(value)],
    collections.Counter: lambda value: ["Counter", None, *_pairs(value)],
    QueryDict: _lists("QueryDict"),
    MultiValueDict: _lists("MultiValueDict"),
    ErrorDict: lambda value: ["ErrorDict", None, *_pairs(value)],
    ErrorList: form_errors.pack_error_list,
    ValidationError: form_errors.pack_validation_error,
    types.SimpleNamespace: lambda value: ["SimpleNamespace", vars(value)],
    types.MappingProxyType: lambda value: ["MappingProxyType", dict(value)],
    range: lambda value: ["range", value.start, value.stop, value.step],
    slice: lambda value: ["slice", value.start, value.stop, value.step],
    fractions.Fraction: lambda value: ["Fraction", value.numerator, value.denominator],
    complex: lambda value: ["complex", value.real, value.imag],
    bytearray: lambda value: ["bytearray", bytes(value)],
    re.Pattern: lambda value: ["Pattern", value.pattern, value.flags],
    datetime.timezone: lambda value: ["timezone", *value.__getinitargs__()],
    zoneinfo.ZoneInfo: _pack_zone,
    Paginator: _pack_paginator,
    Page: lambda value: ["Page", value.object_list, value.number, value.paginator],
    type(Ellipsis): lambda value: ["Ellipsis"],
    **{cls: lambda value: ["path", type(value).__name__, str(value)] for cls in _PATHS.values()},
    **{cls: lambda value: ["text", type(value).__name__, str(value)] for cls in _AS_TEXT.values()},  # type: ignore[misc]
}
_MAKERS: dict[str, Callable[..., Any]] = {
    "deque": _make_deque,
    "defaultdict": _make_default,
    "OrderedDict": lambda _, *parts: collections.OrderedDict(_in_pairs(parts)),
    "Counter": _make_counter,
    "QueryDict": _make_query,
    "MultiValueDict": lambda _, *parts: MultiValueDict(_in_pairs(parts)),
    "ErrorDict": form_errors.make_error_dict,
    "ErrorList": form_errors.make_error_list,
    "ValidationError": ValidationError,
    "SimpleNamespace": lambda names: types.SimpleNamespace(**names),
    "MappingProxyType": types.MappingProxyType,
    "range": range,
    "slice": slice,
    "complex": complex,
    "Fraction": _make_fraction,
    "bytearray": _make_bytearray,
    "Pattern": re.compile,
    "timezone": datetime.timezone,
    "ZoneInfo": zoneinfo.ZoneInfo,
    "Paginator": Paginator,
    "Page": Page,
    "Ellipsis": lambda: ...,
    "path": lambda name, text: _PATHS[name](text),
    "text": lambda name, text: _AS_TEXT[name](text),
    "time": _make_moment(datetime.time),
    "datetime": _make_moment(datetime.datetime),
    "named": classes.find,
    "flag": classes.make_flag,
    "instance": classes.make_instance,
    "namedtuple": classes.make_named_tuple,
    "lazy": lazy.make_lazy,
    "number": lazy.make_by_number,
    "row": rows.make_row,
    "unsaved": rows.make_unsaved,
    "manager": querysets.make_manager,
    "related": querysets.make_related,
    "missing": lambda text: Missing(text),
}


class Missing:
    """In place of a value that could not be kept, and that restore() may make again. why: what pack() said."""

    def __init__(self, why: str) -> None:
        self.why = why


_PARTS[Missing] = lambda value: ["missing", value.why]


def make(parts: Parts) -> Any:
    """The value of pack()'s parts. Any exception means that it cannot be restored."""
    tag = parts[0] if parts else None
    if type(tag) is not str or tag not in _MAKERS:
        raise ValueError("a snapshot has a value of a kind that this version does not know")
    return _MAKERS[tag](*parts[1:])


_READERS: dict[int, Callable[[bytes], Any]] = {
    BIG_INT: lambda data: int(data.decode()),
    SURROGATES: lambda data: data.decode("utf-8", "surrogatepass"),
    ROW: rows.unpack_row,
    ZONED: _unpack_zoned,
    CHOICE: _unpack_choice,
    ANONYMOUS: lambda data: _anonymous_user()(),
    QUERYSET: lambda data: querysets.unpack_queryset(data, loads),
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
        inside = _unwrapped(value)
        return inside if type(inside) in _PLAIN else _to_plain(inside, depth)
    code = _COLLECTIONS.get(type(value))
    if code is not None:
        return msgpack.ExtType(code, _dumps(list(value), depth - 1))
    if isinstance(value, Promise):
        return str(value)
    try:
        ext, content = pack(value)
        return msgpack.ExtType(ext, content if isinstance(content, bytes) else _dumps(content, depth - 1))
    except NotSerializable:
        if isinstance(value, str) and not isinstance(value, enum.Enum):
            return str.__str__(value)  # a subclass: what it adds is lost, as with query strings
        raise


def loads(data: bytes) -> Any:
    """The value that dumps() packed. Any exception means that it cannot be restored: a deleted row, say."""
    return msgpack.unpackb(data, strict_map_key=False, ext_hook=_unpack_any)


def _unpack_any(code: int, data: bytes) -> Any:
    if code == MADE:
        return make(loads(data))
    collection = _COLLECTION_TYPES.get(code)
    return collection(loads(data)) if collection is not None else unpack(code, data)
