"""Frames of the protocol (proto/PROTOCOL.md 3 to 6): the fixed header, and msgpack bodies with extension types.

Pure: no I/O, no settings. Any thread.
"""

import datetime
import decimal
import hashlib
import struct
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import msgpack
from django.utils.functional import Promise
from django.utils.safestring import SafeData, SafeString

from ._limits import MAX_REQUEST_BODY

VERSION = 1
HEADER = struct.Struct("!BBH16sQQI")  # version, type, flags, session, epoch, sequence, ttl
NO_SESSION = bytes(16)
MARK_SIZE = 16  # bytes of identity_of() and user_mark()
REQUEST_BIT = 1 << 63  # set in the sequence of every request that is not an EVENT

MOUNT, JOIN, EVENT, UNMOUNT, PING, SHUTDOWN, STATS, ACK, LEAVE, LOGOUT, REFRESH, EXITED = range(0x01, 0x0D)
SESSIONS, EVICT = range(0x0D, 0x0F)
MOUNTED, JOINED, DONE, FAILED, NOT_EXECUTED, UNKNOWN = range(0x21, 0x27)
UNMOUNTED, PONG, ENDED, FIGURES, PUSH, LISTED, WORKING = range(0x27, 0x2E)

BROWSER, HTML, PAGE, EMBED, UNADOPTED, REPEAT, AGAIN = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40

MAX_NUMBER = 1 << 53

DATETIME, DATE, TIME, DECIMAL, UUID, SAFE_STRING, TIMEDELTA = range(1, 8)  # extension types

Body = dict[str, Any]
Header = tuple[int, int, int, bytes, int, int, int]  # version, type, flags, session, epoch, sequence, ttl

_I64 = struct.Struct("!q")
_MICROSECOND = datetime.timedelta(microseconds=1)


class WireError(ValueError):
    """A received frame violates the protocol, or a body cannot be encoded."""


class RequestMap(TypedDict, total=False):
    """What a worker rebuilds the request from (proto/PROTOCOL.md 6, which has the limits)."""

    method: str
    path: str
    query: str
    scheme: str
    headers: dict[str, str]  # names in lower case
    cookies: dict[str, str]
    remote_addr: str
    server: list[Any]  # [host, port]
    user: str | None  # primary key as Django serializes it; None: anonymous
    backend: str | None  # dotted path of the authentication backend
    session_key: str | None
    csrf: str | None
    language: str | None
    time_zone: str | None
    project: Mapping[str, Any]  # {"name", "keys"}; see project.py
    route: str | None  # a view's own page: "call", or "url" if its URL has mount()'s parameters; None: embedded
    meta: dict[str, str | int]
    attrs: dict[str, bytes]  # by snapshots.values.dumps()
    # Only there when they differ from the default; see web/page_facts.py.
    script_name: str
    path_info: str
    urlconf: str
    current_app: str
    language_code: str
    follows: bool
    nonce: str
    by_middleware: bool
    reporter: str
    reporter_filter: str


class MountRequestMap(RequestMap, total=False):
    """That of a MOUNT over HTTP."""

    messages: dict[str, list[list[Any]]]  # those of the page's request that are stored nowhere


def identity_of(session_key: str | None) -> bytes:
    """The 16 bytes by which LOGOUT finds the live sessions of a Django session; empty without one. A hash, so that the
    key itself does not travel.
    """
    return hashlib.blake2b(session_key.encode(), digest_size=MARK_SIZE).digest() if session_key else b""


def user_mark(user: str | None) -> bytes:
    """The 16 bytes by which LOGOUT finds the live sessions of a user, in all their Django sessions. user: the primary
    key as Django serializes it. Empty for nobody.
    """
    if user is None:
        return b""
    return hashlib.blake2b(user.encode(), digest_size=MARK_SIZE, person=b"troupe.user").digest()


def owner_of(identity: bytes, user: str | None) -> bytes:
    """The `identity` of MOUNT and JOIN (PROTOCOL.md 5.1): the marks of the Django session and of the user.

    identity: what identity_of() returned.
    """
    return identity + user_mark(user)


def pack_header(kind: int, flags: int, session: bytes, epoch: int, sequence: int, ttl: int) -> bytes:
    """The 40 bytes of a header. session: 16 bytes. ttl: ms; 0: the receiver's default."""
    return HEADER.pack(VERSION, kind, flags, session, epoch, sequence, ttl)


def unpack_header(frame: bytes) -> Header:
    """The fields of a header's 40 bytes. WireError: another length or version."""
    if len(frame) != HEADER.size:
        raise WireError(f"a header has {HEADER.size} bytes, not {len(frame)}")
    fields = HEADER.unpack(frame)
    if fields[0] != VERSION:
        raise WireError(f"protocol version {fields[0]}, not {VERSION}")
    return fields


def pack_ext(value: Any) -> tuple[int, bytes] | None:
    """(code, bytes) of a value that is encoded as an extension type (PROTOCOL.md 6). None: it is of another type."""
    if isinstance(value, datetime.datetime):
        return DATETIME, value.isoformat().encode()
    if isinstance(value, datetime.date):
        return DATE, value.isoformat().encode()
    if isinstance(value, datetime.time):
        return TIME, value.isoformat().encode()
    if isinstance(value, decimal.Decimal):
        return DECIMAL, str(value).encode()
    if isinstance(value, uuid.UUID):
        return UUID, value.bytes
    if isinstance(value, SafeData) and isinstance(value, str):
        return SAFE_STRING, value.encode()
    if isinstance(value, datetime.timedelta):
        return TIMEDELTA, _pack_timedelta(value)
    return None


def _pack_timedelta(value: datetime.timedelta) -> bytes:
    try:
        return _I64.pack(value // _MICROSECOND)
    except struct.error as error:
        raise OverflowError("a timedelta of more than 292,000 years cannot be sent to a worker") from error


_READERS: dict[int, Callable[[bytes], Any]] = {
    DATETIME: lambda data: datetime.datetime.fromisoformat(data.decode()),
    DATE: lambda data: datetime.date.fromisoformat(data.decode()),
    TIME: lambda data: datetime.time.fromisoformat(data.decode()),
    DECIMAL: lambda data: decimal.Decimal(data.decode()),
    UUID: lambda data: uuid.UUID(bytes=data),
    SAFE_STRING: lambda data: SafeString(data.decode()),
    TIMEDELTA: lambda data: datetime.timedelta(microseconds=_I64.unpack(data)[0]),
}


def unpack_ext(code: int, data: bytes) -> Any:
    """The value of an extension type. WireError: no such code, or data that does not parse."""
    reader = _READERS.get(code)
    if reader is None:
        raise WireError(f"there is no extension type {code}")
    try:
        return reader(bytes(data))
    except (ValueError, ArithmeticError, struct.error) as error:
        raise WireError(f"extension type {code} does not parse: {error}") from error


def _to_builtin(value: Any) -> Any:
    """What msgpack packs in place of a value that is not of an exact built-in type. TypeError: it cannot be encoded."""
    ext = pack_ext(value)
    if ext is not None:
        return msgpack.ExtType(*ext)
    if isinstance(value, (tuple, list)):
        return list(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent to a worker: {value!r:.100}")


class _Packers(threading.local):
    def __init__(self) -> None:
        packer = msgpack.Packer(default=_to_builtin, strict_types=True, use_bin_type=True)
        self.pack: Callable[[Any], bytes] = packer.pack


_packers = _Packers()


def pack_body(body: Body) -> bytes:
    """The msgpack of a map with string keys. WireError: a value cannot be encoded, or it exceeds MAX_REQUEST_BODY."""
    try:
        data = _packers.pack(body)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(str(error)) from error
    if len(data) > MAX_REQUEST_BODY:
        raise WireError(f"{len(data)} bytes of parameters, over the limit of {MAX_REQUEST_BODY}")
    return data


def unpack_body(data: bytes) -> Body:
    """The map in a body. WireError: it is not a map."""
    try:
        body: Any = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=unpack_ext)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"the body does not parse: {error}") from error
    if type(body) is not dict:
        raise WireError("the body is not a map")
    return body


_EXACT = {type(None), bool, float, str, bytes, SafeString, datetime.datetime, datetime.date, datetime.time}
_EXACT |= {datetime.timedelta, decimal.Decimal, uuid.UUID}


def is_exact(value: Any) -> bool:
    """Whether a worker gets this very value: not an object of another type, and not a list in place of a tuple."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and is_exact(item) for key, item in value.items())
    if kind is list:
        return all(map(is_exact, value))
    if kind is datetime.datetime:
        return isinstance(value.tzinfo, (type(None), datetime.timezone))
    return kind in _EXACT or (kind is int and is_integer(value))


def is_integer(value: int) -> bool:
    """Whether an int fits into 64 bits, signed or unsigned."""
    return -(1 << 63) <= value < 1 << 64


def depth_within(value: Any, limit: int) -> bool:
    """Whether lists and maps in a plain value are nested at most `limit` deep. Recurses no deeper than that."""
    if type(value) is dict:
        return limit > 0 and all(depth_within(item, limit - 1) for item in value.values())
    if type(value) is list:
        return limit > 0 and all(depth_within(item, limit - 1) for item in value)
    return True
