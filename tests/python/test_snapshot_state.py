"""What a snapshot after an event has: each attribute that changed, however it did, and no other."""

import decimal
import random
import struct

import msgpack
import pytest

from troupe import _native_probes as probes

GONE = object()


class View:
    """What has attributes."""


class Snapshotted:
    """A view, the state of its snapshots, and what its store would have by now."""

    def __init__(self, rebuilds=lambda *_: False, **attributes):
        self.view, self.state, self.rebuilds = View(), probes.snapshot_state(), rebuilds
        vars(self.view).update(attributes)
        self.stored = {}
        self.keep(whole=True)

    def keep(self, whole=False):
        """Names of what was stored now; of what is gone with a minus."""
        entries = probes.write_snapshot(self.state, self.view, self.rebuilds, whole)
        names, at = [], 0
        while at < len(entries):
            root, size = struct.unpack_from(">II", entries, at)
            at += 8
            if size == 0xFFFFFFFF:
                names.append("-" + msgpack.unpackb(self.stored.pop(root), strict_map_key=False)[0])
                continue
            self.stored[root] = entries[at : at + size]
            names.append(msgpack.unpackb(self.stored[root], strict_map_key=False)[0])
            at += size
        for name, value in self.attributes().items():
            assert repr(value) == repr(getattr(self.view, name))
        return names

    def attributes(self):
        """Those that the store has."""
        return probes.read_snapshot(list(self.stored.items()))


def rows(count=5):
    return [{"id": number, "tags": (number, str(number))} for number in range(count)]


CHANGES = [
    (lambda view: view.deep["a"][1][0]["x"].append(5), "deep"),
    (lambda view: view.deep["a"][1][0].update(x=[]), "deep"),
    (lambda view: view.pair[1].append(0), "pair"),
    (lambda view: view.rows[3].update(id=-1), "rows"),
    (lambda view: view.rows.append({}), "rows"),
    (lambda view: view.rows.pop(), "rows"),
    (lambda view: view.rows.reverse(), "rows"),
    (lambda view: setattr(view, "rows", tuple(view.rows)), "rows"),
    (lambda view: view.nested[2]["in"].append(1), "nested"),
    (lambda view: view.nested[2]["in"].clear(), "nested"),
    (lambda view: view.some.add(9), "some"),
    (lambda view: view.numbers.__setitem__(2, True), "numbers"),
    (lambda view: setattr(view, "number", True), "number"),
    (lambda view: setattr(view, "number", 1.0), "number"),
    (lambda view: setattr(view, "number", 2**70), "number"),
    (lambda view: setattr(view, "zero", -0.0), "zero"),
    (lambda view: setattr(view, "text", b"text"), "text"),
    (lambda view: setattr(view, "nothing", 0), "nothing"),
    (lambda view: setattr(view, "price", decimal.Decimal("1.0")), "price"),
    (lambda view: setattr(view, "new", [1]), "new"),
    (lambda view: delattr(view, "text"), "-text"),
    (lambda view: delattr(view, "rows"), "-rows"),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=range(len(CHANGES)))
def test_what_changed_is_stored_and_nothing_else(change, expected):
    inside = [{"in": [number]} for number in range(4)]
    kept = Snapshotted(
        deep={"a": [0, [{"x": [1]}]]}, pair=(1, []), rows=rows(), nested=inside, some={1}, numbers=[0, 1, 2], number=1,
        zero=0.0, text="text", nothing=None, price=decimal.Decimal("1.00"), request=object(),
    )  # fmt: skip
    assert kept.keep() == []
    change(kept.view)
    assert kept.keep() == [expected]
    assert kept.keep() == []


def test_what_is_equal_is_not_stored_again():
    kept = Snapshotted(rows=rows(), text="text" * 1000, price=1.5, pair=(1, [2]), some={3})
    kept.view.rows = rows()
    kept.view.rows[1]["id"] = 1
    kept.view.text = "".join(["text"] * 1000)
    kept.view.price = float("1.5")
    kept.view.pair = (1, [2])
    kept.view.some = {3}
    assert kept.keep() == []


def test_a_value_that_went_and_came_back():
    kept = Snapshotted(text="text", rows=rows(), other=1)
    text, listed = kept.view.text, kept.view.rows
    kept.view.text, kept.view.rows = listed, text
    assert sorted(kept.keep()) == ["rows", "text"]
    kept.view.text, kept.view.rows = text, listed
    assert sorted(kept.keep()) == ["rows", "text"]
    del kept.view.text, kept.view.rows
    assert sorted(kept.keep()) == ["-rows", "-text"]
    kept.view.text, kept.view.rows = text, listed
    assert sorted(kept.keep()) == ["rows", "text"]
    assert kept.keep() == []
    assert sorted(kept.keep(whole=True)) == ["other", "rows", "text"]


def test_whoever_cannot_be_kept_is_asked_whether_it_is_made_again():
    asked = []

    def rebuilds(view, name, value, error):
        asked.append(view)
        return answer

    answer = True
    kept = Snapshotted(rebuilds, number=1, rows=rows())
    assert asked == []  # nobody need know
    kept.view.lock = lock = object()
    kept.view.number = 2
    assert kept.keep() == ["number"]
    assert asked == [kept.view]
    kept.view.rows[0]["lock"] = lock
    assert kept.keep() == ["-rows"]
    answer = False
    with pytest.raises(TypeError, match=r"rows\[0\]\['lock'\]: a object cannot be serialized|lock: a object"):
        kept.keep()
    del kept.view.lock, kept.view.rows[0]["lock"]
    kept.stored.clear()
    assert sorted(kept.keep(whole=True)) == ["number", "rows"]


def test_many_attributes():
    kept = Snapshotted(**{f"name{number}": number for number in range(100)})
    kept.view.name70 = kept.view.name3 = -1
    del kept.view.name5
    assert kept.keep() == ["name3", "-name5", "name70"]


def _change(chosen, value, depth=0):
    """Something inside of value, or a value in its place."""
    if isinstance(value, list) and value and depth < 4 and chosen.random() < 0.8:
        at = chosen.randrange(len(value))
        value[at] = _change(chosen, value[at], depth + 1)
        return value
    if isinstance(value, dict) and value and depth < 4 and chosen.random() < 0.8:
        key = chosen.choice(list(value))
        value[key] = _change(chosen, value[key], depth + 1)
        return value
    return chosen.choice([
        lambda: chosen.randrange(4), lambda: str(chosen.randrange(4)), lambda: None, lambda: [], lambda: rows(3),
        lambda: {"a": [1, {"b": 2}]}, lambda: [[1], [2]], lambda: (1, [2]), lambda: 0.5, lambda: b"x" * 600,
    ])()  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_the_store_has_what_the_view_has(seed):
    chosen = random.Random(seed)
    kept = Snapshotted(a=1, b=rows(), c=[[1, [2]]], d={"x": {"y": []}}, e="")
    for _ in range(100):
        name = chosen.choice("abcde")
        setattr(kept.view, name, _change(chosen, vars(kept.view).get(name)))
        if chosen.random() < 0.1:
            delattr(kept.view, name)
        kept.keep()
        assert repr(dict(sorted(kept.attributes().items()))) == repr(dict(sorted(vars(kept.view).items())))
