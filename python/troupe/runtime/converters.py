"""From a type hint to a converter: what a browser sent, as the handler's parameter wants it, or a refusal.

A value is never guessed at: what is not exactly a value of the wanted type is refused. Only the types below are ever
made; a hint never makes user code run (a class is not called with what a stranger sent).
"""

import datetime
import decimal
import enum
import json
import math
import re
import types
import typing
import uuid
from collections import abc
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import from_current_timezone
from django.http import QueryDict
from django.utils import dateparse
from django.utils.datastructures import MultiValueDict

from .literals import LiteralError, parse

MAX_NUMERAL = 400  # characters of a number
MAX_EXPONENT = 400  # of a Decimal: 1e9999999 is a few bytes, and formatting it takes gigabytes

TRUE_WORDS = frozenset(("true", "1", "yes", "on", "y", "t"))
FALSE_WORDS = frozenset(("", "false", "0", "no", "off", "n", "f", "none", "null"))

MISSING: Any = object()  # the value of a converter for "", where that says that there is none

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_LOCALIZED = re.compile(r"[+-]?\d{1,3}(?:[.,'’\s]\d{3})+(?:[.,]\d+)?")


class Mismatch(ValueError):
    """A value that is none of the wanted type. str: what would be one."""


class NotFound(LookupError):
    """No row has the primary key that came. str: the model's name."""


class Converter(NamedTuple):
    """convert(value): the converted value, or MISSING. Mismatch, NotFound: it cannot be converted.

    wanted: what it makes, for messages. nullable: None is a value. kind: "list", "bool" or "fields" (a form's fields as
    a QueryDict), where a form's fields are read differently; else "".
    """

    wanted: str
    convert: Callable[[Any], Any]
    nullable: bool = False
    kind: str = ""


def converter_for(hint: Any) -> Converter | None:
    """The converter for a resolved type hint. None: values are passed as they came."""
    hint = _unwrap(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is Literal:
        return _literal(args)
    if origin is not None:
        return _generic(origin, args)
    if not isinstance(hint, type):
        return None
    if issubclass(hint, enum.Enum):
        return _enum(hint)
    if issubclass(hint, models.Model):
        return _model(hint)
    if issubclass(hint, MultiValueDict):
        return Converter("a form's fields", _as_they_are, kind="fields")
    return _known(_SIMPLE, hint) or _generic(hint, ())


def shortened(value: Any) -> str:
    """A value for a message."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"


def _known(table: dict[Any, Any], hint: Any) -> Any:
    try:
        return table.get(hint)
    except TypeError:  # a hint that cannot be hashed
        return None


def _unwrap(hint: Any) -> Any:
    """The type inside of Annotated, NewType, a type variable, or `type X = …`."""
    for _ in range(16):
        if typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif isinstance(hint, typing.TypeVar):
            hint = hint.__bound__ or Any
        elif type(hint).__name__ == "TypeAliasType":  # typing's, from Python 3.12 on
            hint = hint.__value__
        else:
            break
    return hint


def _as_they_are(value: Any) -> Any:
    return value


def _text_of(value: Any) -> str:
    """The text in a value, stripped. Mismatch: it is no text."""
    if not isinstance(value, str):
        raise Mismatch
    return value.strip()


def _plain(wanted: str, kind: type | tuple[type, ...], read: Callable[[str], Any]) -> Converter:
    """A converter for a type that is written as text. read: raises ValueError, or returns None, for other text."""

    def convert(value: Any) -> Any:
        if isinstance(value, kind) and not isinstance(value, bool):
            return value
        text = _text_of(value)
        if not text:
            return MISSING
        try:
            result = read(text)
        except (ValueError, OverflowError, decimal.DecimalException, ValidationError) as error:
            raise Mismatch from error
        if result is None:
            raise Mismatch
        return result

    return Converter(wanted, convert)


def _int(value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is str and value.isdecimal() and len(value) <= MAX_NUMERAL:
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    text = _text_of(value)
    if not text:
        return MISSING
    if len(text) <= MAX_NUMERAL and _INTEGER.fullmatch(text):
        return int(text)
    if _LOCALIZED.fullmatch(text):
        raise Mismatch("a whole number without separators; templates write one with {{ …|unlocalize }}")
    raise Mismatch


def _read_float(text: str) -> float | None:
    value = float(text) if len(text) <= MAX_NUMERAL and _DECIMAL.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def _float(value: Any) -> Any:
    if type(value) is int and -(1 << 53) <= value <= 1 << 53:
        return float(value)
    return _FLOAT_TEXT.convert(value)


def _read_decimal(text: str) -> decimal.Decimal | None:
    value = decimal.Decimal(text) if len(text) <= MAX_NUMERAL and _DECIMAL.fullmatch(text) else None
    return value if value is not None and abs(value.adjusted()) <= MAX_EXPONENT else None


def _decimal(value: Any) -> Any:
    if type(value) in (int, float):
        value = repr(value)  # a float's shortest numeral is what the page wrote
    return _DECIMAL_TEXT.convert(value)


def _bool(value: Any) -> Any:
    if type(value) is bool:
        return value
    if type(value) is int and value in (0, 1):
        return bool(value)
    word = _text_of(value).lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise Mismatch


def _str(value: Any) -> str:
    if isinstance(value, str):
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in (int, float, decimal.Decimal, uuid.UUID):
        return str(value)
    if type(value) in (datetime.date, datetime.datetime, datetime.time):
        return str(value.isoformat())
    raise Mismatch


def _date(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        raise Mismatch  # its time would be lost
    return _DATE_TEXT.convert(value)


def _read_datetime(text: str) -> datetime.datetime | None:
    moment = dateparse.parse_datetime(text)
    if moment is None:
        day = dateparse.parse_date(text)
        moment = None if day is None else datetime.datetime(day.year, day.month, day.day)
    if moment is not None and moment.tzinfo is None and settings.USE_TZ:
        moment = from_current_timezone(moment)  # ValidationError: the clocks change then
    return moment


def _duration(value: Any) -> Any:
    return _DURATION_TEXT.convert(repr(value) if type(value) in (int, float) else value)


def _read_uuid(text: str) -> uuid.UUID | None:
    return uuid.UUID(text) if len(text) <= 45 else None


def _dict(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    text = _text_of(value)
    if not text:
        return MISSING
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Mismatch from error
    if type(found) is not dict:
        raise Mismatch
    return found


_FLOAT_TEXT = _plain("a number", float, _read_float)
_DECIMAL_TEXT = _plain("a decimal number", decimal.Decimal, _read_decimal)
_DATE_TEXT = _plain("a date as YYYY-MM-DD", datetime.date, dateparse.parse_date)
_DURATION_TEXT = _plain("a duration as [DD] [HH:[MM:]]ss", datetime.timedelta, dateparse.parse_duration)

_SIMPLE: dict[Any, Converter] = {
    int: Converter("a whole number", _int),
    float: Converter("a number", _float),
    bool: Converter("true or false", _bool, kind="bool"),
    str: Converter("text", _str),
    decimal.Decimal: Converter("a decimal number", _decimal),
    datetime.date: Converter(_DATE_TEXT.wanted, _date),
    datetime.datetime: _plain("a date and time as YYYY-MM-DDTHH:MM", datetime.datetime, _read_datetime),
    datetime.time: _plain("a time as HH:MM", datetime.time, dateparse.parse_time),
    datetime.timedelta: Converter(_DURATION_TEXT.wanted, _duration),
    uuid.UUID: _plain("a UUID", uuid.UUID, _read_uuid),
    dict: Converter("a JSON object", _dict),
}


def _checked(converter: Converter, value: Any) -> Any:
    """The converted value. Mismatch: with the text of what is wanted."""
    if value is None and converter.nullable:
        return None
    try:
        return converter.convert(value)
    except Mismatch as error:
        raise Mismatch(str(error) or converter.wanted) from error


def _union(args: tuple[Any, ...]) -> Converter | None:
    """`X | None`: "" is None. Of `X | Y` the first that takes the value, in the order written."""
    nullable = type(None) in args
    members = [converter_for(arg) for arg in args if arg is not type(None)]
    if not members or None in members:
        return None
    known = [member for member in members if member is not None]
    wanted = " or ".join(dict.fromkeys(member.wanted for member in known))

    def convert(value: Any) -> Any:
        reason, missing = "", False
        for member in known:
            try:
                converted = member.convert(value)
            except Mismatch as error:
                reason = reason or str(error)
                continue
            missing |= converted is MISSING or (nullable and member.kind == "bool" and value == "")
            if not missing:
                return converted
        if not missing:
            raise Mismatch(reason)
        return None if nullable else MISSING

    kind = known[0].kind if len(known) == 1 else ""
    return Converter(wanted, _unknown_is_none(convert) if nullable and kind == "bool" else convert, nullable, kind)


def _unknown_is_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """For `bool | None`: Django's NullBooleanSelect sends "unknown"."""
    return lambda value: None if value == "unknown" else convert(value)


def _members(wanted: str, members: Iterable[tuple[Any, Any]], names: dict[str, Any]) -> Converter:
    """One of a few values. members: (what stands for it, it). names: other words for them."""
    exact: dict[Any, Any] = {}
    texts: dict[str, Any] = {}
    for value, member in members:
        if isinstance(value, (str, int, float, decimal.Decimal, datetime.date, uuid.UUID)):
            exact.setdefault((type(value) is bool, value), member)
            texts.setdefault(_str(value) if not isinstance(value, str) else str(value), member)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            for found in (texts, names):
                if value in found:
                    return found[value]
            if value == "":
                return MISSING
        elif isinstance(value, abc.Hashable):
            key = (type(value) is bool, value)
            if key in exact:
                return exact[key]
        raise Mismatch

    return Converter(wanted, convert)


def _enum(hint: type[enum.Enum]) -> Converter:
    """A member by its value, then by its name."""
    values = [(member.value, member) for member in hint]
    converter = _members(
        "one of " + ", ".join(shortened(value) for value, _ in values[:10]) + (", …" if len(values) > 10 else ""),
        values,
        dict(hint.__members__),
    )

    def convert(value: Any) -> Any:
        return value if isinstance(value, hint) else converter.convert(value)

    return converter._replace(convert=convert)


def _literal(args: tuple[Any, ...]) -> Converter:
    wanted = "one of " + ", ".join(map(shortened, args))
    members = [(arg.value if isinstance(arg, enum.Enum) else arg, arg) for arg in args if arg is not None]
    converter = _members(wanted, members, {})
    if None not in args:
        return converter

    def convert(value: Any) -> Any:
        converted = converter.convert(value)
        return None if converted is MISSING else converted

    return Converter(wanted, convert, nullable=True)


_LISTS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    abc.Sequence: list,
    abc.Collection: list,
    abc.Iterable: list,
    abc.MutableSequence: list,
    abc.Set: set,
}


def _generic(origin: Any, args: tuple[Any, ...]) -> Converter | None:
    """list[X] and the like, dict[…], a subclass of nothing that is known."""
    if origin in (dict, abc.Mapping, abc.MutableMapping) or typing.is_typeddict(origin):
        return _SIMPLE[dict]
    make = _known(_LISTS, origin)
    if make is None:
        return None
    if origin is tuple and args and args[-1] is not Ellipsis:
        return _fixed([converter_for(arg) for arg in args if arg != ()])
    item = converter_for(args[0]) if args else None
    model = args[0] if args and _is_model(args[0]) else None

    def convert(value: Any) -> Any:
        values = _items(value)
        try:
            if model is not None:
                return make(_rows(model, values))
            return make(values if item is None else [_item(item, each) for each in values])
        except TypeError as error:  # unhashable, in a set
            raise Mismatch from error

    return Converter(f"a list of values, each {item.wanted}" if item else "a list", convert, kind="list")


def _fixed(items: list[Converter | None]) -> Converter:
    """tuple[X, Y]."""

    def convert(value: Any) -> Any:
        values = _items(value)
        if len(values) != len(items):
            raise Mismatch
        return tuple(each if item is None else _item(item, each) for item, each in zip(items, values, strict=True))

    wanted = ", ".join(item.wanted if item else "any value" for item in items)
    return Converter(f"a list of {len(items)}: {wanted}", convert, kind="list")


def _item(item: Converter, value: Any) -> Any:
    converted = _checked(item, value)
    if converted is MISSING:
        raise Mismatch(f"a list of values, each {item.wanted}")
    return converted


def _items(value: Any) -> list[Any]:
    """The items of a list; of text: what stands between its commas, or the literals in its brackets."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    text = _text_of(value)
    if text.startswith(("[", "(")) and text.endswith(("]", ")")):
        try:
            return parse(text[1:-1])
        except LiteralError as error:
            raise Mismatch from error
    return [each.strip() for each in text.split(",")] if text else []


def _is_model(hint: Any) -> bool:
    meta = getattr(hint, "_meta", None)
    return isinstance(hint, type) and issubclass(hint, models.Model) and not getattr(meta, "abstract", True)


def _rows(hint: type[models.Model], values: list[Any]) -> list[models.Model]:
    """Rows by their primary keys, in one query: a stranger chooses how many."""
    keys = [value.pk if isinstance(value, hint) else _primary_key(hint._meta.pk, value) for value in values]
    if any(key is MISSING for key in keys):
        raise Mismatch
    try:
        found = hint._default_manager.in_bulk(keys)
    except OverflowError:
        raise NotFound(hint._meta.label) from None
    except ValueError as error:
        raise Mismatch from error
    if not all(key in found for key in keys):
        raise NotFound(hint._meta.label)
    return [found[key] for key in keys]


def _model(hint: type[models.Model]) -> Converter | None:
    """A row by its primary key, by the model's default manager."""
    meta = hint._meta
    if meta.abstract:
        return None
    wanted = f"the primary key of a {meta.label}"

    def convert(value: Any) -> Any:
        if isinstance(value, hint):
            return value
        if value == "":
            return MISSING
        pk = _primary_key(meta.pk, value)
        if pk is MISSING:
            return MISSING
        try:
            return hint._default_manager.get(pk=pk)
        except (hint.DoesNotExist, OverflowError):  # SQLite has no integer that large
            raise NotFound(meta.label) from None
        except ValueError as error:  # PostgreSQL takes no NUL in text
            raise Mismatch from error

    return Converter(wanted, convert)


def _primary_key(field: Any, value: Any) -> Any:
    """A value as the key's field has it. Stricter than Django's to_python(), which makes 1 of 1.5."""
    while field.remote_field is not None:
        field = field.target_field
    if isinstance(field, models.IntegerField):
        value = _SIMPLE[int].convert(value)
    elif not isinstance(value, (str, int, uuid.UUID)) or isinstance(value, bool):
        raise Mismatch
    if value is MISSING:
        return value
    try:
        return field.to_python(value)
    except (ValidationError, ValueError, TypeError) as error:
        raise Mismatch from error


def query_dict(fields: "dict[str, list[Any]]") -> QueryDict:
    """A form's fields as `request.POST` would have them."""
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name, values)
    data._mutable = False
    return data


SUFFIXES: dict[str, Converter] = {
    "int": _SIMPLE[int],
    "integer": _SIMPLE[int],
    "float": _SIMPLE[float],
    "bool": _SIMPLE[bool],
    "boolean": _SIMPLE[bool],
}


def _json(value: Any) -> Any:
    text = _text_of(value)
    if not text:
        return MISSING
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Mismatch from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(value: Any) -> Any:
    text = _text_of(value)
    return _int(text) if _INTEGER.fullmatch(text) else _float(text)


_LIST = typing.cast(Converter, converter_for(list))
SUFFIXES |= {
    "number": Converter("a number", _number),
    "json": Converter("JSON", _json),
    "object": Converter("a JSON object", _dict),
    "list": _LIST,
    "array": _LIST,
}


def suffixed(suffix: str, text: Any) -> Any:
    """The value of `dj-value-name:suffix="text"`, or MISSING. Mismatch: it is none of that type."""
    converter = SUFFIXES.get(suffix)
    if converter is None:
        raise Mismatch(f"another suffix: there is no type {shortened(suffix)}, but " + ", ".join(SUFFIXES))
    return _checked(converter, text)


def convert(converter: Converter, value: Any) -> Any:
    """The converted value, or MISSING, also for None where that is no value of the type."""
    if value is None and not converter.nullable:
        return MISSING
    return _checked(converter, value)
