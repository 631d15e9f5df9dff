"""How much a browser may send: buckets, and whom they are kept for."""

import pytest

from troupe.web import rate_limit
from troupe.web.client_address import address_of, networks
from troupe.web.rate_limit import KeyedBuckets, TokenBucket


def scope(peer=("10.0.0.9", 5000), *forwarded):
    headers = [(b"host", b"testserver"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"client": peer, "headers": headers}


def test_a_bucket_gives_a_burst_and_then_its_rate():
    bucket = TokenBucket(100, 20)
    assert [bucket.take(1.0) for _ in range(20)] == [0] * 20
    assert bucket.take(1.0) == pytest.approx(0.01)
    assert bucket.take(1.005) == pytest.approx(0.005)
    assert bucket.take(1.0101) == 0
    assert sum(bucket.take(1.02 + n / 1000) == 0 for n in range(1000)) in (99, 100, 101)
    assert [bucket.take(1000.0) for _ in range(21)].count(0) == 20  # a long rest is worth one burst


def test_a_bucket_whose_clock_goes_back():
    bucket = TokenBucket(1, 1)
    assert bucket.take(100.0) == 0
    assert bucket.take(50.0) > 0
    assert bucket.take(51.0) == 0


def test_no_limit():
    bucket = TokenBucket(None, 1)
    assert not any(bucket.take(0.0) for _ in range(10_000))


def test_addresses_have_buckets_of_their_own_and_are_forgotten_in_order():
    seen = KeyedBuckets(1, 1, limit=2)
    assert seen.take("a", 0.0) == 0 and seen.take("a", 0.0) > 0
    assert seen.take("b", 0.0) == 0
    assert seen.take("a", 0.0) > 0  # heard again: b is the oldest now
    assert seen.take("c", 0.0) == 0 and len(seen) == 2
    assert seen.take("a", 0.0) > 0
    assert seen.take("b", 0.0) == 0


TRUSTED = networks(("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (("192.0.2.1", 5), (), "192.0.2.1"),
        (("192.0.2.1", 5), ("198.51.100.7",), "192.0.2.1"),  # whoever is not trusted says what it likes
        (("10.0.0.9", 5), (), "10.0.0.9"),
        (("10.0.0.9", 5), ("198.51.100.7",), "198.51.100.7"),
        (("10.0.0.9", 5), ("1.1.1.1, 198.51.100.7, 10.1.1.1",), "198.51.100.7"),  # made up further left
        (("10.0.0.9", 5), ("1.1.1.1", "198.51.100.7", "10.1.1.1 , "), "198.51.100.7"),
        (("10.0.0.9", 5), ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        (("10.0.0.9", 5), ("198.51.100.7:4711",), "198.51.100.7"),
        (("10.0.0.9", 5), ("[2001:db8:1:2:3::4]:4711",), "2001:db8:1:2::/64"),
        (("fd00::1", 5), ("2001:db8:1:2:ffff::4",), "2001:db8:1:2::/64"),
        (("::ffff:10.0.0.9", 5), ("198.51.100.7",), "198.51.100.7"),
        (("10.0.0.9", 5), ("1.1.1.1, unknown",), "unknown"),
        (("10.0.0.9", 5), ("x" * 100,), "x" * 64),
        (None, ("198.51.100.7",), None),
        (("", 0), ("198.51.100.7",), None),
    ],
)
def test_whose_socket_it_is(peer, forwarded, expected):
    assert address_of(scope(peer, *forwarded), TRUSTED) == expected


def test_behind_a_unix_socket():
    trusted = networks(("unix",))
    assert address_of(scope(None, "198.51.100.7"), trusted) == "198.51.100.7"
    assert address_of(scope(None), trusted) is None
    assert address_of(scope(("192.0.2.1", 5), "198.51.100.7"), trusted) == "192.0.2.1"
    assert address_of(scope(None, "unix"), trusted) is None  # not what anybody may call themselves


def test_what_is_no_network():
    with pytest.raises(ValueError):
        networks(("proxy.internal",))


@pytest.fixture
def inflow(settings, clock):
    """A function that makes an SocketLimits, with these settings."""

    def make(peer=("10.0.0.9", 5000), *forwarded, **given):
        settings.TROUPE = {**settings.TROUPE, **given}
        made.append(rate_limit.SocketLimits(scope(peer, *forwarded), clock))
        return made[-1]

    made = []
    rate_limit.reset()
    yield make
    rate_limit.reset()
    for limits in made:
        limits.close()


def test_what_is_refused_holds_back_what_follows(inflow, clock):
    limits = inflow(EVENT_RATE=10, EVENT_BURST=2)
    assert limits.event_refusal(1) is None and limits.event_refusal(2) is None
    reason, _, retry_ms = limits.event_refusal(3)
    assert (reason, retry_ms) == ("busy", 100)
    limits.event_refused(3)
    clock.now += 10
    assert limits.event_refusal(4)[0] == "gap"
    limits.event_refused(4)
    assert limits.event_refusal(3) is None
    assert limits.event_refusal(4) is None
    assert limits.event_refusal(5)[0] == "busy"
    limits.event_refused(5)
    limits.joined()
    clock.now += 10
    assert limits.event_refusal(6) is None


def test_what_the_worker_refuses_holds_back_too(inflow):
    limits = inflow()
    assert [limits.event_refusal(n) for n in (1, 2, 3)] == [None] * 3
    limits.event_refused(2)
    limits.event_refused(3)
    limits.event_refused(0)  # of what has no number
    assert limits.event_refusal(4)[0] == "gap"
    assert limits.event_refusal(1) is None  # an older one may come again first
    assert limits.event_refusal(3)[0] == "gap"
    assert [limits.event_refusal(n) for n in (2, 3, 4)] == [None] * 3


def test_an_address_has_a_limit_where_proxies_are_known(inflow, clock):
    given = {"TRUSTED_PROXIES": ["10.0.0.0/8"], "ADDRESS_RATE": 50, "ADDRESS_SOCKETS": 1}
    pages = [inflow(("10.0.0.9", 5), "198.51.100.7", **given) for _ in range(3)]
    other = inflow(("10.0.0.9", 5), "198.51.100.8")
    assert [page.event_refusal(n) is None for n in range(1, 5) for page in pages] == [True] * 10 + [False] * 2
    reason, message, retry_ms = pages[0].event_refusal(9)
    assert reason == "busy" and "address" in message and retry_ms == 20
    assert other.event_refusal(1) is None
    assert [page.admits_socket() for page in pages * 2] == [True] * 4 + [False] * 2
    clock.now += 1
    assert pages[0].admits_socket() and not pages[0].admits_socket()
    alone = inflow(("10.0.0.9", 5), "198.51.100.7", TRUSTED_PROXIES=[])
    assert alone.address is None and alone.event_refusal(1) is None and alone.admits_socket()


def test_an_address_without_a_rate(inflow):
    page = inflow(TRUSTED_PROXIES=["10.0.0.0/8"], ADDRESS_RATE=None, ADDRESS_SOCKETS=None, EVENT_RATE=None)
    assert all(page.event_refusal(n) is None for n in range(1, 1000))
    assert all(page.admits_socket() for _ in range(1000))
    assert all(page.admits_frame() for _ in range(1000))


def test_frames_of_every_kind_have_an_end(inflow, clock):
    limits = inflow(EVENT_RATE=10, EVENT_BURST=1)
    assert [limits.admits_frame() for _ in range(rate_limit.FRAMES_BURST + 1)][-2:] == [True, False]
    clock.now += 1
    assert [limits.admits_frame() for _ in range(101)] == [True] * 100 + [False]


def test_joins_of_a_socket(inflow, clock):
    limits, other = inflow(JOIN_RATE=2, JOIN_BURST=3), inflow()
    assert [limits.join_refusal() for _ in range(3)] == [None] * 3
    message, retry_ms = limits.join_refusal()
    assert "this page" in message and retry_ms == 500
    assert other.join_refusal() is None
    clock.now += 0.5
    assert limits.join_refusal() is None and limits.join_refusal()
    free = inflow(JOIN_RATE=None)
    assert [free.join_refusal() for _ in range(1000)] == [None] * 1000


def test_a_page_that_joins_after_losses_is_not_held_up(inflow, clock):
    """With the defaults: its worker dies again and again, and each time it joins once or twice."""
    page = inflow()
    for _ in range(20):
        assert page.join_refusal() is None and page.join_refusal() is None
        clock.now += 2


def test_joins_of_an_address(inflow, clock):
    given = {"TRUSTED_PROXIES": ["10.0.0.0/8"], "ADDRESS_JOINS": 5}
    pages = [inflow(("10.0.0.9", 5), "198.51.100.7", **given) for _ in range(25)]
    assert [page.join_refusal() is None for page in pages] == [True] * 20 + [False] * 5
    assert inflow(("10.0.0.9", 5), "198.51.100.8").join_refusal() is None
    clock.now += 1
    for chance, expected in ((0.0, 200), (1.0, 200 + 1000 * rate_limit.RETRY_SPREAD_SECONDS)):

        def limits(chance=chance):
            return rate_limit.SocketLimits(scope(("10.0.0.9", 5), "198.51.100.7"), clock, chance=lambda: chance)

        page = limits()
        while not (refusal := page.join_refusal()):
            page = limits()
        assert "this address" in refusal[0] and refusal[1] == expected


def test_sessions_of_a_page_load(inflow, clock):
    limits, other = inflow(TOKEN_SESSIONS=2), inflow()
    assert limits.session_refusal(b"a") is None and other.session_refusal(b"a") is None
    message, retry_ms = limits.session_refusal(b"a")
    assert "this page load" in message and retry_ms == 1000 * rate_limit.TOKEN_SECONDS
    assert other.session_refusal(b"a") and other.session_refusal(b"b") is None
    clock.now += rate_limit.TOKEN_SECONDS
    assert limits.session_refusal(b"a") is None and limits.session_refusal(b"a")
    free = inflow(TOKEN_SESSIONS=None)
    assert [free.session_refusal(b"a") for _ in range(1000)] == [None] * 1000


def test_open_sockets_of_an_address(inflow):
    given = {"TRUSTED_PROXIES": ["10.0.0.0/8"], "ADDRESS_OPEN_SOCKETS": 3, "ADDRESS_SOCKETS": None}
    pages = [inflow(("10.0.0.9", 5), "198.51.100.7", **given) for _ in range(5)]
    assert [page.admits_socket() for page in pages] == [True] * 3 + [False] * 2
    other = inflow(("10.0.0.9", 5), "198.51.100.8")
    assert other.admits_socket()
    pages[4].close()  # it was never counted
    pages[0].close()
    pages[0].close()
    assert pages[3].admits_socket() and not pages[4].admits_socket()
    for page in (*pages, other):
        page.close()
    assert len(rate_limit._open_sockets) == 0
