"""Rows that are dicts: whatever changes one is seen, and rows that nobody changed are not looked at.

CPython 3.11 numbers a dict's changes; later ones tell us of them when a dict was met twice. Hence the three looks.
"""

import copy
import gc
import random
import types

import pytest
from test_snapshot_state import Snapshotted

LOOKS = 3


class Thing:
    """Its attributes are a dict's."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def looked_at(kept):
    for _ in range(LOOKS):
        assert kept.keep() == []
    return kept


WAYS = {
    "another value": lambda row: row.__setitem__("a", 9),
    "a key": lambda row: row.__setitem__("new", 9),
    "no key": lambda row: row.__delitem__("a"),
    "pop": lambda row: row.pop("a"),
    "popitem": lambda row: row.popitem(),
    "clear": lambda row: row.clear(),
    "update": lambda row: row.update(a=9),
    "update from pairs": lambda row: row.update([("a", 9)]),
    "or": lambda row: row.__ior__({"a": 9}),
    "setdefault": lambda row: row.setdefault("new", 9),
    "init": lambda row: row.__init__(a=9),
    "dict's own": lambda row: dict.__setitem__(row, "a", 9),
    "code": lambda row: exec("a = 9", {}, row),
    "a global": lambda row: exec("global a; a = 9", row.setdefault("__builtins__", None) or row),
    "order": lambda row: row.update(a=row.pop("a")),
    "type": lambda row: row.update(a=True),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("at", [0, 4])
def test_ways_of_change(way, at):
    kept = looked_at(Snapshotted(rows=[{"a": 1, "b": number} for number in range(5)]))
    way(kept.view.rows[at])
    if "__builtins__" in kept.view.rows[at]:
        del kept.view.rows[at]["__builtins__"]
    assert kept.keep() == ["rows"]
    looked_at(kept)
    kept.view.rows[at]["later"] = 1
    assert kept.keep() == ["rows"]


def given_a_dict(**attributes):
    """An object whose dict was made by somebody else."""
    holder = Thing()
    holder.__dict__ = attributes
    return holder


class Slow(Thing):
    """It sets attributes by way of its class."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)


@pytest.mark.parametrize("make", [Thing, types.SimpleNamespace, given_a_dict, Slow])
def test_attributes_of_an_object(make):
    holders = [make(a=1, b=number) for number in range(5)]
    kept = looked_at(Snapshotted(rows=[vars(holder) for holder in holders]))
    for number in range(200):  # often enough for CPython to specialise it
        holders[3].a = number + 2
        assert kept.keep() == ["rows"]
    del holders[0].b
    assert kept.keep() == ["rows"]
    looked_at(kept)


@pytest.mark.parametrize("change", [
    lambda rows: rows.append({}), lambda rows: rows.pop(), lambda rows: rows.reverse(), lambda rows: rows.clear(),
    lambda rows: rows.insert(0, {"a": -1}), lambda rows: rows.__setitem__(2, {"a": 22}), lambda rows: rows.pop(0),
    lambda rows: rows.__setitem__(slice(1, 3), [rows[2], rows[1]]), lambda rows: rows.__setitem__(1, rows[0]),
    lambda rows: rows.__setitem__(1, [("a", 1)]), lambda rows: rows.__setitem__(0, 5), lambda rows: rows.extend(rows),
])  # fmt: skip
def test_other_rows(change):
    kept = looked_at(Snapshotted(rows=[{"a": number} for number in range(5)]))
    change(kept.view.rows)
    assert kept.keep() == ["rows"]
    looked_at(kept)
    for row in kept.view.rows:
        if isinstance(row, dict):
            row["z"] = 1
            assert kept.keep() == ["rows"]
            break
    looked_at(kept)


def test_one_that_takes_the_place_of_a_dead_one():
    kept = looked_at(Snapshotted(rows=[{"a": 0}]))
    for number in range(1, 500):
        kept.view.rows.clear()
        kept.view.rows.append({"a": number})  # CPython uses the memory again
        assert kept.keep() == ["rows"]
        if number % 3 == 0:
            looked_at(kept)


def test_one_dict_in_many_places():
    row = {"a": 1}
    snapshotted = looked_at(Snapshotted(rows=[row, row], more=(row,), all=[{"b": 1}, row]))
    two = looked_at(Snapshotted(rows=[row]))
    row["a"] = 2
    assert snapshotted.keep() == ["rows"] and two.keep() == ["rows"]  # the others refer to it
    looked_at(snapshotted), looked_at(two)
    del two
    gc.collect()
    row["a"] = 3
    assert snapshotted.keep() == ["rows"]
    snapshotted.view.rows.pop()
    assert snapshotted.keep() == ["rows"]
    row["a"] = 4
    assert snapshotted.keep() == ["rows"]


def test_what_a_row_holds():
    kept = looked_at(Snapshotted(rows=[{"a": [1]}, {"a": {"b": 1}}, {"a": ((1,), [2])}]))
    for change in (
        lambda rows: rows[0]["a"].append(2), lambda rows: rows[1]["a"].update(b=2), lambda rows: rows[2]["a"][1].clear()
    ):  # fmt: skip
        change(kept.view.rows)
        assert kept.keep() == ["rows"]
        looked_at(kept)


def test_rows_outlive_who_looked_at_them():
    rows = [{"a": number} for number in range(3000)]
    for _ in range(3):
        kept = looked_at(Snapshotted(rows=rows))
        del kept
        gc.collect()
        for row in rows:
            row["a"] += 1


@pytest.mark.parametrize("seed", range(10))
def test_many_rows_of_many_views(seed):
    chosen = random.Random(seed)
    pool = [{"a": number} for number in range(300)]
    views = [Snapshotted(rows=[chosen.choice(pool) for _ in range(chosen.randrange(1, 200))]) for _ in range(6)]

    def change():
        rows = chosen.choice(views).view.rows
        choice = chosen.randrange(9)
        if choice < 4 or not rows:
            chosen.choice(pool)["a"] = chosen.randrange(10**6)
        elif choice == 4:
            rows[chosen.randrange(len(rows))] = chosen.choice(pool)
        elif choice == 5:
            pool[chosen.randrange(len(pool))] = {"a": chosen.randrange(10**6)}
        elif choice == 6:
            rows.append(chosen.choice(pool))
        elif choice == 7:
            del rows[chosen.randrange(len(rows))]
        else:
            at = chosen.randrange(len(views))
            views[at] = Snapshotted(rows=[chosen.choice(pool) for _ in range(chosen.randrange(1, 200))])

    for _ in range(300):
        before = [copy.deepcopy(kept.view.rows) for kept in views]
        old = list(views)
        for _ in range(chosen.choice([0, 0, 1, 3])):
            change()
        for at, kept in enumerate(views):
            stored = kept.keep()
            if kept is old[at]:
                assert stored == (["rows"] if kept.view.rows != before[at] else [])
