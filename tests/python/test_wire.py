"""wire.py against PROTOCOL.md: golden vectors, extension types both ways, and what cannot be encoded."""

import datetime
import decimal
import enum
import json
import uuid
from pathlib import Path

import msgpack
import pytest
from django.utils.functional import lazystr
from django.utils.safestring import SafeString, mark_safe

from troupe import wire

VECTORS = Path(__file__).resolve().parents[2] / "proto" / "vectors"
VALUES = [
    datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=datetime.UTC),
    datetime.datetime(1, 1, 1),
    datetime.date(9999, 12, 31),
    datetime.time(12, 30, 0, 1),
    decimal.Decimal("-0.10"),
    decimal.Decimal("1E+400"),
    uuid.UUID(int=2**127 + 1),
    mark_safe("<b>ü</b>"),
    datetime.timedelta(days=-1, microseconds=1),
]


def vectors(name):
    return [pytest.param(vector, id=vector["name"]) for vector in json.loads((VECTORS / name).read_text())]


def plain(value):
    """A vector's JSON body as the values that msgpack gives without our extension types."""
    if isinstance(value, dict) and "ext" in value:
        return msgpack.ExtType(value["ext"], bytes.fromhex(value["hex"]))
    if isinstance(value, dict) and set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def as_plain(value):
    """What unpack_body gave, with extension values as msgpack.ExtType again."""
    ext = wire.pack_ext(value)
    if ext is not None:
        return msgpack.ExtType(*ext)
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("vector", vectors("messages.json"))
def test_valid_vectors_read_and_written(vector):
    frame = bytes.fromhex(vector["hex"])
    expected = vector["header"]
    fields = wire.unpack_header(frame[:40])
    session = bytes.fromhex(expected["session"])
    rest = [expected[key] for key in ("epoch", "sequence", "ttl")]
    assert list(fields) == [expected["version"], expected["type"], expected["flags"], session, *rest]
    assert wire.pack_header(*fields[1:]) == frame[:40]
    body = wire.unpack_body(frame[40:])
    assert as_plain(body) == plain(vector["body"])
    if "ext" not in json.dumps(vector["body"]) and len(frame) - 40 <= wire.MAX_REQUEST_BODY:
        assert wire.pack_body(body) == frame[40:]


@pytest.mark.parametrize("vector", vectors("invalid.json"))
def test_invalid_headers_are_refused(vector):
    frame = bytes.fromhex(vector["hex"])
    if vector["error"] == "version" or len(frame) < 40:
        with pytest.raises(wire.WireError):
            wire.unpack_header(frame[:40])


@pytest.mark.parametrize("vector", vectors("messages.json"))
def test_type_numbers_are_the_documents(vector):
    if vector["header"]["type"] < 0x41:  # control is no business of this side
        assert getattr(wire, vector["message"]) == vector["header"]["type"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_extension_values_survive(value):
    back = wire.unpack_body(wire.pack_body({"x": [value]}))["x"][0]
    assert back == value and type(back) is type(value)


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Ratio(float):
    pass


class Names(list):
    pass


class Bag(dict):
    pass


def test_subclasses_of_builtins_travel_as_those():
    body = {"a": (1, 2), "b": Colour.RED, "c": Level.HIGH, "d": Ratio(0.5), "e": Names("x"), "f": Bag(k=1)}
    body["g"] = lazystr("later")
    back = wire.unpack_body(wire.pack_body(body))
    assert back == {"a": [1, 2], "b": "red", "c": 3, "d": 0.5, "e": ["x"], "f": {"k": 1}, "g": "later"}
    assert type(back["b"]) is str and type(back["c"]) is int


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, 2**64, -(2**63) - 1, "\ud800", datetime.timedelta.max, b"x" * (1 << 20)],
    ids=lambda value: type(value).__name__ + str(value)[:8].encode("ascii", "replace").decode(),
)
def test_what_cannot_travel_is_said(value):
    with pytest.raises(wire.WireError):
        wire.pack_body({"x": value})
    assert wire.pack_body({"x": 1}) == b"\x81\xa1x\x01"  # and nothing of it is left in the packer


def test_endless_nesting_is_refused():
    value = []
    for _ in range(2000):
        value = [value]
    with pytest.raises(wire.WireError):
        wire.pack_body({"x": value})
    assert not wire.depth_within({"x": value}, 14)


@pytest.mark.parametrize(
    ("value", "limit", "fits"),
    [
        (1, 0, True),
        ([], 0, False),
        ([1], 1, True),
        ([[1]], 1, False),
        ({"a": {"b": 1}}, 2, True),
        ({"a": [[]]}, 2, False),
    ],
)
def test_depth_within(value, limit, fits):
    assert wire.depth_within(value, limit) is fits


@pytest.mark.parametrize("data", [b"", b"\x81", b"\x93\x01\x02\x03", b"\xc1", b"\x81\xa1\xff\x01", b"\x81\x01\x02"])
def test_bodies_that_do_not_parse(data):
    with pytest.raises(wire.WireError):
        wire.unpack_body(data)


@pytest.mark.parametrize(
    ("code", "data"), [(1, b"x"), (2, b"2024-13-01"), (4, b"x"), (5, b"short"), (7, b"1"), (8, b"")]
)
def test_extension_data_that_does_not_parse(code, data):
    with pytest.raises(wire.WireError):
        wire.unpack_ext(code, data)


def test_plain_values_are_no_extension():
    assert wire.pack_ext("text") is None
    assert wire.pack_ext(SafeString("x")) == (6, b"x")
