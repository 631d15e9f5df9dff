"""The protocol's frames (proto/PROTOCOL.md 3 to 6) in Python: the fixed header, and msgpack bodies with
extension types.

Pure: no I/O, no settings. Any thread.
"""

import datetime
import decimal
import struct
import threading
import uuid

import msgpack
from django.utils.functional import Promise
from django.utils.safestring import SafeData, SafeString

from ._limits import MAX_REQUEST_BODY

VERSION = 1
HEADER = struct.Struct("!BBH16sQQI")  # version, type, flags, session, epoch, sequence, ttl
NO_SESSION = bytes(16)
REQUEST_BIT = 1 << 63  # set in the sequence of every request that is not an EVENT

MOUNT, JOIN, EVENT, UNMOUNT, PING, SHUTDOWN, STATS, ACK, LEAVE, LOGOUT, REFRESH, EXITED = range(0x01, 0x0D)
SESSIONS, EVICT = range(0x0D, 0x0F)
MOUNTED, JOINED, DONE, FAILED, NOT_EXECUTED, UNKNOWN = range(0x21, 0x27)
UNMOUNTED, PONG, ENDED, FIGURES, PUSH, LISTED = range(0x27, 0x2D)

BROWSER, HTML, PAGE, EMBED, UNADOPTED, REPEAT, AGAIN = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40

MAX_NUMBER = 1 << 53

_I64 = struct.Struct("!q")
_MICROSECOND = datetime.timedelta(microseconds=1)


class WireError(ValueError):
    """What was to be sent, or what came, is not a frame of the protocol."""


def pack_header(kind, flags, session, epoch, sequence, ttl):
    """The 40 bytes of a header. `session` is 16 bytes, `ttl` in ms (0: the receiver's default)."""
    return HEADER.pack(VERSION, kind, flags, session, epoch, sequence, ttl)


def unpack_header(frame):
    """(version, type, flags, session, epoch, sequence, ttl) of a 40-byte frame. WireError: another length or
    version.
    """
    if len(frame) != HEADER.size:
        raise WireError(f"a header has {HEADER.size} bytes, not {len(frame)}")
    fields = HEADER.unpack(frame)
    if fields[0] != VERSION:
        raise WireError(f"protocol version {fields[0]}, not {VERSION}")
    return fields


def pack_ext(value):
    """(code, bytes) of a value that travels as an extension type (PROTOCOL.md 6), or None if it is not one of
    those.
    """
    if isinstance(value, datetime.datetime):
        return 1, value.isoformat().encode()
    if isinstance(value, datetime.date):
        return 2, value.isoformat().encode()
    if isinstance(value, datetime.time):
        return 3, value.isoformat().encode()
    if isinstance(value, decimal.Decimal):
        return 4, str(value).encode()
    if isinstance(value, uuid.UUID):
        return 5, value.bytes
    if isinstance(value, SafeData) and isinstance(value, str):
        return 6, value.encode()
    if isinstance(value, datetime.timedelta):
        return 7, _pack_timedelta(value)
    return None


def _pack_timedelta(value):
    try:
        return _I64.pack(value // _MICROSECOND)
    except struct.error as error:
        raise OverflowError("a timedelta of more than 292,000 years cannot travel") from error


_READERS = {
    1: lambda data: datetime.datetime.fromisoformat(data.decode()),
    2: lambda data: datetime.date.fromisoformat(data.decode()),
    3: lambda data: datetime.time.fromisoformat(data.decode()),
    4: lambda data: decimal.Decimal(data.decode()),
    5: lambda data: uuid.UUID(bytes=data),
    6: lambda data: SafeString(data.decode()),
    7: lambda data: datetime.timedelta(microseconds=_I64.unpack(data)[0]),
}


def unpack_ext(code, data):
    """The value of an extension type. WireError: no such code, or data that does not parse."""
    reader = _READERS.get(code)
    if reader is None:
        raise WireError(f"there is no extension type {code}")
    try:
        return reader(bytes(data))
    except (ValueError, ArithmeticError, struct.error) as error:
        raise WireError(f"extension type {code} does not parse: {error}") from error


def _plain(value):
    """What msgpack packs instead of a value that is not of an exact builtin type."""
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
    raise TypeError(f"a value of type {type(value).__name__} cannot travel to a worker: {value!r:.100}")


class _Packers(threading.local):
    def __init__(self):
        self.pack = msgpack.Packer(default=_plain, strict_types=True, use_bin_type=True).pack


_packers = _Packers()


def pack_body(body):
    """msgpack of a map with string keys. WireError says what cannot travel, or that it is too long."""
    try:
        data = _packers.pack(body)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(str(error)) from error
    if len(data) > MAX_REQUEST_BODY:
        raise WireError(f"{len(data)} bytes of parameters, over the limit of {MAX_REQUEST_BODY}")
    return data


def unpack_body(data):
    """The map that a body holds. WireError if it is not one."""
    try:
        body = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=unpack_ext)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"the body does not parse: {error}") from error
    if type(body) is not dict:
        raise WireError("the body is not a map")
    return body


def is_integer(value):
    """Whether an int has no more than the 64 bits that travel."""
    return -(1 << 63) <= value < 1 << 64


def depth_within(value, limit):
    """Whether lists and maps are nested at most `limit` deep in a plain value. Never recurses deeper than
    that.
    """
    if type(value) is dict:
        return limit > 0 and all(depth_within(item, limit - 1) for item in value.values())
    if type(value) is list:
        return limit > 0 and all(depth_within(item, limit - 1) for item in value)
    return True
