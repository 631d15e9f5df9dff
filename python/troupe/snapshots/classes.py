"""Classes and functions by their names, and instances of the kinds of class whose parts are known: dataclasses, attrs
classes, named tuples, members of enums.

Reading imports the module that a name names, and calls no code of the class: no __init__(), __new__() or
__setstate__().
"""

import dataclasses
import enum
import functools
import importlib
import sys
import types
from typing import Any

from django.db.models.utils import create_namedtuple_class

from .errors import NotSerializable

Parts = list[Any]
_BUILT_IN = (bool, int, float, complex, str, bytes, bytearray, list, dict, tuple, set, frozenset, BaseException, type)
_MISSING: Any = object()


@functools.lru_cache(maxsize=4096)
def name_of(found: Any) -> tuple[str, str]:
    """(module, qualified name) of a class or function. NotSerializable: it could not be found by them."""
    module, qualname = found.__module__, found.__qualname__
    there = sys.modules.get(module)
    for name in qualname.split("."):
        there = getattr(there, name, None)
    if there is not found:
        what = "it" if isinstance(found, types.FunctionType) else "its class"
        raise NotSerializable(
            f"{qualname} cannot be serialized: {what} must be found in {module} under that name, at the top of the "
            "module or of a class"
        )
    return module, qualname


def find(module: str, qualname: str) -> Any:
    """The class or function of that name. Modules of the standard library are not imported for a name's sake."""
    names = [*module.split("."), *qualname.split(".")]
    if not all(name.isidentifier() for name in names):
        raise ValueError(f"{module}.{qualname} is no name")
    if module not in sys.modules and names[0] in sys.stdlib_module_names:
        raise ValueError(f"{module} is not imported here")
    found: Any = importlib.import_module(module)
    for name in qualname.split("."):
        found = getattr(found, name)
    if not isinstance(found, (type, types.FunctionType)):
        raise ValueError(f"{module}.{qualname} is neither a class nor a function")
    return found


def find_class(module: str, qualname: str, kind: type) -> Any:
    """The class of that name. ValueError: it is not derived from `kind`."""
    found = find(module, qualname)
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise ValueError(f"{module}.{qualname} is no {kind.__name__}")
    return found


def pack_named(value: Any) -> Parts:
    return ["named", *name_of(value)]


# Members of enums


def pack_flag(value: enum.Flag) -> Parts:
    """By value: several flags at once have no name of their own."""
    return ["flag", *name_of(type(value)), value.value]


def make_flag(module: str, qualname: str, value: Any) -> enum.Flag:
    if type(value) is not int:
        raise ValueError("a flag's value is no int")
    cls = find_class(module, qualname, enum.Flag)
    flag: enum.Flag = cls(value)
    if not isinstance(flag, cls) or flag.value != value:  # some classes drop the bits that they do not have
        raise ValueError(f"{qualname} has no {value!r} by now")
    return flag


def make_choice(module: str, qualname: str, member: Any) -> enum.Enum:
    cls = find_class(module, qualname, enum.Enum)
    if member not in cls.__members__:
        raise ValueError(f"{qualname} has no member {member!r} by now")
    found: enum.Enum = cls[member]
    return found


# Dataclasses and classes of attrs


def has_parts(cls: type) -> bool:
    """Whether it is a class of instances whose parts are known."""
    return (dataclasses.is_dataclass(cls) or hasattr(cls, "__attrs_attrs__")) and not issubclass(cls, _BUILT_IN)


@functools.lru_cache(maxsize=4096)
def _fields_of(cls: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return tuple(field.name for field in cls.__attrs_attrs__)


def pack_instance(value: Any) -> Parts:
    """["instance", module, qualified name, n, n names, n values]: the fields, and whatever else it has."""
    cls: Any = type(value)
    names = {name: getattr(value, name) for name in _fields_of(cls) if hasattr(value, name)}
    names.update(getattr(value, "__dict__", {}))
    for skipped in ("__orig_class__", *_cached(cls)):  # typing's; what is computed anew
        names.pop(skipped, None)
    return ["instance", *name_of(cls), len(names), *names, *names.values()]


@functools.lru_cache(maxsize=4096)
def _cached(cls: Any) -> tuple[str, ...]:
    """Names of its cached properties."""
    from django.utils.functional import cached_property

    kinds = (functools.cached_property, cached_property)
    return tuple(name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, kinds))


def make_instance(module: str, qualname: str, count: Any, *rest: Any) -> Any:
    cls = find_class(module, qualname, object)
    if not has_parts(cls):
        raise ValueError(f"{module}.{qualname} is no dataclass")
    values = named_values(count, rest)
    value = object.__new__(cls)
    for name, part in values.items():
        _set_attribute(cls, value, name, part)
    for name in _fields_of(cls):
        if name not in values:
            _set_default(cls, value, name)
    return value


@functools.lru_cache(maxsize=4096)
def _slots_of(cls: Any) -> frozenset[str]:
    attributes: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        attributes.update(vars(base))
    return frozenset(name for name, value in attributes.items() if isinstance(value, types.MemberDescriptorType))


def _set_attribute(cls: Any, value: Any, name: str, part: Any) -> None:
    """In its slot or its __dict__, so that no property's setter runs. What there is no place for is gone."""
    if name in _slots_of(cls):
        object.__setattr__(value, name, part)
    elif hasattr(value, "__dict__"):
        vars(value)[name] = part


def _set_default(cls: Any, value: Any, name: str) -> None:
    """A field that the class did not have when the snapshot was made, or that was not set."""
    field = cls.__dataclass_fields__[name] if dataclasses.is_dataclass(cls) else None
    if field is None:
        return
    if field.default is not dataclasses.MISSING:
        _set_attribute(cls, value, name, field.default)
    elif field.default_factory is not dataclasses.MISSING:
        _set_attribute(cls, value, name, field.default_factory())
    elif field.init:
        raise ValueError(f"{cls.__qualname__} has a field {name} by now, without a default: increase state_version")


def named_values(count: Any, rest: tuple[Any, ...]) -> dict[str, Any]:
    """n names and n values as a dict. ValueError: they are not as many, or a name is none."""
    if type(count) is not int or len(rest) != 2 * count or not all(type(name) is str for name in rest[:count]):
        raise ValueError("names and values do not match")
    return dict(zip(rest[:count], rest[count:], strict=True))


# Named tuples


def is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and type(getattr(value, "_fields", None)) is tuple


def pack_named_tuple(value: Any) -> Parts:
    """["namedtuple", module, qualified name, n, n names, n values]; without a module for a row of values_list()."""
    cls: Any = type(value)
    names = cls._fields
    is_row = cls is create_namedtuple_class(*names)
    return ["namedtuple", *(("", "") if is_row else name_of(cls)), len(names), *names, *tuple.__iter__(value)]


def make_named_tuple(module: str, qualname: str, count: Any, *rest: Any) -> Any:
    values = named_values(count, rest)
    if not module:
        row: Any = create_namedtuple_class(*values)
        return tuple.__new__(row, values.values())
    cls: Any = find_class(module, qualname, tuple)
    names = getattr(cls, "_fields", None)
    if type(names) is not tuple:
        raise ValueError(f"{module}.{qualname} is no named tuple")
    defaults = getattr(cls, "_field_defaults", {})
    parts = [values.get(name, defaults.get(name, _MISSING)) for name in names]
    for name, part in zip(names, parts, strict=True):
        if part is _MISSING:
            raise ValueError(f"{cls.__qualname__} has a field {name} by now, without a default: increase state_version")
    return tuple.__new__(cls, parts)


def pack_default_factory(factory: Any) -> Parts | None:
    """The parts of a defaultdict's factory. NotSerializable: it has no name."""
    if factory is None:
        return None
    if isinstance(factory, (type, types.FunctionType)):
        try:
            return list(name_of(factory))
        except NotSerializable:
            pass
    raise NotSerializable(
        "a defaultdict whose default_factory has no name cannot be serialized: use a class, or a function at the top "
        "of a module, instead of a lambda"
    )
