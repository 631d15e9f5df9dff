"""The native filters and formats (worker/py/filters/) against Django's own, value by value.

The random part prints its seed; TROUPE_SEED=… repeats it, TROUPE_CASES=… sets how many values there are.
"""

import concurrent.futures
import datetime as dt
import gc
import inspect
import os
import random
import subprocess
import sys
from decimal import Decimal

import pytest
from django import template
from django.conf import settings as django_settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template import base, defaultfilters
from django.test import override_settings
from django.utils import formats, timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import trans_real
from filter_values import (
    ARGS,
    DATES,
    DATETIMES,
    DECIMALS,
    FLOATS,
    INTS,
    NEW_YORK,
    OPTIONAL,
    STRINGS,
    TIMES,
    VALUES,
    VIENNA,
)

probes = pytest.importorskip("troupe._native_probes")
filters = dict(defaultfilters.register.filters)
filters["intcomma"] = intcomma

LANGUAGES = ["en", "de", "fr", "ar", "hi", "pl", "ja", "pt-br", "de-ch", "en-gb", "fa"]


def nativelike():
    """The names of the filters that have a native one in this Django."""
    found = []
    for name, function in filters.items():
        try:
            probes.filter(function, object(), True)
        except LookupError:
            continue
        found.append(name)
    return sorted(found)


def outcome(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:  # whatever it is, both must raise it
        return type(error)


def shown(value):
    """Tells 1 from True from 1.0, and "a" from SafeString("a"), also inside."""
    return type(value), hex(value) if type(value) is int else repr(value)  # repr() refuses the longest


def check(name, value, *args, autoescape=True):
    """Compares; tells whether the native one took it."""
    function = filters[name]
    needs = {"autoescape": autoescape} if getattr(function, "needs_autoescape", False) else {}
    expected = outcome(function, value, *args, **needs)
    got = outcome(probes.filter, function, value, autoescape, *args)
    if got is NotImplemented:
        return False
    case = (name, value, args, autoescape, translation.get_language(), timezone.get_current_timezone_name())
    if isinstance(value, SafeString) and isinstance(expected, str) and getattr(function, "is_safe", False):
        expected = mark_safe(expected)  # as FilterExpression.resolve does
    assert shown(got) == shown(expected), case
    return True


def check_all(name, values):
    for value in values:
        if name not in ARGS or name in OPTIONAL:
            check(name, value)
        for arg in ARGS.get(name, ()):
            check(name, value, arg)
            if name == "join":
                check(name, value, arg, autoescape=False)
        if name == "linebreaksbr":
            check(name, value, autoescape=False)


LOCALIZED = {"date", "time", "floatformat", "intcomma", "truncatechars", "yesno"}


WANTED = """
    default default_if_none date floatformat pluralize length lower upper title capfirst truncatechars truncatewords
    join slice first last yesno add safe escape force_escape linebreaksbr divisibleby time intcomma urlencode
    stringformat cut wordcount center ljust rjust slugify
""".split()


def test_which_are_native():
    assert set(WANTED) - set(nativelike()) == set()


@pytest.mark.parametrize("name", nativelike())
def test_same_as_django(name):
    check_all(name, VALUES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(LOCALIZED & set(filters)))
def test_in_each_language(name, language):
    with translation.override(language):
        check_all(name, VALUES)


@pytest.mark.parametrize("grouping", [3, 0, 1, (3, 2, 0), (2, 0, 3), [4], (0,), (), "x", None])
@pytest.mark.parametrize("point", [".", ",", "", "·", "<>", mark_safe(",")])
def test_number_settings(grouping, point):
    changed = {
        "USE_THOUSAND_SEPARATOR": True,
        "NUMBER_GROUPING": grouping,
        "THOUSAND_SEPARATOR": point or "’",
        "DECIMAL_SEPARATOR": point,
    }
    values = INTS + FLOATS + DECIMALS + ["1234567.891", True, None]
    with override_settings(**changed), translation.override("la"):  # a language without formats: the settings'
        for value in values:
            for arg in ("2", "2g", "g", -3):
                check("floatformat", value, arg)
            check("intcomma", value)
        compare_localized(values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_thousands(language):
    with override_settings(USE_THOUSAND_SEPARATOR=True), translation.override(language):
        check_all("floatformat", INTS + FLOATS + DECIMALS)
        check_all("intcomma", INTS + FLOATS + DECIMALS + STRINGS)
        compare_localized(INTS + FLOATS + DECIMALS)


def test_around_new_year():
    for year in [1, 2, 4, 5, *range(1895, 1905), *range(1995, 2030), 9998, 9999]:
        days = [dt.date(year, 12, day) for day in range(24, 32)] + [dt.date(year, 1, day) for day in range(1, 8)]
        for day in [*days, dt.date(year, 2, 28), dt.date(year, 3, 1)]:
            assert check("date", day, "W o z w N t L y Y")


# Values as they stand in a template, without a filter.


def rendered(value, use_l10n, use_tz):
    context = template.Context(autoescape=False, use_l10n=use_l10n, use_tz=use_tz)
    return str.__str__(base.render_value_in_context(value, context))


def compare_localized(values, use_l10n=None, use_tz=None):
    as_number = {None: -1, False: 0, True: 1}
    taken = 0
    for value in values:
        got = outcome(probes.localize, [value], as_number[use_l10n], as_number[use_tz])
        if got == [NotImplemented]:
            continue
        taken += 1
        expected = outcome(rendered, value, use_l10n, use_tz)
        case = (value, use_l10n, use_tz, translation.get_language())
        assert shown(got if isinstance(got, type) else got[0]) == shown(expected), case
    return taken


PLAIN = INTS[:-1] + FLOATS + DECIMALS + DATES + TIMES + DATETIMES + [None, True, False]


@pytest.mark.parametrize("use_l10n", [None, False, True])
@pytest.mark.parametrize("use_tz", [None, False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_localize(language, use_l10n, use_tz):
    with translation.override(language):
        taken = compare_localized(PLAIN, use_l10n, use_tz)
    assert taken > 0.85 * len(PLAIN)


@pytest.mark.parametrize(
    "changed",
    [{"USE_L10N": False}, {"USE_TZ": False}, {"USE_L10N": False, "DECIMAL_SEPARATOR": ",", "DATE_FORMAT": r"\x Y"}],
)
def test_localize_with_settings(changed):
    with override_settings(**changed):
        for use_l10n in (None, False, True):
            compare_localized(PLAIN, use_l10n)
        check_all("floatformat", FLOATS)
        check_all("date", DATES + DATETIMES)


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Africa/Monrovia", "Australia/Lord_Howe"]
)
def test_time_zones(zone):
    with timezone.override(zone):
        for value in DATETIMES + DATES + TIMES + [None, "x"]:
            for use_tz in (None, False, True):
                got = outcome(probes.localtime, value, {None: -1, False: 0, True: 1}[use_tz])
                expected = outcome(timezone.template_localtime, value, use_tz)
                assert shown(got) == shown(expected)
            if isinstance(value, dt.datetime):
                local = outcome(timezone.template_localtime, value, True)
                if not isinstance(local, type):
                    check_all("date", [local])
                    check_all("time", [local])
        compare_localized(DATETIMES)
    with override_settings(TIME_ZONE=zone):
        check_all("date", DATETIMES)


def test_a_callback_may_change_the_language():
    day = dt.date(2026, 3, 9)
    with translation.override("en"):
        got = probes.localize(
            [
                1.5,
                day,
                lambda: translation.activate("de"),
                1.5,
                day,
                lambda: None,
                1.5,
                lambda: translation.activate("pl"),
                day,
                2.5,
            ]
        )
    assert got == ["1.5", "March 9, 2026", None, "1,5", "9. März 2026", None, "1,5", None, "9 marca 2026", "2,5"]


def test_a_callback_may_change_the_settings():
    changes = override_settings(USE_THOUSAND_SEPARATOR=True)
    try:
        got = probes.localize([12345, 1.5, lambda: changes.enable(), 12345, 1.5, lambda: changes.disable(), 12345])
    finally:
        translation.activate(django_settings.LANGUAGE_CODE)
    assert got == ["12345", "1.5", None, "12,345", "1.5", None, "12345"]


def test_a_callback_may_assign_a_setting(monkeypatch):
    values = [1234.5, lambda: monkeypatch.setattr(django_settings, "USE_THOUSAND_SEPARATOR", True), 1234.5, 12345]
    assert probes.localize(values) == ["1234.5", None, "1,234.5", "12,345"]


def translated(monkeypatch, translate):
    """Other catalogs, as when a file of translations changed: Django starts a new dict of them then."""
    monkeypatch.setattr(trans_real, "_translations", {})
    monkeypatch.setattr(trans_real.DjangoTranslation, "gettext", lambda self, message: translate(message))
    translation.activate("de")


def test_translations_are_read_again(monkeypatch):
    with translation.override("de"):
        day = dt.date(2026, 3, 9)
        got = probes.localize([day, lambda: translated(monkeypatch, "<{}>".format), day])
    assert got == ["9. März 2026", None, "9. <March> 2026"]


@pytest.mark.parametrize(
    "ending", ["{}", "{}...", "({})", "{}\u0301x\u0301", "\u0301{}", "...", "", "%%{}", "{}%%", "{}{}", "%s", "%(x)s{}"]
)
def test_endings(ending, monkeypatch):
    """What is left of a text that is too long stands where the translation wants it."""
    with translation.override("de"):
        translated(monkeypatch, lambda message: ending.replace("{}", "%(truncated_text)s"))
        check_all("truncatechars", STRINGS)


def test_a_callback_may_change_the_zone():
    when = dt.datetime(2026, 7, 4, 16, 5, tzinfo=dt.UTC)
    with timezone.override("UTC"):
        got = probes.localize([when, lambda: timezone.activate("Asia/Tokyo"), when])
    assert got == ["July 4, 2026, 4:05 p.m.", None, "July 5, 2026, 1:05 a.m."]


def test_threads_have_languages_of_their_own():
    values = [1234.5, dt.date(2026, 3, 9), dt.time(13, 5), dt.datetime(2026, 12, 24, 18, 0)]
    patterns = [f"l j. F {number:02}" for number in range(100)]

    def work(language):
        with translation.override(language):
            for turn in range(40):
                if turn % 8 == 0:
                    formats.reset_format_cache()  # every language is looked up again
                assert compare_localized(values) == len(values)
                for pattern in patterns[turn : turn + 60]:
                    assert check("date", values[1], pattern)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            assert list(pool.map(work, ["de", "fr", "pl", "de", "en", "ar"])) == [None] * 6
    finally:
        sys.setswitchinterval(interval)


# What templates mostly do must not fall back: else all of the above would be a test of nothing.

ORDINARY = [number for number in FLOATS if number == 0 or 1e-150 < abs(number) < 1e190]
PATTERNS = ["Y-m-d", "j F Y", "D d M Y", "SHORT_DATE_FORMAT", mark_safe("N j, Y")]
COMMON = {
    "add": [(1, 2), (1, "2"), ("3", 4), ("a", "b"), ([1], [2])],
    "capfirst": [("hello",), ("éa",), ("",)],
    "center": [("a", 10), ("a", "10")],
    "cut": [("a b", " ")],
    "date": [
        *[(moment, arg) for moment in DATES + DATETIMES[:12] for arg in PATTERNS],
        *[(moment,) for moment in DATES],
        *[(None,), ("",), (DATETIMES[9], "c O T e r U I Z"), (DATETIMES[0], "H:i"), (DATETIMES[2], "P")],
    ],
    "default": [(value, "x") for value in ("", None, 0, "a", [], 1.5, {}, DATES[0], mark_safe("a"))],
    "default_if_none": [(None, "x"), ("", "x"), (object, "x")],
    "divisibleby": [(4, 2), (4, "2"), (10**30, 7)],
    "escape": [("<b>",), (mark_safe("<b>"),), (5,)],
    "first": [([1],), ("ab",), ([],)],
    "floatformat": [
        *[(number, arg) for number in ORDINARY for arg in (2, "2", mark_safe("2"), -2, "2g")],
        *[(number,) for number in INTS[:20]],
        *[(Decimal("12.345"), 2), ("12.345", 2), (None, 2), (mark_safe("1.5"), 1), (True,)],
    ],
    "force_escape": [("<b>",)],
    "intcomma": [(12345,), (1234.5,), (Decimal("1234.50"),), ("1234567",)],
    "join": [(["a", "b"], ", "), (("a", 1), mark_safe("<br>")), ([], "")],
    "last": [([1],), ("ab",), ([],)],
    "length": [([1],), ("ab",), ({},), (None,), (5,), (mark_safe("a"),)],
    "linebreaksbr": [("a\nb",)],
    "ljust": [("a", 10)],
    "lower": [("ABC",), ("ÄÖ",), (5,)],
    "pluralize": [(1,), (2,), (0,), (1, "es"), (2, "y,ies"), ([1],), (["a", "b"],), (1.0,), ("1",), (None,), (True,)],
    "rjust": [("a", 10)],
    "safe": [("<b>",), (mark_safe("<b>"),), (5,)],
    "slice": [([1, 2, 3], ":2"), ("abc", "1:"), ((1, 2), "::-1"), ("abc", mark_safe(":10"))],
    "slugify": [("Hello World",), ("Ünïcode Text",)],
    "stringformat": [(5, "03d"), (1.5, ".3f"), ("a", "s"), (5, mark_safe("d"))],
    "time": [(TIMES[3],), (TIMES[3], "H:i"), (DATETIMES[2], "TIME_FORMAT"), (None,)],
    "title": [("hello world",), ("it's",), ("日本",)],
    "truncatechars": [("hello world", 5), ("short", 50), ("日本語のテキスト", 3), ("x", "3")],
    "truncatewords": [("a b c", 2), ("a b", 5), ("a b c", "1")],
    "upper": [("abc",), ("ß",)],
    "urlencode": [("a b&c",), ("é/ü", "")],
    "wordcount": [("a b c",)],
    "yesno": [(True, "a,b"), (None, "a,b,c"), (False,), ("", "x,y"), ([], "x,y")],
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("name", nativelike())
def test_common_cases_are_native(name, language):
    with translation.override(language):
        left = [case for case in COMMON[name] if not check(name, *case)]
    assert left == []


REPLACED = """
import functools, importlib.util, sys
import django
django.setup()
from django.template import defaultfilters
original = defaultfilters.lower

@functools.wraps(original)
def lower(value):
    return "mine"

defaultfilters.register.filters["lower"] = defaultfilters.lower = lower
spec = importlib.util.spec_from_file_location(*sys.argv[1:])
probes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(probes)
assert probes.filter(defaultfilters.upper, "a", True) == "A"
for function in (lower, original):
    try:
        probes.filter(function, "A", True)
    except LookupError:
        print("not native")
"""


def test_a_replaced_filter_is_not_taken_for_the_original():
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REPLACED, probes.__name__, probes.__file__],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "not native\nnot native\n", done.stderr


def test_arguments_are_those_of_django():
    """A filter that gets another argument in a later Django is to be looked at again."""
    known = {name: str(inspect.signature(inspect.unwrap(filters[name]))) for name in nativelike()}
    assert known["floatformat"] == "(text, arg=-1)"
    assert {name for name, signature in known.items() if "autoescape" in signature} == {"join", "linebreaksbr"}


def run_all():
    for name in nativelike():
        for value in VALUES:
            for args in [(), *((arg,) for arg in ARGS.get(name, ()))]:
                outcome(probes.filter, filters[name], value, True, *args)
    for value in PLAIN:
        outcome(probes.localize, [value])
        outcome(probes.localtime, value)


def test_nothing_leaks():
    """Neither what a filter makes nor a reference to what it was given; what is cached settles after a while."""
    given = VALUES + [arg for args in ARGS.values() for arg in args]
    blocks, references = [], []
    for _ in range(9):
        gc.collect()
        before = sys.getallocatedblocks(), sum(map(sys.getrefcount, given))
        run_all()
        gc.collect()
        blocks.append(sys.getallocatedblocks() - before[0])
        references.append(sum(map(sys.getrefcount, given)) - before[1])
    assert (min(blocks) < 20, min(references) < 20) == (True, True), (blocks, references)


# Random values.

ALPHABET = "aAzZ019 .,-_'\"<>&%\t\n\r\u00e9\u0301\u0130\u1e9e\u00df日\u2026\U0001f469\ud800\u200d١"


def random_value(random_):
    kind = random_.randrange(8)
    if kind == 0:
        return "".join(random_.choices(ALPHABET, k=random_.randrange(40)))
    if kind == 1:
        return random_.randrange(-(2 ** random_.randrange(1, 400)), 2 ** random_.randrange(1, 400))
    if kind == 2:
        return round(random_.uniform(-1e4, 1e4), random_.randrange(6))
    if kind == 3:
        return random_.uniform(-1, 1) * 10.0 ** random_.randrange(-320, 308)
    if kind == 4:
        return Decimal(
            (
                random_.randrange(2),
                tuple(random_.choices(range(10), k=random_.randrange(1, 30))),
                random_.randrange(-30, 10),
            )
        )
    when = dt.datetime(1, 1, 1) + dt.timedelta(
        seconds=random_.randrange(315537897600), microseconds=random_.randrange(10**6)
    )
    if kind == 5:
        return random_.choice([when.date(), when.time()])
    if kind == 6:
        return when.replace(tzinfo=random_.choice([None, dt.UTC, VIENNA, NEW_YORK]), fold=random_.randrange(2))
    return [random_value(random_) for _ in range(random_.randrange(4))]


def random_arg(random_, name):
    if name in ("date", "time"):
        return "".join(random_.choices("aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTUuwWyYzZ\\\\ -/日", k=random_.randrange(8)))
    if name == "floatformat":
        return f"{random_.randrange(-8, 20)}{random_.choice(['', 'g', 'u', 'gu'])}"
    return random_.choice(ARGS.get(name, [None]))


def seeded():
    seed = int(os.environ.get("TROUPE_SEED") or random.randrange(2**32))
    print(f"TROUPE_SEED={seed}")
    return random.Random(seed)


def test_halves():
    """A float is rounded as its repr() reads, not as its bits are: 2.675 is below the half, and becomes 2.68."""
    random_ = seeded()
    for _ in range(3000):
        places = random_.randrange(8)
        whole, part = random_.randrange(10 ** random_.randrange(12)), random_.randrange(10**places)
        value = float(f"{random_.choice(['', '-'])}{whole}.{part:0{places}}5" if places else f"{whole}.5")
        for wanted in (places, -places, places + 1):
            check("floatformat", value, wanted)


def test_random():
    random_ = seeded()
    names, taken, count = nativelike(), 0, int(os.environ.get("TROUPE_CASES", 20000))
    for _ in range(count):
        name, value = random_.choice(names), random_value(random_)
        with translation.override(random_.choice(LANGUAGES)):
            if name not in ARGS or name in OPTIONAL and random_.random() < 0.2:
                taken += check(name, value)
            else:
                taken += check(name, value, random_arg(random_, name), autoescape=random_.random() < 0.8)
            compare_localized([value], random_.choice([None, False, True]), random_.choice([None, False, True]))
    assert taken > count / 3
