"""The literals between the parentheses of dj-click="move(3, 'done', true)": read, never evaluated."""

import pytest

from troupe.runtime.literals import LiteralError, parse

READ = [
    ("3, 'done', true", [3, "done", True]),
    ("", []),
    (" \n", []),
    ("1234567890123456789", [1234567890123456789]),
    ("-1, +2, 0.1, -1.5e3, .5", [-1, 2, 0.1, -1500.0, 0.5]),
    ("null, None, True, False, false", [None, None, True, False, False]),
    ("[1, [2]], {'a': 1, \"b\": [null]}, [], {}", [[1, [2]], {"a": 1, "b": [None]}, [], {}]),
    (r"'O\u0027Brien', 'a\'b', " r'"say \"hi\"\n"', ["O'Brien", "a'b", 'say "hi"\n']),
    (r"'\ud83d\ude00', '\ud83d', '\u{1f600}'", ["😀", "\ufffd", "😀"]),
    ("'😀, (', ')'", ["😀, (", ")"]),
]
REFUSED = [
    ("x", "x is a name"),
    ("__import__('os')", "__import__ is a name"),
    ("self.password", "self is a name"),
    ("1,", "ends too early"),
    (",1", "',' stands where a value should"),
    ("1 2", "'2' stands where ',' should"),
    ("1 + 1", "'\\+ 1' is no literal"),
    ("'O'Brien'", "'Brien' stands where"),
    ("'a", "is no literal"),
    ("1.2.3", "is no literal"),
    ("3px", "is no literal"),
    ("[1", "ends too early"),
    ("{'a'", "ends too early"),
    ("{'a': 1,}", "keys of an object"),
    ("{1: 2}", "keys of an object"),
    ("{'a' 2}", "stands where ':' should"),
    ("[" * 100 + "]" * 100, "more than 16 deep"),
    ("[" * 60000, "more than 16 deep"),
    ("1e999", "more digits than a number holds"),
    ("0.12345678901234567890", "more digits than a number holds"),
    ("1" * 5000, "more digits than a number holds"),
    (r"'\u{110000}'", "is no character"),
]


@pytest.mark.parametrize(("text", "values"), READ)
def test_literals_are_read(text, values):
    read = parse(text)
    assert read == values and [type(value) for value in read] == [type(value) for value in values]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_anything_else_is_refused_with_the_reason(text, reason):
    with pytest.raises(LiteralError, match=reason):
        parse(text)
