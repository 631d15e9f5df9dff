"""Values in log lines."""

import pytest

from troupe.logs import MAX_QUOTED, quoted, word


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("a\nb\rc\td", r'"a\nb\rc\td"'),
        ("\x1b[31m\x00\x7f\x9b", r'"\x1b[31m\x00\x7f\x9b"'),
        ("\u2028\u202e\ud800\U000e0001", r'"\u2028\u202e\ud800\U000e0001"'),
        ("Grüße, 世界", '"Grüße, 世界"'),
        (b"\n", r'"b\'\\n\'"'.replace("\\'", "'")),
        (None, '"None"'),
    ],
)
def test_quoted(value, text):
    assert quoted(value) == text


def test_a_long_one_is_cut():
    assert quoted("\n" * 10_000) == '"' + r"\n" * (MAX_QUOTED - 1) + '…"'


def test_one_whose_text_raises():
    class Unshowable(Exception):
        def __str__(self):
            raise RuntimeError

    assert quoted(Unshowable()) == '"<Unshowable: its text raised RuntimeError>"'


@pytest.mark.parametrize(
    "value", ["house.views.Counter", "increment", "198.51.100.7", "2001:db8::/64", "-", "<lambda>"]
)
def test_a_word_stays_bare(value):
    assert word(value) == value


@pytest.mark.parametrize("value", ["", "a b", "a=b", "a\n", "ä", 'x"', "x" * 501])
def test_what_is_no_word_is_quoted(value):
    assert word(value) == quoted(value)
