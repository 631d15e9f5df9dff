"""What the valid and the invalid golden vectors share: how a message is packed and described."""

import struct

import msgpack

TYPES = {
    "MOUNT": 0x01,
    "JOIN": 0x02,
    "EVENT": 0x03,
    "UNMOUNT": 0x04,
    "PING": 0x05,
    "SHUTDOWN": 0x06,
    "STATS": 0x07,
    "ACK": 0x08,
    "LEAVE": 0x09,
    "LOGOUT": 0x0A,
    "REFRESH": 0x0B,
    "EXITED": 0x0C,
    "SESSIONS": 0x0D,
    "EVICT": 0x0E,
    "MOUNTED": 0x21,
    "JOINED": 0x22,
    "DONE": 0x23,
    "FAILED": 0x24,
    "NOT_EXECUTED": 0x25,
    "UNKNOWN": 0x26,
    "UNMOUNTED": 0x27,
    "PONG": 0x28,
    "ENDED": 0x29,
    "FIGURES": 0x2A,
    "PUSH": 0x2B,
    "LISTED": 0x2C,
    "WORKING": 0x2D,
    "REGISTER": 0x41,
    "WELCOME": 0x42,
    "REFUSED": 0x43,
    "HEARTBEAT": 0x44,
    "GOODBYE": 0x45,
    "RELEASED": 0x46,
    "IDENTIFY": 0x47,
    "RESTORE": 0x48,
    "DRAIN": 0x49,
    "MOVE": 0x4A,
    "MOVED": 0x4B,
    "ANNOUNCE": 0x4C,
    "DISOWN": 0x4D,
    "KEEP": 0x4E,
    "KEPT": 0x4F,
}
BROWSER, HTML, PAGE, EMBED, UNADOPTED, REPEAT = (1 << bit for bit in range(6))
REQUEST = 1 << 63  # set in the sequence of every request that is not an EVENT
EPOCH = (7 << 32) | 3
SESSION = bytes(range(16))
VIEW = bytes(range(0x10, 0x20))
OTHER = bytes(range(0xF0, 0x100))
U64 = 2**64 - 1


def sender(name):
    """Who sends this message: "client", "broker" or "worker" (HEARTBEAT is told by its caller)."""
    code = TYPES[name]
    if code < 0x20:
        return "client"
    if code < 0x40:
        return "worker"
    return "broker" if name in ("WELCOME", "REFUSED", "IDENTIFY", "RESTORE", "MOVE", "DISOWN", "KEEP") else "worker"


def header(name, *, version=1, type=None, flags=0, session=SESSION, epoch=EPOCH, sequence=None, ttl=0):
    """The header as a dict with the session as bytes; sequence defaults to what suits the direction."""
    code = TYPES[name] if type is None else type
    if sequence is None:
        sequence = 41 if name in ("EVENT", "DONE", "FAILED") else REQUEST | 5 if code < 0x40 else 0
    return {
        "version": version,
        "type": code,
        "flags": flags,
        "session": session,
        "epoch": epoch,
        "sequence": sequence,
        "ttl": ttl,
    }


def header_bytes(fields):
    """The 40 bytes of PROTOCOL.md 3."""
    return struct.pack(">BBH16sQQI", *(fields[key] for key in HEADER_ORDER))


HEADER_ORDER = ("version", "type", "flags", "session", "epoch", "sequence", "ttl")


def described(value):
    """A body as JSON can hold it: bytes as {"hex"}, extension values as {"ext", "hex"}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, msgpack.ExtType):
        return {"ext": value.code, "hex": value.data.hex()}
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    if isinstance(value, list):
        return [described(item) for item in value]
    return value


def valid(label, name, body, *, sent_by=None, **head):
    """One entry of messages.json."""
    fields = header(name, **head)
    packed = msgpack.packb(body, use_bin_type=True)
    return {
        "name": label,
        "message": name,
        "from": sent_by or sender(name),
        "hex": (header_bytes(fields) + packed).hex(),
        "header": {**fields, "session": fields["session"].hex()},
        "body": described(body),
    }


def invalid(label, name, packed, error, *, sent_by=None, **head):
    """One entry of invalid.json; packed is the body's bytes, or a dict to pack."""
    if not isinstance(packed, bytes):
        packed = msgpack.packb(packed, use_bin_type=True)
    return {
        "name": label,
        "message": name,
        "from": sent_by or sender(name),
        "hex": (header_bytes(header(name, **head)) + packed).hex(),
        "error": error,
    }


def nested(depth):
    """A map `depth` levels deep, counting itself; the innermost is empty."""
    value = {}
    for _ in range(depth - 1):
        value = {"d": value}
    return value


def join_view(**more):
    """One element of JOIN's views, with every required key."""
    return {"view": VIEW, "version": 3, "path": "demo.views.Counter", "params": {}, **more}
