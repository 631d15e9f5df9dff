"""A browser's frames: what is not exactly what JSON said does not pass (PROTOCOL.md 9.2)."""

import json
import math
import random
import struct

import pytest

from troupe.web import frames


def number(text):
    """(value, fault) of a number."""
    frame, fault = frames.parse(f'{{"x":{text}}}')
    return frame["x"], fault


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e999", "1e-999", "2e-324", "9007199254740993.0", "0.1234567890123456789", "1e99999999999999999999"]
    + ["1e-99999999999999999999", "0." + "3" * 60_000, "9" * 60_000, "1" * 5000 + ".0", "-" + "9" * 5000]
    + ["18446744073709551616", "-9223372036854775809"],
)
def test_a_number_that_cannot_be_held(text):
    value, fault = number(text)
    assert value == 0 and fault


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0.0",
        "0e5",
        "0.1",
        "0.10000000000000001",
        "1e22",
        "1E+2",
        "5e-324",
        "1.7976931348623157e308",
        "0.500000000",
    ]
    + ["18446744073709551615", "-9223372036854775808", "0e-99999999999999999999", "0e99999999999999999999"],
)
def test_a_number_that_can(text):
    value, fault = number(text)
    assert fault is None and value == json.loads(text) and type(value) is type(json.loads(text))


def test_whatever_a_program_writes_of_a_double_is_read():
    rng = random.Random(10)
    for _ in range(5000):
        value = struct.unpack("d", rng.randbytes(8))[0]
        if math.isfinite(value):
            for text in (repr(value), f"{value:.16e}"):
                assert number(text) == (value, None)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1" + "0" * 70_000 + "x", "[" * 30_000, '"\ud800'])
def test_what_is_not_json(text):
    with pytest.raises(frames.BadFrame, match="JSON"):
        number(text)


@pytest.mark.parametrize("text", ['{"n":1,"n":2}', '{"p":{"a":1,"a":1}}'])
def test_a_key_that_is_there_twice(text):
    with pytest.raises(frames.BadFrame, match="twice"):
        frames.parse(text)


@pytest.mark.parametrize("text", ["", "x" * 65_536, "ä" * 32_768, "😀" * 16_384])
def test_the_size_of_a_text_that_is_small_enough(text):
    assert frames.text_bytes(text) <= frames.MAX_BROWSER_FRAME


@pytest.mark.parametrize("text", ["x" * 65_537, "ä" * 32_769, "😀" * 16_385, "\ud800" * 65_537])
def test_the_size_of_a_text_that_is_too_large(text):
    assert frames.text_bytes(text) > frames.MAX_BROWSER_FRAME
