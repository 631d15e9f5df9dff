"""Values of the kinds that Django code keeps in attributes: they come back as they were, and are the same in Python."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import pathlib
import re
import types
import typing
import zoneinfo

import msgpack
import pytest
from django import forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models.utils import create_namedtuple_class
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from troupe import _native_probes as probes
from troupe.snapshots import classes, values


def there_and_back(value):
    return probes.unpack(probes.pack("value", value))


class Status(models.TextChoices):
    OPEN = "open", gettext_lazy("Yes")
    SHUT = "shut", gettext_lazy("No")


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(enum.StrEnum):
    DARK = "dark"


Legacy = collections.namedtuple("Legacy", "a b")


class Typed(typing.NamedTuple):
    name: str
    tags: list = []  # noqa: RUF012


T = typing.TypeVar("T")


@dataclasses.dataclass
class Item:
    name: str
    price: decimal.Decimal = decimal.Decimal(0)
    tags: list = dataclasses.field(default_factory=list)
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        self.total += 1
        self.seen = ["beside the fields"]


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    x: int
    inside: "Place | None" = None


@dataclasses.dataclass
class Box(typing.Generic[T]):
    content: T


@dataclasses.dataclass
class Watched:
    n: int

    @property
    def more(self):
        return self.n

    @more.setter
    def more(self, value):
        raise AssertionError("a setter ran")


class Outer:
    @dataclasses.dataclass
    class Inner:
        n: int

    class Kind(enum.Enum):
        A = 1


def zero():
    return 0


ROME = zoneinfo.ZoneInfo("Europe/Rome")
NOON = datetime.time(12, 30)
VALUES = [
    collections.Counter("aab"), collections.Counter(a=-1), collections.OrderedDict([("b", 1), ("a", [2])]),
    collections.defaultdict(int, a=1), collections.defaultdict(list, {1: [2]}), collections.defaultdict(None, a=1),
    collections.defaultdict(Item), collections.defaultdict(zero), collections.deque([1, [2]]),
    collections.deque([1, 2], maxlen=2), Legacy(1, [2]), Typed("x", ["y"]), create_namedtuple_class("pk", "b")(1, ""),
    Item("x", tags=["a"]), Place(1, Place(2)), Box[int](5), Box(Item("in")), Outer.Inner(3), Outer.Kind.A,
    Status.OPEN, Mode.DARK, Rights.READ, Rights.READ | Rights.WRITE, Rights(0), Status, Item, zero, int, Group,
    pathlib.Path("/a/b"), pathlib.PurePosixPath("c"), pathlib.PureWindowsPath("C:\\d"), range(3), range(9, 1, -2),
    slice(1, None, 2), 1 + 2j, fractions.Fraction(1, 3), bytearray(b"x"), re.compile(r"a+", re.IGNORECASE), ...,
    types.SimpleNamespace(a=[1]), types.MappingProxyType({"a": 1}), ROME, datetime.UTC,
    datetime.timezone(datetime.timedelta(hours=1), "X"), NOON.replace(tzinfo=ROME), NOON.replace(tzinfo=datetime.UTC),
    NOON.replace(fold=1), datetime.datetime(2026, 1, 2, fold=1), ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"), QueryDict("a=1&a=2&b="), QueryDict("x=ü", mutable=True),
    MultiValueDict({"a": [1, 2]}), {Status.OPEN: [Place(1)]}, frozenset({Place(1)}), (Typed("in", [{}]),),
]  # fmt: skip


def plain(value):
    """What can be compared of a value that has no equality, and of what is equal to another kind."""
    if isinstance(value, types.SimpleNamespace):
        return vars(value)
    if isinstance(value, types.MappingProxyType):
        return dict(value)
    if isinstance(value, collections.defaultdict):
        return value.default_factory, dict(value)
    if isinstance(value, collections.deque):
        return value.maxlen, list(value)
    if isinstance(value, QueryDict):
        return value.lists().__class__, list(value.lists()), value._mutable, value.encoding
    if isinstance(value, MultiValueDict):
        return list(value.lists())
    return getattr(value, "fold", None), getattr(value, "tzinfo", None), repr(value), value


@pytest.mark.parametrize(
    "value", VALUES, ids=[f"{number}-{type(value).__name__}" for number, value in enumerate(VALUES)]
)
def test_there_and_back(value):
    # Of a bytearray msgpack's own packer makes bytes.
    travelled = [] if type(value) is bytearray else [values.loads(values.dumps(value))]
    for back in (there_and_back(value), *travelled):
        assert type(back) is type(value)
        assert plain(back) == plain(value)


def test_no_code_of_a_class_runs():
    item = there_and_back(Item("x"))
    assert (item.total, item.seen) == (1, ["beside the fields"])  # __post_init__() has not run again
    assert there_and_back(Typed("x", [])).__class__ is Typed
    watched = classes.make_instance(*classes.name_of(Watched), 3, "n", "more", "__class__", 1, 2, Item)
    assert type(watched) is Watched and (watched.n, watched.more) == (1, 1)


def test_fields_that_came_with_a_deploy():
    parts = classes.pack_instance(Item("x"))
    module, qualname = parts[1:3]
    assert classes.make_instance(module, qualname, 1, "name", "x").tags == []
    with pytest.raises(ValueError, match="Item has a field name by now, without a default: increase state_version"):
        classes.make_instance(module, qualname, 0)
    assert classes.make_named_tuple(module, "Typed", 2, "name", "gone", "x", 1) == Typed("x")
    with pytest.raises(ValueError, match="Typed has a field name by now"):
        classes.make_named_tuple(module, "Typed", 0)


def test_lazy_texts_stay_lazy():
    texts = [
        *(label for _, label in Status.choices), pgettext_lazy("month name", "May"), capfirst(gettext_lazy("yes")),
        format_lazy("{}, {x}", gettext_lazy("Yes"), x=1), ngettext_lazy("%d day", "%d days", 2),
        escape(gettext_lazy("No")),
    ]  # fmt: skip
    back = there_and_back(texts)
    for language in ("en", "de", "fr"):
        with translation.override(language):
            assert [str(text) for text in back] == [str(text) for text in texts]
    assert all(isinstance(text, Promise) for text in back)
    assert type(str(back[-1])) is SafeString
    with translation.override("de"):
        assert str(back[0]) == "Ja"
        days = there_and_back(ngettext_lazy("%(n)d day", "%(n)d days", "n"))
        assert days % {"n": 2} == ngettext_lazy("%(n)d day", "%(n)d days", "n") % {"n": 2}
    assert str(there_and_back(reverse_lazy("nowhere")).__reduce__()[1][1]) == "('nowhere',)"
    assert there_and_back(there_and_back(texts)[0]) == texts[0]


class Ages(forms.Form):
    age = forms.IntegerField()


def test_errors_of_forms():
    form = Ages({"age": "x"})
    form.add_error(None, ValidationError(gettext_lazy("No"), code="c", params={"x": 1}))
    many = (ValidationError("Not %(n)d", params={"n": 1}), ValidationError(["a", "b"]), ValidationError({"age": ["c"]}))
    for value in (form.errors, form.errors["age"], form.non_field_errors(), *many):
        back = there_and_back({"errors": value})["errors"]
        assert type(back) is type(value) and str(back) == str(value)
    back = there_and_back(form.errors)
    assert back.as_json() == form.errors.as_json()
    with translation.override("de"):
        assert str(back["__all__"][0]) == "Nein"


@pytest.mark.django_db
class TestRows:
    """Model instances."""

    def test_what_a_row_has_beside_its_fields(self):
        User.objects.create(username="ann")
        ann = User.objects.annotate(n=models.Count("groups")).defer("email").get()
        ann.chosen = [1]
        ann._private = ann.method = lambda: 0
        back = there_and_back({"user": ann})["user"]
        assert (back, back.n, back.chosen) == (ann, 0, [1])
        assert not hasattr(back, "method") and not hasattr(back, "_private")
        ann.lock = object()
        with pytest.raises(TypeError, match=r"user\['a'\]\.lock: a object cannot be serialized"):
            probes.pack("user", {"a": ann})

    def test_one_that_is_not_saved(self):
        new = User(username="new", date_joined=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        new.note = "beside"
        back = there_and_back(new)
        assert (back.pk, back.username, back.date_joined, back.note) == (None, "new", new.date_joined, "beside")
        assert back._state.adding
        back.save()
        assert User.objects.get().username == "new"

    def test_pages(self):
        Group.objects.bulk_create(Group(name=str(number)) for number in range(5))
        page = Paginator(Group.objects.order_by("pk"), 2).page(2)
        back = there_and_back(page)
        Group.objects.filter(name="3").update(name="three")
        assert [group.name for group in back] == ["2", "three"]
        assert back.has_next() and back.paginator.num_pages == 3


HOSTILE = [
    [], ["nothing"], [5], ["named", "os", "nothing"], ["named", "antigravity", "x"], ["named", "os.path", "sep"],
    ["named", "os; x", "y"], ["instance", "subprocess", "Popen", 0], ["instance", "builtins", "dict", 0],
    ["instance", __name__, "Item", 1, "name"], ["instance", __name__, "Item", -1],
    ["instance", __name__, "Item", 1 << 60],
    ["namedtuple", "builtins", "tuple", 0], ["flag", __name__, "Rights", "os"], ["flag", "builtins", "int", 1],
    ["bytearray", 1 << 40], ["deque", "x"], ["Counter", None, 1], ["defaultdict", ["os", "nothing"]],
    ["lazy", "system", ["x"], {}, False], ["row", "auth.User", "default", 5, "x"], ["row", "no.Model", "x", 0, 1],
    ["related", 5, "x"], ["manager", "auth.User", "nothing"], ["path", "Path", "x"], ["Fraction", 1, 0],
    ["Fraction", "1e999999999", 1], ["named", "os", "system"], ["defaultdict", ["os", "abort"]],
]  # fmt: skip


@pytest.mark.parametrize("parts", HOSTILE, ids=str)
def test_parts_that_are_none(parts):
    packed = msgpack.packb(msgpack.ExtType(values.MADE, msgpack.packb(parts)))
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError, ArithmeticError)):
        probes.unpack(packed)


def test_nothing_of_the_standard_library_is_imported_for_a_name():
    with pytest.raises(ValueError, match="this is not imported here"):
        classes.find("this", "s")
