"""proto/vectors/values.json, both ways."""

import collections
import fractions
import ipaddress
import json
import pathlib

import pytest

from troupe import _native_probes as probes

FILE = pathlib.Path(__file__).resolve().parents[3] / "proto" / "vectors" / "values.json"
VECTORS = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in json.loads(FILE.read_text())}
SHARED, DEQUE = [1], collections.deque()
VALUES = {
    "one_list_twice": [SHARED, SHARED],
    "one_list_in_a_map": {"a": SHARED, "b": [SHARED]},
    "deque": collections.deque([1, 2], maxlen=3),
    "counter": collections.Counter("aab"),
    "ordered": collections.OrderedDict(a=[1]),
    "factory": collections.defaultdict(list, a=[1]),
    "no_factory": collections.defaultdict(None, {1: 2}),
    "range": range(1, 7, 2),
    "slice": slice(7),
    "fraction": fractions.Fraction(1, 3),
    "complex": 1 - 2j,
    "bytearray": bytearray(b"ab"),
    "path": pathlib.PurePosixPath("/a"),
    "address": ipaddress.IPv4Address("10.0.0.1"),
    "ellipsis": ...,
    "one_deque_twice": [DEQUE, DEQUE],
    "in_each_other": collections.deque([range(3)]),
}
REFUSED = {
    "reference_to_nothing": "a reference to an object that is not there",
    "reference_to_what_has_not_ended": "a reference to an object that is not there",
    "reference_to_a_later_attribute": "a reference to an object that is not there",
    "reference_too_short": "a reference to an object that is not there",
    "no_such_kind": "of a kind that this version does not know",
    "no_kind": "of a kind that this version does not know",
    "no_parts": None,
    "parts_missing": None,
    "queryset_of_another_django": "a queryset of another version of Django",
    "queryset_of_nothing": None,
}


def test_all_of_them():
    assert set(VECTORS) == {*VALUES, *REFUSED}


@pytest.mark.parametrize("name", VALUES)
def test_written_and_read(name):
    assert probes.pack("it", VALUES[name]).hex() == VECTORS[name].hex()
    back = probes.unpack(VECTORS[name])
    assert type(back) is type(VALUES[name]) and back == VALUES[name]
    if name.endswith("twice"):
        assert back[0] is back[1]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises((ValueError, TypeError), match=REFUSED[name]):
        probes.unpack(VECTORS[name])
