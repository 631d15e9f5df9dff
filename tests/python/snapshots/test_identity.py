"""What has two names is one object, before and after; a value that contains itself is refused by name."""

import collections
import dataclasses
import random
import struct

import msgpack
import pytest
from django.contrib.auth.models import User

from troupe import _native_probes as probes
from troupe.snapshots import values


class View:
    """What has attributes."""


@dataclasses.dataclass
class Node:
    name: str
    children: list = dataclasses.field(default_factory=list)


class Stored:
    """A view, and what its store has: the last bytes of each attribute."""

    def __init__(self, rebuilds=lambda *_: False, **attributes):
        self.view, self.state, self.rebuilds, self.roots = View(), probes.snapshot_state(), rebuilds, {}
        vars(self.view).update(attributes)
        self.written = []
        self.keep(whole=True)

    def keep(self, whole=False):
        """Stores what changed. Returns the view as it would come back."""
        entries = probes.write_snapshot(self.state, self.view, self.rebuilds, whole)
        self.written, at = [], 0
        while at < len(entries):
            root, size = struct.unpack_from(">II", entries, at)
            at += 8
            if size == 0xFFFFFFFF:
                del self.roots[root]
                continue
            self.written.append(root)
            self.roots[root] = entries[at : at + size]
            at += size
        back = View()
        vars(back).update(probes.read_snapshot(list(self.roots.items())))
        return back


def shape(value):
    """What a value is made of, with a number in place of each object that was met before."""
    met = {}

    def walk(value):
        if isinstance(value, (int, str, float, type(None))):
            return value
        if not isinstance(value, (tuple, frozenset)):
            if id(value) in met:
                return f"#{met[id(value)]}"
            met[id(value)] = len(met)
        if isinstance(value, dict):
            return [type(value).__name__, *((walk(key), walk(part)) for key, part in value.items())]
        parts = (value.name, value.children) if isinstance(value, Node) else value
        return [type(value).__name__, *map(walk, parts)]

    return walk(value)


def test_in_one_attribute():
    shared, node = [1], Node("n")
    row = {"tags": shared}
    value = {"a": shared, "b": (shared, [row]), "c": collections.deque([row, node]), "d": {"x": node, "y": [shared]}}
    value["e"] = collections.defaultdict(list, {1: shared})
    node.children.append(shared)
    back = probes.unpack(probes.pack("it", value))
    assert shape(back) == shape(value)
    back["a"].append(2)
    assert back["b"][0] == back["b"][1][0]["tags"] == back["d"]["x"].children[0] == back["e"][1] == [1, 2]


def test_one_row_twice():
    row = {"id": 1}
    back = probes.unpack(probes.pack("rows", [row, row, {"id": 1}]))
    assert back[0] is back[1] and back[0] is not back[2]


@pytest.mark.django_db
def test_one_instance():
    ann = User.objects.create(username="ann")
    back = probes.unpack(probes.pack("it", {"all": [ann], "chosen": ann}))
    assert back["chosen"] is back["all"][0]


def test_two_attributes():
    rows = [{"id": 1}, {"id": 2}]
    kept = Stored(rows=rows, chosen=rows[1], again=rows)
    back = kept.keep()
    assert back.chosen is back.rows[1] and back.again is back.rows
    rows[1]["id"] = 5  # only where it is written: the others refer to that
    back = kept.keep()
    assert len(kept.written) == 1 and back.chosen == {"id": 5} and back.chosen is back.rows[1]
    rows.insert(0, {"id": 0})
    back = kept.keep()
    assert back.chosen is back.rows[2] and back.chosen == {"id": 5}
    kept.view.chosen = rows[0]
    back = kept.keep()
    assert len(kept.written) == 1 and back.chosen is back.rows[0]
    kept.view.chosen = {"id": 0}
    back = kept.keep()
    assert back.chosen == back.rows[0] and back.chosen is not back.rows[0]
    del kept.view.rows
    back = kept.keep()
    assert back.again == [{"id": 0}, {"id": 1}, {"id": 5}]
    assert kept.keep() is not None and kept.written == []


def test_a_dict_that_is_an_attribute_twice_and_in_a_tuple():
    one = {"a": [1]}
    kept = Stored(a=one, b=one, c=(one, [one]), d=one["a"])
    back = kept.keep()
    assert kept.written == [] and back.a is back.b is back.c[0] is back.c[1][0] and back.d is back.a["a"]
    kept.view.c = ({"a": [1]}, [one])
    back = kept.keep()
    assert back.c[0] is not back.a and back.c[1][0] is back.a


def test_equal_becomes_the_same():
    """Nothing changes but which object it is."""
    kept = Stored(a=[1], b=[1], rows=[{"id": 1}, {"id": 1}])
    back = kept.keep()
    assert back.a is not back.b
    kept.view.b = kept.view.a
    kept.view.rows[1] = kept.view.rows[0]
    back = kept.keep()
    assert back.a is back.b and back.rows[0] is back.rows[1]
    kept.view.b = [1]
    kept.view.rows[0] = {"id": 1}
    back = kept.keep()
    assert back.a is not back.b and back.rows[0] is not back.rows[1]


def test_what_is_left_out_holds_nothing_that_others_refer_to():
    """An attribute that restore() makes again."""
    row = {"id": 1}
    kept = Stored(lambda view, name, value, error: values.Missing(str(error)), made=[row, object()], chosen=row)
    back = kept.keep()
    assert kept.written == []
    assert back.chosen == {"id": 1} and back.made.why == "made[1]: a object cannot be serialized"
    kept.view.made.pop()
    back = kept.keep()
    assert back.chosen is back.made[0]


CYCLES = [
    (lambda a: a.append(a), r"it\[0\]: a cycle cannot be serialized: this is it again"),
    (lambda a: a.append({"up": (a,)}), r"it\[0\]\['up'\]\[0\]: .*: this is it again"),
    (lambda a: a.append(_cyclic_node()), r"it\[0\]\.children\[0\]: .*: this is it\[0\] again"),
    (lambda a: a.append(_cyclic_deque()), r"it\[0\]\[0\]: .*: this is it\[0\] again"),
]


def _cyclic_node():
    node = Node("n")
    node.children.append(node)
    return node


def _cyclic_deque():
    made = collections.deque()
    made.append(made)
    return made


@pytest.mark.parametrize(("close", "message"), CYCLES, ids=range(len(CYCLES)))
def test_cycles(close, message):
    value = []
    close(value)
    with pytest.raises(TypeError, match=message):
        probes.pack("it", value)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(seed):
    """After any change the store has the same graph as the view."""
    chosen = random.Random(seed)
    pool = []

    def make(depth=3):
        if pool and chosen.random() < 0.4:
            return chosen.choice(pool)
        kind = chosen.choice(["list", "dict", "tuple", "node", "deque", "plain", "rows"]) if depth else "plain"
        if kind == "plain":
            return chosen.randrange(3)
        if kind == "rows":
            made = [{"id": number} for number in range(chosen.randrange(4))]
        elif kind == "node":
            made = Node("n", [make(depth - 1)])
        elif kind == "dict":
            made = {key: make(depth - 1) for key in "ab"}
        else:
            kinds = {"list": list, "tuple": tuple, "deque": collections.deque}
            made = kinds[kind](make(depth - 1) for _ in range(chosen.randrange(3)))
        pool.append(made)
        return made

    kept = Stored(**{name: make() for name in "abcd"})
    for _ in range(60):
        name = chosen.choice("abcdef")
        if chosen.random() < 0.15:
            vars(kept.view).pop(name, None)
        elif isinstance(vars(kept.view).get(name), list) and chosen.random() < 0.5:
            vars(kept.view)[name][:0] = [chosen.randrange(3)]
        else:
            setattr(kept.view, name, make())
        back = kept.keep()
        names = sorted(vars(kept.view))
        assert shape([vars(back)[name] for name in names]) == shape([vars(kept.view)[name] for name in names])
        kept.keep()
        assert kept.written == []


def test_references_that_lead_nowhere():
    def reference(root, ordinal):
        return msgpack.ExtType(values.REFERENCE, struct.pack(">II", root, ordinal))

    assert probes.unpack(msgpack.packb([[], reference(0, 1)])) == [[], []]
    for value in (reference(0, 0), [reference(0, 0)], [[], reference(0, 2)], [reference(1, 0)], [reference(0, 1 << 31)],
                  [msgpack.ExtType(values.REFERENCE, b"")]):  # fmt: skip
        with pytest.raises(ValueError, match="a reference to an object that is not there"):
            probes.unpack(msgpack.packb(value))
    pairs = [(2, msgpack.packb(["b", reference(1, 0)])), (1, msgpack.packb(["a", [5]]))]
    back = probes.read_snapshot(pairs)
    assert back["a"] is back["b"]
    for number in (2, 3):  # itself, and a later one
        bad = msgpack.packb(["b", reference(number, 0)])
        with pytest.raises(ValueError, match="a reference to an object that is not there"):
            probes.read_snapshot([*pairs[1:], (2, bad), (3, msgpack.packb(["c", []]))])
