"""Values in snapshots: each kind comes back as it was, and the path of a value that cannot be serialized is named."""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import math
import random
import threading
import typing
import uuid
import zoneinfo

import msgpack
import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.base import ContentFile
from django.db import models
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, lazy
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from troupe import LiveView
from troupe import _native_probes as probes
from troupe.runtime import entry, faults
from troupe.snapshots import values as snapshots
from troupe.snapshots.errors import NotSerializable, RowGone

DAY = datetime.datetime(2026, 3, 29, 2, 30, 0, 5)


class Kind(models.TextChoices):
    OPEN = "open"
    SHUT = "shut"


class Level(enum.IntEnum):
    LOW = 1


def there_and_back(value):
    return probes.unpack(probes.pack("value", value))


PLAIN = [
    None, True, False, 0, -1, 2**31, -(2**63), 2**63, 2**64, -(10**40), 0.0, 1.5, math.inf, "", "ü€😀", "\0", "\ud800",
    b"", b"\xff", [], {}, (), set(), frozenset(), [[1], (2, [3])], {1, "2", (3,)}, frozenset({4}),
    {1: "int", "1": "str", (1, 2): "tuple", None: 0, b"x": b"y"}, DAY, DAY.date(), DAY.time(),
    datetime.timedelta(days=10_000), -datetime.timedelta(microseconds=1),
    DAY.replace(tzinfo=datetime.UTC), DAY.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-3))),
    decimal.Decimal("1.10"), decimal.Decimal("-Infinity"), uuid.UUID(int=5), SafeString("<b>"), Kind.SHUT, Level.LOW,
]  # fmt: skip


def same(value, other):
    """Equal, and of the same types all the way down."""
    if type(value) is not type(other):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict):
        return same(list(value.items()), list(other.items()))
    return value == other


def _name(value):
    """A value's text: that of a set has an order."""
    return f"{type(value).__name__}({sorted(value, key=repr)})" if isinstance(value, (set, frozenset)) else repr(value)


@pytest.mark.parametrize("value", PLAIN, ids=_name)
def test_there_and_back(value):
    assert same(there_and_back(value), value)
    assert same(snapshots.loads(snapshots.dumps(value)), value)


@pytest.mark.parametrize("size", [15, 16, 31, 32, 255, 256, 65535, 65536])
def test_sizes(size):
    for value in ("ä" * (size // 2) + "a" * (size % 2), b"b" * size, [0] * size, dict.fromkeys(range(size), "")):
        assert same(there_and_back(value), value)
        assert probes.pack("value", value) == msgpack.packb(value)


def test_what_is_too_large_is_named():
    limit = 8 << 20
    assert len(probes.pack("value", "x" * limit)) == limit + 5
    with pytest.raises(TypeError, match=r"value\[0\]: 8388609 bytes are over the limit"):
        probes.pack("value", [b"x" * (limit + 1)])
    with pytest.raises(TypeError, match=r"value\['k'\]: 8388609 elements are over the limit"):
        probes.pack("value", {"k": (None,) * (limit + 1)})


def test_nan():
    assert math.isnan(there_and_back(math.nan))


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_zone_is_that_zone(fold):
    """An hour later in that zone, not in the offset that it had."""
    autumn = datetime.datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=zoneinfo.ZoneInfo("Europe/Rome"))
    back = there_and_back(autumn)
    assert back == autumn and back.fold == fold and back.tzinfo is autumn.tzinfo


def test_random_values():
    seed = random.randrange(2**32)
    print("seed", seed)
    chosen = random.Random(seed)

    def value(depth):
        kind = chosen.choice("plain plain list tuple dict".split() if depth else ["plain"])
        if kind == "plain":
            return chosen.choice([plain for plain in PLAIN if not isinstance(plain, (list, dict, set))])
        if kind == "dict":
            return {f"k{i}": value(depth - 1) for i in range(chosen.randrange(4))}
        many = [value(depth - 1) for _ in range(chosen.randrange(4))]
        return many if kind == "list" else tuple(many)

    for _ in range(500):
        original = value(6)
        assert same(there_and_back(original), original)


@pytest.mark.django_db
def test_a_model_instance_is_the_row_as_it_is_now():
    ann = User.objects.create(username="ann")
    packed = probes.pack("user", [ann, SimpleLazyObject(lambda: ann)])
    User.objects.filter(pk=ann.pk).update(first_name="Ann")
    unpacked, lazy = probes.unpack(packed)
    assert type(unpacked) is User and unpacked == ann and unpacked.first_name == "Ann" and type(lazy) is User
    ann.delete()
    with pytest.raises(RowGone, match="the auth.User with the key [0-9]+ does not exist any more"):
        probes.unpack(packed)


def test_lazy_values_are_evaluated():
    lazy = SimpleLazyObject(lambda: {"tenant": SimpleLazyObject(lambda: "acme"), "word": gettext_lazy("Yes")})
    assert snapshots.loads(snapshots.dumps(lazy)) == {"tenant": "acme", "word": "Yes"}


def test_what_travels_with_a_request_is_limited():
    deep = ()
    for _ in range(40):
        deep = (deep,)
    for value, message in ((deep, "too deep"), (object(), "a object cannot"), (Own(), "a Own cannot")):
        with pytest.raises(NotSerializable, match=message):
            snapshots.dumps(value)


def test_nobody():
    assert type(there_and_back(SimpleLazyObject(AnonymousUser))) is AnonymousUser


class Own(dict):
    pass


MAKE = ": make its class a dataclass, keep what it is made of, or make it in restore()"
FACTORY = "be serialized: use a class, or a function at the top of a module, instead of a lambda"
NAMED = f"must be found in {__name__} under that name, at the top of the module or of a class"
RAW = "a queryset with SQL of its own (raw(), extra(), RawSQL) cannot be serialized: keep what it is made from"


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


class Pair(typing.NamedTuple):
    first: int
    second: object = 2


def local_class():
    @dataclasses.dataclass
    class Local:
        pass

    return Local()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (threading.Lock(), "it: a lock cannot be serialized"),
        ({"rows": [1, {"f": object()}]}, "it['rows'][1]['f']: a object cannot be serialized"),
        ((1, [{2: object()}]), "it[1][0][2]: a object cannot be serialized"),
        (Own(), f"it: a Own cannot be serialized{MAKE}"),
        (iter([]), "it: a list_iterator cannot be serialized: keep list() of it"),
        ({}.items(), "it: a dict_items cannot be serialized: keep list() of it"),
        (collections.defaultdict(lambda: 0), f"it: a defaultdict whose default_factory has no name cannot {FACTORY}"),
        (collections.deque([1, object()]), "it[1]: a object cannot be serialized"),
        (collections.Counter(a=object()), "it['a']: a object cannot be serialized"),
        (Point(1, [object()]), "it.y[0]: a object cannot be serialized"),
        (Pair(1, object()), "it.second: a object cannot be serialized"),
        (
            forms.Form(),
            "it: a Form cannot be serialized: keep its data, and make it in restore(), or in get_context_data()",
        ),
        (ContentFile(b""), "it: a ContentFile cannot be serialized: keep the model instance that has it, or its name"),
        (HttpRequest(), "it: a HttpRequest cannot be serialized: self.request is there in every turn"),
        (
            functools.partial(int),
            "it: a partial cannot be serialized: only functions and classes that can be imported by their names can",
        ),
        (lambda: 0, f"it: <lambda> cannot be serialized: it {NAMED}"),
        (local_class(), f"it: local_class.<locals>.Local cannot be serialized: its class {NAMED}"),
        (
            lazy(repr, str)(5),
            "it: a lazy text of a function that is not Django's cannot be serialized: keep str() of it",
        ),
        (
            User.objects.raw("SELECT 1"),
            "it: a raw() queryset cannot be serialized: keep list() of it, or make it in get_context_data()",
        ),
        (User.objects.extra(where=["1"]), f"it: {RAW}"),
        (User.objects.annotate(n=RawSQL("1", ())), f"it: {RAW}"),
    ],  # fmt: skip
)
def test_what_cannot_be_kept_is_named(value, message):
    with pytest.raises(TypeError) as raised:
        probes.pack("it", value)
    assert str(raised.value) == message


def test_what_has_no_end():
    endless = []
    endless.append(endless)
    with pytest.raises(TypeError, match=r"it\[0\]: a cycle cannot be serialized: this is it again, in which it is"):
        probes.pack("it", endless)
    deep = []
    for _ in range(14):
        deep = [deep]
    assert there_and_back(deep) == deep


def test_a_zone_of_another_kind():
    class Zone(datetime.tzinfo):
        def utcoffset(self, moment):
            return datetime.timedelta(0)

    with pytest.raises(TypeError, match="a datetime with a Zone cannot be serialized"):
        probes.pack("it", DAY.replace(tzinfo=Zone()))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xc1", b"\x92\x01", b"\x01\x02", b"\xc7\x00\x63", b"\xc7\x01\x08\x01", b"\x91" * 40 + b"\x01",
        b"\xd4\x0b\x78", b"\x81\x90\x01",
    ],
)  # fmt: skip
def test_bytes_that_are_no_value(data):
    with pytest.raises((ValueError, TypeError)):
        probes.unpack(data)


def test_only_enums_are_looked_up():
    data = msgpack.packb(["os", "system", "x"])
    with pytest.raises(ValueError, match="os.system is no Enum|neither"):
        snapshots.unpack(snapshots.CHOICE, data)


def test_safe_text_stays_safe():
    assert type(there_and_back(mark_safe("<i>"))) is SafeString


class Versioned(LiveView):
    state_version = 3

    def migrate(self, version, state):
        if version == 2:
            return {"total": state["count"]}
        return [] if version == 1 else None


def adopted(state):
    view = Versioned()
    entry.apply_state(view, "shop.views.Versioned", state)
    return vars(view)


def test_state_of_the_same_version_is_set():
    assert adopted({"": 3, "count": 7}) == {"count": 7}


def test_state_of_another_version_is_migrated():
    assert adopted({"": 2, "count": 7}) == {"total": 7}


def test_state_that_is_not_taken_over():
    with pytest.raises(faults.Refused) as refused:
        adopted({"count": 7})
    assert str(refused.value) == "shop.views.Versioned.migrate() returned None for state_version 0"
    with pytest.raises(TypeError, match="must return a dict or None, not list"):
        adopted({"": 1})
    with pytest.raises(faults.Refused):  # the default: begin anew
        entry.apply_state(LiveView(), "shop.views.Old", {"": 1})
