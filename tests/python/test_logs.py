"""Values in log lines."""

import ast
import re
from pathlib import Path

import pytest

import troupe
from troupe.logs import MAX_QUOTED, quoted, word

PACKAGE = Path(troupe.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "log"}
QUOTE = {"quoted", "word", "hex", "_session_hex", "log_fields"}


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


def logged(tree):
    """(line, format, arguments) of each call of a logger in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "logger" and node.func.attr in LEVELS:
                at = 1 if node.func.attr == "log" else 0
                yield node.lineno, node.args[at], node.args[at + 1 :]


def is_safe(conversion, argument):
    """Whether whatever comes from outside stays on its line."""
    if conversion == "d" or isinstance(argument, ast.Constant):
        return True
    function = getattr(argument, "func", None)
    return getattr(function, "id", getattr(function, "attr", None)) in QUOTE


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_value_that_is_logged_is_quoted(path):
    for line, text, arguments in logged(ast.parse(path.read_text())):
        assert isinstance(text, ast.Constant) and text.value.startswith("event="), f"{path}:{line}"
        conversions = re.findall(r"%(.)", text.value)
        assert '"%' not in text.value and len(conversions) == len(arguments), f"{path}:{line}"
        assert all(map(is_safe, conversions, arguments)), f"{path}:{line}: quoted() or word()"
