"""What a handler is called with: the event's parameters that it takes, converted as its type hints say.

A handler is analysed once. A parameter that it does not take is dropped: pages carry `data-*` of other scripts and of
browser extensions, which no developer wrote for a handler. What is missing or cannot be converted is refused, and the
handler does not run.
"""

import difflib
import inspect
import logging
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from django.conf import settings

from ..logs import quoted, word
from .converters import (
    MISSING,
    SUFFIXES,
    Converter,
    Mismatch,
    NotFound,
    convert,
    converter_for,
    query_dict,
    shortened,
    suffixed,
)
from .faults import NOT_FOUND, PARAMS, Refused
from .literals import LiteralError, parse
from .turn import current_turn

logger = logging.getLogger("troupe")

# proto/PROTOCOL.md 9.2: arguments by position, and a form's fields.
_ARGS, _FIELDS, _LISTS, _BOXES = "_args", "_fields", "_lists", "_boxes"
_SPECIAL = (_ARGS, _FIELDS, _LISTS, _BOXES)

_EMPTY = inspect.Parameter.empty
_MORE, _REST = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
_MAX_NAMES = 20  # in a message
_MAX_CANDIDATES = 200  # names that are looked through for one that was meant
_MAX_NAME = 100  # characters of one
_MAX_REPORTED = 1000  # near misses that a process remembers, so that each is logged once

Handler = Callable[..., Any]
Namespace = typing.Mapping[str, Any]


class Taken(NamedTuple):
    """A parameter of a handler. default: _EMPTY if it is required. converter: None: as it came."""

    name: str
    default: Any
    by_position: bool
    positional_only: bool
    converter: Converter | None


class Signature(NamedTuple):
    """What a handler takes besides the view. rest: it has **kwargs. more: it has *args. hidden: names that a value in
    **kwargs may not have. unresolved: (parameter, hint) of hints that name nothing.
    """

    taken: tuple[Taken, ...]
    rest: bool
    more: bool
    hidden: frozenset[str]
    unresolved: tuple[tuple[str, str], ...]


def signature_of(function: Handler, namespace: Namespace, coerce: bool = True) -> Signature:
    """The signature of a handler, through decorators as long as they pass everything on (**kwargs).

    namespace: the class that defines it, for hints that are written as text. coerce: whether to convert at all.
    """
    taken: dict[str, Taken] = {}
    hidden: set[str] = set()
    unresolved: list[tuple[str, str]] = []
    by_position = False
    while True:
        parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
        if parameters and parameters[0].kind in (parameters[0].POSITIONAL_ONLY, parameters[0].POSITIONAL_OR_KEYWORD):
            if parameters[0].kind is parameters[0].POSITIONAL_OR_KEYWORD:
                hidden.add(parameters[0].name)
            del parameters[0]
        kinds = {parameter.kind for parameter in parameters}
        wrapped = getattr(function, "__wrapped__", None)
        outer = wrapped is not None and not kinds.isdisjoint((_REST, _MORE))
        for parameter in parameters:
            if parameter.name not in taken and parameter.kind not in (_REST, _MORE):
                hint = _hint(function, parameter, namespace, unresolved) if coerce else _EMPTY
                taken[parameter.name] = Taken(
                    parameter.name,
                    parameter.default,
                    parameter.kind is not parameter.KEYWORD_ONLY,
                    by_position or parameter.kind is parameter.POSITIONAL_ONLY,
                    None if hint is _EMPTY else converter_for(hint),
                )
        if not outer:
            break
        by_position |= _REST not in kinds  # a wrapper that passes on *args only
        function = typing.cast(Handler, wrapped)
    rest, more = _REST in kinds and not by_position, _MORE in kinds
    return Signature(tuple(taken.values()), rest, more, frozenset(hidden), tuple(unresolved))


def _hint(
    function: Handler, parameter: inspect.Parameter, namespace: Namespace, unresolved: list[tuple[str, str]]
) -> Any:
    """A parameter's type. _EMPTY: it has no hint, or one that cannot be resolved, which is added to `unresolved`."""
    if parameter.annotation is _EMPTY:
        return _EMPTY
    for names in (None, dict(namespace)):
        holder: Any = types.FunctionType((lambda: None).__code__, {})
        holder.__annotations__ = {"hint": parameter.annotation}
        try:
            return typing.get_type_hints(holder, getattr(function, "__globals__", {}), names, True)["hint"]
        except Exception:  # noqa: S112  whatever evaluating the developer's own text raises: a name of TYPE_CHECKING…
            continue
    unresolved.append((parameter.name, str(parameter.annotation)))
    return _EMPTY


class Event:
    """The parameters of one event, as the page sent them.

    came: (suffix or None, value) by name; a suffix, perhaps empty, says that the page's author wrote it for a handler.
    fields: a form's values by name, or None.
    """

    __slots__ = ("came", "fields", "lists", "boxes", "args")

    def __init__(self, params: dict[str, Any]) -> None:
        self.came: dict[str, tuple[str | None, Any]] = {}
        self.fields: dict[str, list[Any]] | None = None
        self.lists: dict[str, None] = {}  # by name, in the page's order
        self.boxes: dict[str, bool] = {}
        self.args: list[Any] = []
        for name, value in params.items():
            if name in _SPECIAL and self._read(name, value):
                continue
            base, colon, suffix = name.partition(":")
            if suffix and suffix not in SUFFIXES:
                base, suffix = name, ""  # data-x:y of another script, or a mistake: _bind()
            self.came[base] = (suffix if colon else None, value)

    def _read(self, name: str, value: Any) -> bool:
        """Reads one of _SPECIAL. False: it is something of the page's with that name."""
        if name == _ARGS and type(value) is str:
            try:
                self.args = parse(value)
            except LiteralError as error:
                raise Refused(PARAMS, f"the arguments in {shortened(value)} cannot be read: {error}") from None
        elif name == _ARGS and type(value) is list:
            self.args = value
        elif name == _FIELDS and type(value) is list:
            self.fields = {}
            for pair in value:
                if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
                    raise Refused(PARAMS, "the form's fields are not pairs of name and value")
                self.fields.setdefault(pair[0], []).append(pair[1])
        elif name == _LISTS and type(value) is list:
            self.lists = dict.fromkeys(each for each in value if type(each) is str)
        elif name == _BOXES and type(value) is dict:
            self.boxes = {each: ticked for each, ticked in value.items() if type(ticked) is bool}
        else:
            return False
        return True

    def names(self) -> list[str]:
        """The names of everything that came."""
        return list(dict.fromkeys([*(self.fields or ()), *self.came]))

    def is_list(self, name: str) -> bool:
        """Whether the page says that a field is a list, however many values came."""
        return name in self.lists or name.endswith("[]")

    def field(self, name: str, kind: str) -> Any:
        """The value of a form's field, for a parameter of that kind. MISSING: the form has none of that name."""
        if self.fields is None:
            return MISSING
        if kind == "bool" and name in self.boxes:
            return self.boxes[name]
        values = self.fields.get(name)
        if values is None:
            return [] if name in self.lists else MISSING
        return values if kind == "list" or self.is_list(name) else values[-1]

    def source(self, name: str) -> str | None:
        """Under which name a parameter came: its own, or one that no parameter can have (tags[], card-number)."""
        if name in self.came or (self.fields is not None and self._is_field(name)):
            return name
        if self.fields is None:
            return None
        others = [*self.fields, *self.lists, *self.boxes]
        return next((each for each in others if not each.isidentifier() and _as_parameter(each) == name), None)

    def _is_field(self, name: str) -> bool:
        return name in (self.fields or ()) or name in self.lists or name in self.boxes


def _as_parameter(name: str) -> str:
    return name.removesuffix("[]").replace("-", "_").replace(".", "_")


class Binder:
    """Calls one handler with the parameters of an event. label: the handler's name, for messages."""

    def __init__(self, function: Handler, label: str, namespace: Namespace) -> None:
        self._function = function
        self._label = label
        self.signature = signature_of(function, namespace, getattr(function, "_troupe_coerce", True))
        for name, hint in self.signature.unresolved:
            logger.warning(
                "event=hint_unresolved handler=%s parameter=%s hint=%s message=%s",
                word(label),
                word(name),
                quoted(hint),
                quoted("values are passed as they came: import the type at run time, not under TYPE_CHECKING"),
            )
        taken = self.signature.taken
        self._by_name = {each.name: each.converter for each in taken}
        self._required = [each.name for each in taken if each.default is _EMPTY]
        # What is passed by name only, and comes from one parameter each, needs no Event.
        self._is_plain = not any(
            each.positional_only or (each.converter is not None and each.converter.kind == "fields") for each in taken
        )
        self._reported: set[str] = set()

    def __call__(self, view: Any, params: dict[str, Any] | None) -> Any:
        """What the handler returns. Refused: it did not run."""
        if not params and not self._required and self._is_plain:
            return self._function(view)
        values = self._bind_plain(params or {}) if self._is_plain else None
        if values is not None:
            return self._function(view, **values)
        positional, named = self._bind(Event(params or {}))
        return self._function(view, *positional, **named)

    def _bind_plain(self, params: dict[str, Any]) -> dict[str, Any] | None:
        """As _bind(), in a fraction of the time, for an event that needs nothing but conversions. None: _bind() has to
        look at it, also for what is to be said about it.
        """
        values: dict[str, Any] = {}
        dropped = False
        try:
            for name, value in params.items():
                if ":" in name:
                    name, _, suffix = name.partition(":")
                    if suffix and isinstance(value, str) and (self.signature.rest or name in self._by_name):
                        value = suffixed(suffix, value)
                if name in self._by_name:
                    converter = self._by_name[name]
                    if converter is not None and value is not MISSING:
                        if value is None and not converter.nullable:
                            return None
                        value = converter.convert(value) if value is not None else None
                elif name[:1] == "_" or name in self.signature.hidden:
                    return None
                elif not self.signature.rest:
                    dropped = True
                    continue
                if value is MISSING:
                    return None
                values[name] = value
        except (Mismatch, NotFound):
            return None
        for name in self._required:
            if name not in values:
                return None
        # Reading a setting costs as much as the rest.
        is_plain = not dropped and len(values) == len(self._by_name) or not settings.DEBUG
        return values if is_plain else None

    def _bind(self, event: Event) -> tuple[list[Any], dict[str, Any]]:
        signature = self.signature
        by_position = [taken for taken in signature.taken if taken.by_position]
        spare = event.args[len(by_position) :]
        if spare and not signature.more:
            self._refuse(f"takes {len(by_position)} arguments by position, and {len(event.args)} came")
        given = {taken.name: value for taken, value in zip(by_position, event.args, strict=False)}
        values: dict[str, Any] = {}
        used: set[str] = set()
        for name in event.came:
            base, colon, suffix = name.partition(":")
            if colon and base in self._by_name and base not in event.came:
                self._refuse(f"parameter {name!r}: there is no type {suffix!r}, but {', '.join(SUFFIXES)}")
        for taken in signature.taken:
            value = self._value(taken, given, event, used)
            if value is not MISSING:
                values[taken.name] = value
            elif taken.default is _EMPTY:
                self._refuse_missing(taken, event)
        if settings.DEBUG:
            self._report(event, values, used)
        positional = self._take_positional(values, bool(spare)) + spare
        if signature.rest:
            values.update(self._others(event, used))
        return positional, values

    def _value(self, taken: Taken, given: dict[str, Any], event: Event, used: set[str]) -> Any:
        """The value of one parameter, or MISSING."""
        name = taken.name
        kind = taken.converter.kind if taken.converter else ""
        if kind == "fields":
            return self._all_fields(event)
        if name in given:
            used.add(name)
            return self._converted(taken, given[name])
        source = event.source(name)
        if source is not None:
            used.add(source)
            value = event.field(source, kind)
            if value is MISSING:
                value = self._plain(source, event)
            return value if value is MISSING else self._converted(taken, value)
        if event.fields is not None and taken.default is _EMPTY:
            # A browser sends nothing for a box that is not ticked, and nothing for an empty choice.
            if kind == "bool":
                return False
            if kind == "list":
                return self._converted(taken, [])
        return MISSING

    def _converted(self, taken: Taken, value: Any) -> Any:
        if taken.converter is None:
            return value
        try:
            return convert(taken.converter, value)
        except Mismatch as error:
            self._refuse(f"parameter {taken.name!r} must be {error}, and {shortened(value)} came")
        except NotFound as error:
            text = f"{self._label}(): there is no {error} with the key {shortened(value)} (parameter {taken.name!r})"
            raise Refused(NOT_FOUND, text) from None

    def _plain(self, name: str, event: Event) -> Any:
        """The value of what is no field, converted as its suffix says, or MISSING."""
        suffix, value = event.came.get(name, (None, MISSING))
        if not suffix or not isinstance(value, str):
            return value
        try:
            return suffixed(suffix, value)
        except Mismatch as error:
            self._refuse(f"parameter '{name}:{suffix}' must be {error}, and {shortened(value)} came")

    def _all_fields(self, event: Event) -> Any:
        if event.fields is not None:
            return query_dict({**{name: [] for name in event.lists}, **event.fields})
        plain = {name: value for name, (_, value) in event.came.items()}
        return query_dict({name: value if isinstance(value, list) else [value] for name, value in plain.items()})

    def _take_positional(self, values: dict[str, Any], all_of_them: bool) -> list[Any]:
        """Takes out of `values` what can only be passed by position; all_of_them: whatever may be."""
        taken = [each for each in self.signature.taken if each.positional_only or (all_of_them and each.by_position)]
        while taken and taken[-1].name not in values and not all_of_them:
            taken.pop()
        return [values.pop(each.name) if each.name in values else each.default for each in taken]

    def _others(self, event: Event, used: set[str]) -> dict[str, Any]:
        """What goes into **kwargs."""
        others: dict[str, Any] = {}
        names = {taken.name for taken in self.signature.taken if not taken.positional_only}
        for name in event.came:
            if name not in used:
                value = self._plain(name, event)
                others[name] = None if value is MISSING else value
        for name in [*event.lists, *(event.fields or ())]:
            if name not in used:
                others[name] = event.field(name, "")
        names |= self.signature.hidden
        return {name: value for name, value in others.items() if name not in names}

    def _refuse(self, text: str) -> NoReturn:
        raise Refused(PARAMS, f"{self._label}(): {text}") from None

    def _refuse_missing(self, taken: Taken, event: Event) -> NoReturn:
        names = [name for name in event.names() if name not in _SPECIAL]
        came = ", ".join(names[:_MAX_NAMES]) + (", …" if len(names) > _MAX_NAMES else "")
        text = f"parameter {taken.name!r} is missing; what came: {shortened_names(came)}"
        if taken.name in names or (event.fields and taken.name in event.fields):
            text = f"parameter {taken.name!r} is empty, and has no default"
        near = None if taken.name in names else _near(taken.name, names)
        if taken.name == "request":
            text += ". A handler has the request as self.request"
        self._refuse(text + (f". Did you mean {near!r}?" if near else ""))

    def _report(self, event: Event, values: dict[str, Any], used: set[str]) -> None:
        """In development: names what the page has for the handler and the handler does not take, and parameters that
        never came although something with nearly that name did.
        """
        others = [name for name in event.names() if name not in used]
        for taken in self.signature.taken:
            if taken.name not in values and (taken.converter is None or taken.converter.kind != "fields"):
                near = _near(taken.name, others)
                if near:
                    self._warn(taken.name, f"{taken.name!r} never came; did you mean {near!r}?")
        if self.signature.rest:
            return
        for name, (suffix, _) in event.came.items():
            if suffix is not None and name not in used:
                near = _near(name, [taken.name for taken in self.signature.taken])
                hint = f"; did you mean {near!r}?" if near else ""
                self._warn(name, f"the page sends {name!r} (dj-value-*), which the handler does not take{hint}")

    def _warn(self, name: str, text: str) -> None:
        current_turn().warnings.append(f"{self._label}(): {text}")
        if name not in self._reported and len(self._reported) < _MAX_REPORTED:
            self._reported.add(name)
            logger.warning("event=parameter_not_taken handler=%s message=%s", word(self._label), quoted(text))


def _near(name: str, names: list[str]) -> str | None:
    """The name that was probably meant. A stranger may send many."""
    likely = [each for each in names[:_MAX_CANDIDATES] if len(each) <= _MAX_NAME]
    return next(iter(difflib.get_close_matches(name, likely, 1)), None)


def shortened_names(names: str) -> str:
    """A list of names for a message."""
    return names[:400] or "nothing"
