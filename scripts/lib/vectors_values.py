"""Golden vectors of what only snapshots hold: the values of extension types 17 to 19 (PROTOCOL.md 5.5)."""

import struct

import msgpack


def reference(ordinal, attribute=0):
    """Type 17."""
    return msgpack.ExtType(17, struct.pack(">II", attribute, ordinal))


def made(kind, *parts):
    """Type 18."""
    return msgpack.ExtType(18, msgpack.packb([kind, *parts]))


def value(name, plain):
    """One vector. plain: what msgpack packs."""
    return {"name": name, "hex": msgpack.packb(plain).hex()}


def all_values():
    """Of the attribute 0. The readers have the values by these names."""
    return [
        value("one_list_twice", [[1], reference(1)]),
        value("one_list_in_a_map", {"a": [1], "b": [reference(1)]}),
        value("reference_to_nothing", [reference(2)]),
        value("reference_to_what_has_not_ended", [reference(0)]),
        value("reference_to_a_later_attribute", [[], reference(0, attribute=1)]),
        value("reference_too_short", [[], msgpack.ExtType(17, bytes(4))]),
        value("deque", made("deque", 3, 1, 2)),
        value("counter", made("Counter", None, "a", 2, "b", 1)),
        value("ordered", made("OrderedDict", None, "a", [1])),
        value("factory", made("defaultdict", ["builtins", "list"], "a", [1])),
        value("no_factory", made("defaultdict", None, 1, 2)),
        value("range", made("range", 1, 7, 2)),
        value("slice", made("slice", None, 7, None)),
        value("fraction", made("Fraction", 1, 3)),
        value("complex", made("complex", 1.0, -2.0)),
        value("bytearray", made("bytearray", b"ab")),
        value("path", made("path", "PurePosixPath", "/a")),
        value("address", made("text", "IPv4Address", "10.0.0.1")),
        value("ellipsis", made("Ellipsis")),
        value("one_deque_twice", [made("deque", None), reference(1)]),
        value("in_each_other", made("deque", None, made("range", 0, 3, 1))),
        value("no_such_kind", made("Thread")),
        value("no_kind", msgpack.ExtType(18, msgpack.packb([]))),
        value("no_parts", msgpack.ExtType(18, b"")),
        value("parts_missing", made("range")),
        value("queryset_of_another_django", msgpack.ExtType(19, msgpack.packb([[1, 0, 0], *[None] * 7]))),
        value("queryset_of_nothing", msgpack.ExtType(19, msgpack.packb([]))),
    ]
