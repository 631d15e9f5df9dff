"""Damaged snapshots: each byte may be any other. They are refused by an exception, or are some state; nothing crashes,
hangs or takes memory for what is not there.
"""

import collections
import dataclasses
import random
import struct

import pytest
from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from troupe import _native_probes as probes

pytestmark = pytest.mark.django_db
SEEDS = 6
MUTATIONS = 400


class View:
    """What has attributes."""


@dataclasses.dataclass
class Line:
    name: str
    more: object = None


def roots():
    """A view's, with values of all kinds in them."""
    view, row, group = View(), {"id": 1, "tags": ["a"]}, Group(name="new")
    line = Line("x", [row])
    vars(view).update(
        rows=[row, {"id": 2}], chosen=row, line=line, lines=[line, Line("y")], counts=collections.Counter("aab"),
        by=collections.defaultdict(list, a=[row]), last=collections.deque([1, row], maxlen=3), label=gettext_lazy("x"),
        users=User.objects.filter(username="ann").order_by("-pk")[:3], group=group, query=QueryDict("a=1&a=2"),
        page=Paginator([1, 2, 3], 2).page(1), nested=[[[[(1, {2}, frozenset({3}))]]]], big=1 << 90, odd="\ud800",
    )  # fmt: skip
    entries = probes.write_snapshot(probes.snapshot_state(), view, lambda *_: False, True)
    found, at = [], 0
    while at < len(entries):
        root, size = struct.unpack_from(">II", entries, at)
        found.append((root, entries[at + 8 : at + 8 + size]))
        at += 8 + size
    return found


def damaged(chosen, data):
    """The bytes with a few changes."""
    data = bytearray(data)
    for _ in range(chosen.randrange(1, 4)):
        at = chosen.randrange(len(data))
        match chosen.randrange(5):
            case 0:
                data[at] = chosen.randrange(256)
            case 1:
                data[at] ^= 1 << chosen.randrange(8)
            case 2:
                del data[at : at + chosen.randrange(1, 6)]
            case 3:
                data[at:at] = chosen.randbytes(chosen.randrange(1, 6))
            case 4:
                other = chosen.randrange(len(data))
                data[at : at + 8] = data[other : other + 8]
        if not data:
            return b""
    return bytes(data)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_damaged(seed):
    chosen, sound = random.Random(seed), roots()
    assert len(probes.read_snapshot(sound)) == len(sound)
    read = 0
    for _ in range(MUTATIONS):
        broken = list(sound)
        at = chosen.randrange(len(broken))
        number, data = broken[at]
        broken[at] = (chosen.randrange(20) if chosen.random() < 0.1 else number, damaged(chosen, data))
        try:
            read += len(probes.read_snapshot(broken)) > 0
        except Exception:
            continue
    assert 0 < read < MUTATIONS
