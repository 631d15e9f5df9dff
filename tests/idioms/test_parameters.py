"""Typed parameters: what a handler gets for each type hint and each thing that a page may send, on each Django."""

import collections.abc
import datetime
import decimal
import enum
import json
import logging
import typing
import uuid
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union

import pytest
from django.contrib.auth.models import AbstractUser, Group, User
from django.contrib.sessions.models import Session
from django.db import models
from django.http import QueryDict
from django.urls import path
from django.utils import timezone, translation
from live_pages import LivePage

from troupe import LiveView, event_handler
from troupe.runtime.converters import MISSING, Mismatch, NotFound, convert, converter_for

DECIMAL, UID = decimal.Decimal, uuid.UUID("12345678-1234-5678-1234-567812345678")
UserId = NewType("UserId", int)
Bound = typing.TypeVar("Bound", bound=int)
REFUSED = object()


class Color(enum.Enum):
    RED = "r"
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Flags(enum.Flag):
    A = 1
    B = 2


class Size(models.TextChoices):
    SMALL = "s", "small"
    LARGE = "l", "large"


class Year(models.IntegerChoices):
    FIRST = 1, "first"
    SECOND = 2, "second"


class Filter(TypedDict):
    word: str


class Unknown:
    """Must never be called with what a stranger sent."""

    def __init__(self, value):
        raise AssertionError("called")


def at(*parts):
    return timezone.make_aware(datetime.datetime(*parts))


DAY, NOON = datetime.date(2024, 5, 6), datetime.time(12, 30)

# hint, what is sent, what the handler gets (REFUSED; MISSING: the default, or an error if there is none)
ROWS = [
    (int, "3", 3),
    (int, " -3 ", -3),
    (int, "+3", 3),
    (int, "007", 7),
    (int, "1234567890123456789012", 1234567890123456789012),
    (int, 3, 3),
    (int, 3.0, 3),
    (int, "", MISSING),
    (int, "  ", MISSING),
    (int, None, MISSING),
    *((int, value, REFUSED) for value in ("1.234", "1,234", "1 234", "1\xa0234", "1.0", "1e3", "0x10", "1_000", "x")),
    *((int, value, REFUSED) for value in (True, 3.5, [3], {}, "9" * 5000, "--1", "١.٢")),
    (float, "1.5", 1.5),
    (float, "-1e3", -1000.0),
    (float, ".5", 0.5),
    (float, 3, 3.0),
    (float, 1.5, 1.5),
    (float, "", MISSING),
    *((float, value, REFUSED) for value in ("1,5", "1.234,5", "nan", "inf", "1e999", "1_0", "x", True, 1 << 60, [1.0])),
    (bool, True, True),
    (bool, False, False),
    (bool, 1, True),
    *((bool, word, True) for word in ("true", "True", "1", "yes", "on", " ON ")),
    *((bool, word, False) for word in ("false", "False", "0", "no", "off", "", "None")),
    *((bool, value, REFUSED) for value in ("maybe", "2", 2, 1.5, [])),
    (str, "x", "x"),
    (str, "", ""),
    (str, " x ", " x "),
    (str, 3, "3"),
    (str, 1.5, "1.5"),
    (str, True, "true"),
    (str, ["x"], REFUSED),
    (str, {}, REFUSED),
    (DECIMAL, "1.10", DECIMAL("1.10")),
    (DECIMAL, 3, DECIMAL(3)),
    (DECIMAL, 0.1, DECIMAL("0.1")),
    (DECIMAL, "", MISSING),
    *((DECIMAL, value, REFUSED) for value in ("1,5", "NaN", "Infinity", "1e99999999", "x", True)),
    (datetime.date, "2024-05-06", DAY),
    (datetime.date, DAY, DAY),
    (datetime.date, "", MISSING),
    *((datetime.date, value, REFUSED) for value in ("6.5.2024", "2024-13-01", "2024-05-06T10:00", "May 6, 2024", 3)),
    (datetime.date, at(2024, 5, 6, 12), REFUSED),
    (datetime.datetime, "2024-05-06T07:08", at(2024, 5, 6, 7, 8)),
    (datetime.datetime, "2024-05-06 07:08:09", at(2024, 5, 6, 7, 8, 9)),
    (datetime.datetime, "2024-05-06T07:08Z", datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.UTC)),
    (datetime.datetime, "2024-05-06", at(2024, 5, 6)),
    (datetime.datetime, "", MISSING),
    (datetime.datetime, "2024-03-31T02:30", REFUSED),  # the clocks skip it in Vienna
    (datetime.datetime, "yesterday", REFUSED),
    (datetime.time, "12:30", NOON),
    (datetime.time, "", MISSING),
    (datetime.time, "25:00", REFUSED),
    (datetime.timedelta, "1 02:03:04", datetime.timedelta(days=1, hours=2, minutes=3, seconds=4)),
    (datetime.timedelta, 90, datetime.timedelta(seconds=90)),
    (datetime.timedelta, "soon", REFUSED),
    (datetime.timedelta, "9" * 30, REFUSED),
    (uuid.UUID, str(UID), UID),
    (uuid.UUID, UID.hex, UID),
    (uuid.UUID, UID, UID),
    (uuid.UUID, "", MISSING),
    (uuid.UUID, "1234", REFUSED),
    (Color, "r", Color.RED),
    (Color, "RED", Color.RED),
    (Color, "2", Color.BLUE),
    (Color, 2, Color.BLUE),
    (Color, "", MISSING),
    (Color, "green", REFUSED),
    (Color, "__class__", REFUSED),
    (Level, "2", Level.HIGH),
    (Level, "LOW", Level.LOW),
    (Level, True, REFUSED),
    (Level, "3", REFUSED),
    (Flags, "1", Flags.A),
    (Flags, "3", REFUSED),
    (Size, "s", Size.SMALL),
    (Size, "LARGE", Size.LARGE),
    (Size, "small", REFUSED),
    (Year, "2", Year.SECOND),
    (Year, 2, Year.SECOND),
    (Year, 2.5, REFUSED),
    (Literal["a", 1, True], "a", "a"),
    (Literal["a", 1], "1", 1),
    (Literal["a", 1], 1, 1),
    (Literal["a", 1], True, REFUSED),
    (Literal["a", 1], "b", REFUSED),
    (Literal["a", 1], "", MISSING),
    (Literal["", "a"], "", ""),
    (Literal["a", None], "", None),
    (Literal[Color.RED], "r", Color.RED),
    (Literal[Color.RED], "2", REFUSED),
    (list, "a, b", ["a", "b"]),
    (list, ["a"], ["a"]),
    (list, "", []),
    (list[int], ["1", 2], [1, 2]),
    (list[int], "1,2", [1, 2]),
    (list[int], "[1, 2]", [1, 2]),
    (list[str], "['a', 'b,c']", ["a", "b,c"]),
    (list[int], "1,,2", REFUSED),
    (list[int], ["1", ""], REFUSED),
    (list[int], "1.5,2", REFUSED),
    (list[int], 3, REFUSED),
    (list[int | None], ["1", "", None], [1, None, None]),
    (list[Size], ["s", "l"], [Size.SMALL, Size.LARGE]),
    (list[list[int]], [["1"], [2]], [[1], [2]]),
    (typing.List[int], ["1"], [1]),  # noqa: UP006
    (collections.abc.Sequence[int], ["1"], [1]),
    (set[int], ["1", "1"], {1}),
    (set, [[]], REFUSED),
    (frozenset[str], ["a"], frozenset("a")),
    (tuple[int, ...], "1,2", (1, 2)),
    (tuple[int, str], ["1", "x"], (1, "x")),
    (tuple[int, str], ["1"], REFUSED),
    (tuple, ["1"], ("1",)),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict, "[1]", REFUSED),
    (dict, "x", REFUSED),
    (Filter, {"word": "x"}, {"word": "x"}),
    (int | None, "", None),
    (int | None, None, None),
    (int | None, "3", 3),
    (Optional[int], "x", REFUSED),  # noqa: UP045
    (bool | None, "", None),
    (bool | None, "unknown", None),
    (bool | None, "false", False),
    (str | None, "", ""),
    (datetime.date | None, "", None),
    (Size | None, "", None),
    (Union[int, str], "3", 3),  # noqa: UP007
    (int | str, "x", "x"),
    (str | int, "3", "3"),
    (int | float, "1.5", 1.5),
    (int | datetime.date, "x", REFUSED),
    (Annotated[int, "a comment"], "3", 3),
    (Annotated[int, []], "3", 3),
    (list[Annotated[int, []]], "3", [3]),
    (UserId, "3", 3),
    (Bound, "3", 3),
    (Any, "3", "3"),
    (object, "3", "3"),
    (bytes, "3", "3"),
    (Unknown, "3", "3"),
    (type[int], "3", "3"),
    (collections.abc.Callable, "print", "print"),
    (AbstractUser, "3", "3"),
]


@pytest.mark.parametrize(
    ("hint", "sent", "wanted"), ROWS, ids=[f"{number}-{row[1]!r:.30}" for number, row in enumerate(ROWS)]
)
def test_a_value_is_converted_exactly_or_refused(hint, sent, wanted):
    converter = converter_for(hint)
    if converter is None:
        assert sent == wanted  # passed as it came
    elif wanted is REFUSED:
        with pytest.raises(Mismatch) as caught:
            convert(converter, sent)
        assert str(caught.value)  # says what is wanted
    else:
        got = convert(converter, sent)
        assert got == wanted and type(got) is type(wanted)


def test_the_language_changes_no_number(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    with translation.override("de"):
        with pytest.raises(Mismatch, match="unlocalize"):
            convert(converter_for(int), "1.234")
        assert convert(converter_for(float), "1.234") == 1.234


def test_without_time_zones_a_moment_is_naive(settings):
    settings.USE_TZ = False
    assert convert(converter_for(datetime.datetime), "2024-05-06T07:08") == datetime.datetime(2024, 5, 6, 7, 8)


@pytest.mark.django_db
def test_a_row_comes_by_its_primary_key(django_assert_num_queries):
    group, user = Group.objects.create(name="g"), User.objects.create(username="u")
    groups, sessions = converter_for(Group), converter_for(Session)
    assert convert(groups, str(group.pk)) == group and convert(groups, group.pk) == group
    assert convert(converter_for(Group | None), "") is None and convert(groups, "") is MISSING
    users = converter_for(list[User])
    assert convert(users, [str(user.pk), user.pk, user]) == [user] * 3 and convert(users, []) == []
    with django_assert_num_queries(1):
        assert convert(converter_for(set[User]), f"{user.pk},{user.pk}") == {user}
    for wrong, error in (([user.pk, 999999], NotFound), (["x"], Mismatch), (["", user.pk], Mismatch)):
        with pytest.raises(error):
            convert(users, wrong)
    for missing in ("999999", str(1 << 70)):
        with pytest.raises(NotFound, match="auth.Group"):
            convert(groups, missing)
    for wrong in ("1.5", 1.5, "x", True, [], {"pk": 1}, "1 OR 1=1"):
        with pytest.raises(Mismatch, match="primary key of a auth.Group|whole number"):
            convert(groups, wrong)
    with pytest.raises(NotFound):
        convert(sessions, "no-such-key")


class Orders(LiveView):
    template_string = "<main dj-root><output>{{ got }}</output></main>"

    def mount(self, request):
        self.got = "-"

    @event_handler
    def show(self, id: int, size: Size = Size.SMALL):
        self.got = f"{id!r} {size.label}"

    @event_handler
    async def later(self, id: int):
        self.got = f"later {id!r}"

    @event_handler
    def group(self, group: Group):
        self.got = group.name

    @event_handler
    async def group_later(self, group: Group):
        self.got = f"later {group.name}"

    @event_handler
    def save(self, data: QueryDict):
        self.got = data.urlencode()


urlpatterns = [path("orders/", Orders.as_view())]
live = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


def marked(test):
    for mark in live:
        test = mark(test)
    return test


@marked
async def test_an_event_with_typed_parameters():
    group = await Group.objects.acreate(name="staff")
    async with LivePage("/orders/") as page:
        for name, params, shown in [
            ("show", {"id": "3", "bs_toggle": "x"}, "3 small"),
            ("show", {"id:int": "1234567890123456789", "size": "l"}, "1234567890123456789 large"),
            ("show(4, 'l')", {}, "4 large"),
            (" show ( 5 ) ", {"id": "6"}, "5 small"),
            ("later", {"id": "7"}, "later 7"),
            ("group", {"group": str(group.pk)}, "staff"),
            ("group_later", {"group:int": str(group.pk)}, "later staff"),
            ("save", {"_fields": [["a", "1"], ["a", "2"]]}, "a=1&amp;a=2"),
        ]:
            frame = await page.event(name, **params)
            assert "error" not in frame, frame
            assert f"<output>{shown}</output>" in await page.html()


@marked
async def test_what_does_not_fit_fails_the_event_and_is_no_error_of_the_site(settings, caplog):
    settings.DEBUG = True
    async with LivePage("/orders/") as page:
        for name, params, kind, text in [
            ("show", {}, "params", "show(): parameter 'id' is missing; what came: nothing"),
            ("show", {"id": "1.234"}, "params", "show(): parameter 'id' must be a whole number without separators"),
            ("show", {"id": "3", "size": "x"}, "params", "show(): parameter 'size' must be one of 's', 'l', and 'x'"),
            ("later", {"id": "x"}, "params", "later(): parameter 'id' must be a whole number, and 'x' came"),
            ("group", {"group": "99"}, "not_found", "group(): there is no auth.Group with the key '99'"),
            ("show(1, 2, 3)", {}, "params", "show(): takes 2 arguments by position, and 3 came"),
            ("show(id)", {}, "params", "the arguments in 'id' cannot be read: id is a name"),
        ]:
            frame = await page.event(name, **params)
            assert (frame["t"], frame["error"]["kind"]) == ("failed", kind), json.dumps(frame)
            assert frame["error"]["message"].startswith(text), frame["error"]
            assert not frame["error"].get("frames")
            assert "<output>-</output>" in await page.html()  # the handler did not run
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
