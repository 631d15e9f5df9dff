"""What test_filters_native.py gives to each filter: values and arguments, hostile ones too."""

import datetime as dt
import zoneinfo
from decimal import Decimal

from django.utils import timezone, translation
from django.utils.safestring import mark_safe

VIENNA = zoneinfo.ZoneInfo("Europe/Vienna")
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


class Text(str):
    """A str that is not of the exact type."""


class Number(int):
    pass


STRINGS = [
    "", " ", "a", "Hello, World", "it's o'clock", "they'Re 3rd, 2Nd AND 1ST", "<b>&\"'</b>", "a\nb\r\nc\rd\n", "ß",
    "ŉ x", "ǆ", "éèê", "e\u0301e\u0301e\u0301", "\u0301", "straße ΑΣ Σ", "\ud800", "a\udfffb", "\x00",
    "日本語のテキスト", "👩‍👩‍👧 family", "١٢٣", "0", "1", "1.0", "-1", "+5", "007", "1.5", "-0", "1e5", "1e400",
    " 1 ", "1_000", "nan", "inf", "abc", "yes,no", ",", ",,", "%", "%%", "%(truncated_text)s", "a b c d e",
    "a  b\tc\u00a0d\u2003e", "one … …", "…", "x" * 300, "é" * 300, "word " * 60, "-a-_b-", "__x__", "A\x1cB",
    "http://a.b/c?d=e&f=g h", "~.-_/", "ﬁ", "İ", "\u1e9e", "\U00010400", "aあ'S", "1'S", "٣Rd x'Y z''Y", "Å", "Å",
    "ﷺ",
]  # fmt: skip
INTS = [
    0, 1, -1, 2, 9, 10, 99, 100, 999, 1000, 1001, -1000, 12345, 1234567, -98765432, 2**31, 2**53, 2**63, -(2**63),
    2**64, 10**18, 10**30, -(10**30), 2**400, 10**199, 10**200, 10**201, -(10**250), 10**400,
    Number(7),
]  # fmt: skip
FLOATS = [
    0.0, -0.0, 0.5, 1.0, 1.5, 2.5, -2.5, 0.05, 0.005, 1.005, 2.675, 0.125, 34.23234, 1234.5, -1234567.891,
    0.1 + 0.2, 1e15, 1e16, 1.5e16, 123456789012345680.0, 1e22, 1e100, 1e199, 1e200, 1e308, 5e-324,
    2.2250738585072014e-308, 1e-7, 1.5e-5, 1e-5, 0.0001, -0.004, -0.005, -0.0049999, 999.995, 999.9949,
    2147483647.4999, 2147483648.5, 4503599627370496.5, 0.49999999999999994, float("nan"), float("inf"),
    float("-inf"),
]  # fmt: skip
DECIMALS = [Decimal(text) for text in (
    "0", "-0", "0.0", "-0.00", "0E-7", "0E+5", "0E-210", "1", "1.00", "1.005", "2.675", "-1.5", "1E+5", "1.5E+3",
    "-1E-7", "1E-199", "1E-201", "1E+250", "123456789.123456789123456789", "9" * 60 + ".5", "1" * 201, "99.995",
    "0.99999999999999999999999999999999999", "NaN", "sNaN", "Infinity", "-Infinity",
)]  # fmt: skip
DATES = [
    dt.date(1, 1, 1), dt.date(999, 2, 28), dt.date(1900, 3, 1), dt.date(1970, 1, 1), dt.date(2000, 2, 29),
    dt.date(2008, 12, 29), dt.date(2010, 1, 3), dt.date(2012, 5, 11), dt.date(2020, 9, 21), dt.date(2021, 6, 22),
    dt.date(2024, 12, 31), dt.date(2026, 11, 23), dt.date(9999, 12, 31),
]  # fmt: skip
TIMES = [
    dt.time(0, 0), dt.time(12, 0), dt.time(11, 59, 59, 999999), dt.time(12, 30), dt.time(23, 5, 7, 1),
    dt.time(1, 0, 9), dt.time(8, 15, tzinfo=dt.UTC),
]  # fmt: skip
DATETIMES = [
    dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(2026, 7, 4, 0, 0),
    dt.datetime(2026, 1, 31, 12, 0), dt.datetime(2026, 10, 25, 2, 30), dt.datetime(2026, 10, 25, 2, 30, fold=1),
    dt.datetime(2026, 3, 29, 2, 30), dt.datetime(2026, 7, 4, 16, 5, 9, 120, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 0, tzinfo=dt.UTC), dt.datetime(2026, 7, 4, 16, 5, tzinfo=VIENNA),
    dt.datetime(2026, 1, 4, 16, 5, tzinfo=NEW_YORK), dt.datetime(2026, 10, 25, 2, 30, tzinfo=VIENNA),
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=VIENNA, fold=1), dt.datetime(2026, 3, 29, 2, 30, tzinfo=VIENNA),
    dt.datetime(1800, 1, 1, tzinfo=VIENNA),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30), "<odd>")),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=3661))), timezone.now(),
    dt.datetime(2026, 1, 1, 5, 6, 7, 8, tzinfo=timezone.get_fixed_timezone(90)),
    dt.datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=dt.UTC),
]  # fmt: skip
LISTS = [
    [], [1], ["a"], ["a", "<b>"],
    [mark_safe("<i>"), "<b>", 3, 1.5, None, True, Decimal("1.50"), dt.date(2020, 1, 2)], [[1], [2]],
    list(range(30)), (), (1,), ("x", "y", "z"), {}, {"a": 1}, {"a": 1, "b": 2}, {1, 2}, frozenset(),
]  # fmt: skip
OTHERS = [
    None, True, False, Text("text"), mark_safe("<b>safe</b>"), mark_safe(""), mark_safe("3.14159"), object,
    translation.gettext_lazy("Monday"), b"bytes", 3 + 4j, dt.timedelta(1), range(3),
]  # fmt: skip
VALUES = STRINGS + INTS + FLOATS + DECIMALS + DATES + TIMES + DATETIMES + LISTS + OTHERS

NUMBER_ARGS = [
    0, 1, 2, 3, 6, -1, -2, -3, 17, "0", "1", "2", "-2", "2g", "g", "-1g", "2u", "u", "gu", "ug", "2gu", "-3ug",
    "gg", "2uu", "", "x", " 2", None, 1.0, True, 200, 201, "1_0", mark_safe("2"), "-", "+3",
]  # fmt: skip
SIZE_ARGS = [0, 1, 2, 3, 5, 10, 40, -1, "5", "05", " 5", "x", "", None, 2.5, mark_safe("7"), "-3", "٣", "5\x00"]
TEXT_ARGS = ["", "x", "<b>", mark_safe("<hr>"), ", ", "a", "\u0301", "\ud800", None, 3, Text("q")]
DATE_ARGS = [
    None, "", "DATE_FORMAT", "SHORT_DATE_FORMAT", "SHORT_DATETIME_FORMAT", "TIME_FORMAT", "YEAR_MONTH_FORMAT",
    "MONTH_DAY_FORMAT", "d D j l S w z W m M n N F b t L y Y o", "a A f g G h H i s u P", "c", "r", "U", "e", "O",
    "T", "Z", "I", "E", "jS \\of F", r"\d\\d\\\d\Y\\", "x\\", "a\\\nb", r"\é\日d", "日Y月m日d", "Y-m-d\\TH:i:s",
    mark_safe("j. N Y"), Text("Y"), 7, "B C J k K p q Q R v V x X",
]  # fmt: skip
ARGS = {
    "add": [
        1, -1, "1", "x", "", "<b>", mark_safe("y"), 1.5, None, True, [2], (3,), Decimal("2.5"),
        dt.date(2020, 1, 1), {"b": 2}, "1_0", float("inf"), 10**5000,
    ],
    "center": SIZE_ARGS,
    "ljust": SIZE_ARGS,
    "rjust": SIZE_ARGS,
    "truncatechars": SIZE_ARGS,
    "truncatewords": SIZE_ARGS,
    "cut": TEXT_ARGS,
    "join": TEXT_ARGS,
    "default": TEXT_ARGS,
    "default_if_none": TEXT_ARGS,
    "date": DATE_ARGS,
    "time": DATE_ARGS,
    "floatformat": NUMBER_ARGS,
    "divisibleby": [1, 2, 3, -7, "2", 0, "x", 1.5, None, 10**30],
    "pluralize": ["es", "y,ies", "", ",", "a,b,c", mark_safe("es"), mark_safe("<,>"), None, 3, Text("en")],
    "slice": [
        ":2", "1:", "2", "-1:", ":-1", "::2", "::-1", "1:2:3", "", ":", "::", "1:2:3:4", ":::", "x", "::0", 2,
        None, " 1:", mark_safe(":1"), "1:x",
    ],
    "stringformat": [
        "s", "d", "03d", ".2f", "e", "r", "x", "c", "%", "", "(a)s", "s%s", "10s", "-10s|", "é", mark_safe("s"), 5,
        None, "*d", "i", "a",
    ],
    "urlencode": ["", "/", "<", ":&=", "é", "%", None, 1, mark_safe("?")],
    "yesno": ["a,b,c", "a,b", "a", "", "a,b,c,d", ",", ",,", mark_safe("<,>"), None, 1, "é,日,ü"],
    "intcomma": [True, False],
}  # fmt: skip
OPTIONAL = {"date", "time", "floatformat", "pluralize", "urlencode", "yesno", "intcomma"}
