"""H: a number, or a text, reaches user code as it was written, or not at all."""

import pytest
from browser import Visitor


@pytest.fixture
def page(fleet, visitor):
    """A joined page that shows what it is given."""
    with visitor.open("/bad/Context/") as page:
        yield page


def event_text(page, params):
    """An event as JSON text, with these members of `p`."""
    page.number += 1
    return f'{{"t":"event","n":{page.number},"v":"{page.views[0]}","e":"set_mode","p":{{{params}}}}}'


HUGE = "9" * 60_000
REFUSED = {
    "infinite": "1e999",
    "infinite below": "-1e999",
    "next to nothing": "1e-999",
    "a long exponent": "1e" + "9" * 60_000,
    "beyond 64 bits": "18446744073709551616",
    "beyond 64 bits below": "-9223372036854775809",
    "beyond the digits of a double": "0.12345678901234567890123",
    "rounded": "9007199254740993.0",
    "a literal of 60,000 digits": HUGE,
    "a fraction of 60,000 digits": "0." + HUGE,
    "deep inside": '[{"a":[1,[2,1e999]]}]',
    "a lone surrogate": '"\\ud800"',
    "a lone surrogate in a key": '{"\\udc00":1}',
}


@pytest.mark.parametrize("literal", REFUSED)
def test_it_is_refused_and_the_page_goes_on(page, literal):
    page.connection.send(event_text(page, f'"mode":{REFUSED[literal]}'))
    refused = page.receive()
    assert (refused["t"], refused["n"], refused["reason"]) == ("refused", page.number, "malformed"), refused
    page.number -= 1
    assert "well again" in page.shows("set_mode", {"mode": "well again"})


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", '1,"mode":2', "01", "1.", ".5", "0x10", "1" * 5000 + "x"]
)
def test_what_is_no_json(page, value):
    page.connection.send(event_text(page, f'"mode":{value}'))
    error = page.receive()
    assert (error["t"], error["reason"]) == ("error", "malformed")
    page.number -= 1
    assert "well again" in page.shows("set_mode", {"mode": "well again"})


@pytest.mark.parametrize("value", ["0.1", "1.5", "-0.0", "5e-324", "18446744073709551615", "-9223372036854775808"])
def test_what_can_be_held_arrives(page, value):
    page.connection.send(event_text(page, f'"mode":{value}'))
    assert "d" in page.answer_to(page.number)
    assert f">{float(value) if '.' in value or 'e' in value else int(value)}<" in page.root()


@pytest.mark.parametrize("frame", ['"n":1e999', '"n":1.0', '"n":' + "9" * 5000, '"n":-1', '"n":true', '"n":1,"n":1'])
def test_numbers_of_frames(page, frame):
    page.connection.send(f'{{"t":"event",{frame},"v":"{page.views[0]}","e":"set_mode","p":{{}}}}')
    assert page.receive()["reason"] == "malformed"
    page.connection.send(f'{{"t":"ack","v":"{page.views[0]}","s":1e999}}')
    assert page.receive()["reason"] == "malformed"
    assert "well again" in page.shows("set_mode", {"mode": "well again"})


@pytest.mark.parametrize(("number", "status"), [(str(1 << 64), 200), ("9" * 4000, 200), ("9" * 5000, 404)])
def test_a_number_in_an_address(fleet, number, status):
    """As on an ordinary view: what Python takes for a number is one, and of the longest there is no such page."""
    reply = Visitor(fleet.port).get(f"/counter/{number}/")
    assert reply.status == status
    if status == 200:
        assert number in reply.text
    else:
        fleet.expect_log("Not Found", name="web")
