"""Bad frames on both sockets: each is answered, logged in a line, and harms nobody."""

import random
import secrets
import time

import pytest
import raw
from fleet import wait_until

from troupe import wire

SEED = secrets.randbits(32)  # of the random frames; a failing test shows it
PATH = "house.views.Counter"


@pytest.fixture(scope="module")
def own_fleet(tmp_path_factory):
    """A broker and one worker, for frames that are bad."""
    from fleet import Fleet

    folder = tmp_path_factory.mktemp("frames")
    quick = ["--worker-dead-ms", "3000"]
    with Fleet(folder, workers=1, web=False, env={"SCENARIO_DB": str(folder / "none")}, broker=quick) as fleet:
        yield fleet


@pytest.fixture
def fleet(own_fleet):
    """That fleet, its logs watched."""
    with own_fleet.watch_logs():
        yield own_fleet


@pytest.fixture
def client(fleet):
    """A client of it, and a bystander's session that must go on as if nothing had been."""
    with raw.Client(fleet.front) as other, raw.Client(fleet.front) as peer:
        bystander = other.mount(PATH, {"start": 10})
        bystander.event("increment")
        yield peer
        assert ">12<" in bystander.event("increment").body["html"].decode()
        bystander.shutdown()
        assert other.unasked == []


@pytest.fixture
def flood(fleet):
    """For tests that send more bad frames than the broker logs in a second: afterwards, it has to be another second."""
    yield
    end = time.monotonic() + 1.1
    wait_until(lambda: time.monotonic() > end, "another second of the broker's log")


@pytest.fixture
def rogue(fleet):
    """A peer on the back socket that did not register."""
    with raw.Worker(fleet.back) as peer:
        yield peer


def mount_body(**more):
    """The bytes of a MOUNT."""
    return raw.pack({"path": PATH, "params": {"start": 1}, **more})


def refused(answer, *reasons):
    """Whether it is a NOT_EXECUTED with one of these reasons and a sentence."""
    assert answer is not None
    return answer.kind == wire.NOT_EXECUTED and answer.reason in reasons and answer.body["message"]


# The front socket.


def test_headers_of_all_other_lengths(fleet, client, flood):
    fleet.expect_log("level=WARN .*event=bad_request reason=malformed", name="broker")
    good = raw.header(wire.MOUNT, secrets.token_bytes(16)) + bytes(20)
    for size in [*range(40), *range(41, 60)]:
        client.send(good[:size], mount_body())
        assert refused(client.receive(), "malformed"), size


@pytest.mark.parametrize("frames", [1, 3, 4, 70])
def test_other_numbers_of_frames(fleet, client, frames):
    fleet.expect_log("event=bad_request reason=malformed", times=1, name="broker")
    head = raw.header(wire.PING, sequence=wire.REQUEST_BIT | 7)
    client.send(*[head, *[b"\x80"] * (frames - 1)])
    answer = client.receive()
    assert refused(answer, "malformed")
    assert answer.sequence == wire.REQUEST_BIT | 7


def test_bodies_truncated_at_all_lengths(fleet, client):
    """The worker refuses them; and no session is left of any."""
    before = client.figures()["sessions"]
    body = mount_body(request={"path": "/", "headers": {"a": "b"}}, identity=b"i" * 16, view=b"v" * 16)
    for size in range(len(body)):
        answer = client.ask(wire.MOUNT, body[:size] or b"", secrets.token_bytes(16))
        assert refused(answer, "malformed"), (size, answer)
    wait_until(lambda: client.figures()["sessions"] <= before, "the sessions of malformed mounts to end")


def test_joins_truncated_at_all_lengths(fleet, client):
    before = client.figures()["sessions"]
    view = {"view": b"v" * 16, "version": 0, "path": PATH, "params": {}}
    body = raw.pack({"generation": 0, "views": [view], "request": {}})
    for size in range(len(body)):
        answer = client.ask(wire.JOIN, body[:size] or b"", secrets.token_bytes(16))
        assert refused(answer, "malformed"), (size, answer)
    wait_until(lambda: client.figures()["sessions"] <= before, "the sessions of malformed joins to end")


def test_events_truncated_at_all_lengths(client):
    session = client.mount(PATH)
    body = raw.pack({"view": session.view, "name": "increment", "params": {}})
    for size in range(len(body)):
        key = client.post(wire.EVENT, body[:size], session.id, sequence=1, epoch=session.epoch)
        assert refused(client.answer_to(key), "malformed"), size
    assert ">1<" in session.event("increment").body["html"].decode()
    session.shutdown()


BAD_BODIES = {
    "no map": raw.pack([1]),
    "nil": b"\xc0",
    "integer keys": raw.pack({1: 2, "path": PATH, "params": {}}),
    "no path": raw.pack({"params": {}}),
    "path is a number": raw.pack({"path": 5, "params": {}}),
    "path is bytes": raw.pack({"path": b"house", "params": {}}),
    "path of 256 bytes": raw.pack({"path": "p" * 256, "params": {}}),
    "path is no UTF-8": b"\x82\xa4path\xa2\xff\xfe\xa6params\x80",
    "params is a list": raw.pack({"path": PATH, "params": []}),
    "view of 15 bytes": raw.pack({"path": PATH, "params": {}, "view": b"v" * 15}),
    "identity of 33 bytes": raw.pack({"path": PATH, "params": {}, "identity": b"i" * 33}),
    "request is text": raw.pack({"path": PATH, "params": {}, "request": "GET /"}),
    "a key twice": b"\x83\xa4path\xb3" + PATH.encode() + b"\xa6params\x80\xa6params\x80",
    "33 keys": raw.pack({"path": PATH, "params": {}, **{str(n): n for n in range(31)}}),
    "something behind it": mount_body() + b"\x00",
    "17 deep": b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\xa1a" + raw.nested(15),
    "10,000 deep": b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\xa1a" + raw.nested(10_000),
    "a million deep": b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\xa1a" + raw.nested(1_000_000),
    "maps 10,000 deep": b"\x81\xa1a" * 10_000 + b"\x80",
    "a list that says 4 billion": b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\xa1a\xdd\xff\xff\xff\xff",
    "a map that says 4 billion": b"\xdf\xff\xff\xff\xff",
    "a text that says 4 billion": b"\x82\xa4path\xdb\xff\xff\xff\xff",
    "a reserved byte": b"\x82\xa4path\xc1",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_bodies(client, body):
    before = client.figures()["sessions"]
    answer = client.ask(wire.MOUNT, body, secrets.token_bytes(16))
    assert refused(answer, "malformed", "too_large"), answer
    wait_until(lambda: client.figures()["sessions"] <= before, "the session of a malformed mount to end")


def test_parameters_with_integer_keys(client):
    answer = client.ask(
        wire.MOUNT, b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\x01\x02", secrets.token_bytes(16)
    )
    assert answer.kind == wire.FAILED and "a map's key is not text" in answer.body["message"]


def test_16_deep_is_deep_enough(fleet, client):
    fleet.expect_reports(1, "TypeError")
    body = b"\x82\xa4path\xb3" + PATH.encode() + b"\xa6params\x81\xa1a" + raw.nested(14)
    answer = client.ask(wire.MOUNT, body, secrets.token_bytes(16))
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "python")  # mount() has no parameter `a`
    assert "unexpected keyword argument 'a'" in answer.body["message"]


@pytest.mark.parametrize(
    "value",
    [
        b"\xc7\x03\x01abc",  # a datetime that is none
        b"\xc7\x05\x04NaN!!",
        b"\xd4\x05\x00",  # a UUID of one byte
        b"\xd4\x63\x00",  # extension type 99
        b"\xd4\xff\x00",  # msgpack's own timestamp
        b"\xc7\x02\x06\xff\xfe",  # a safe string that is no UTF-8
        b"\xa2\xff\xfe",  # a string that is none
        b"\xd7\x07\x7f\xff\xff\xff\xff\xff\xff\xff",  # a timedelta of 292,000 years
    ],
)
def test_values_that_do_not_parse(client, value):
    """An error to the one who asked; whether the number is used is the answer's to say, and the session goes on."""
    session = client.mount(PATH)
    body = b"\x83\xa4view\xc4\x10" + session.view + b"\xa4name\xa3say\xa6params\x81\xa4text" + value
    answer = client.answer_to(client.post(wire.EVENT, body, session.id, sequence=1, epoch=session.epoch))
    assert answer.kind in (wire.NOT_EXECUTED, wire.FAILED, wire.DONE), answer
    if answer.kind == wire.NOT_EXECUTED:
        assert answer.reason == "malformed"
    session.number = 0 if answer.kind == wire.NOT_EXECUTED else 1
    assert ">1<" in session.event("increment").body["html"].decode()
    session.shutdown()


def test_body_over_a_mebibyte(fleet, client):
    fleet.expect_log("event=bad_request reason=too_large type=MOUNT", times=1, name="broker")
    answer = client.ask(wire.MOUNT, mount_body(filler="x" * (1 << 20)), secrets.token_bytes(16))
    assert refused(answer, "too_large")
    small = client.ask(wire.MOUNT, mount_body(filler="x" * ((1 << 20) - 100)), secrets.token_bytes(16))
    assert small.kind == wire.MOUNTED


def test_message_over_the_socket_s_limit_closes_that_connection_only(fleet, client):
    with raw.Client(fleet.front) as huge:
        huge.send(raw.header(wire.PING), bytes((16 << 20) + 1))
        # ZeroMQ connects again by itself
        assert wait_until(lambda: _pinged(huge), "the next connection to be served")
        assert huge.unasked == []
    assert client.ask(wire.PING).kind == wire.PONG


def _pinged(client):
    key = client.post(wire.PING)
    try:
        return client.answer_to(key, 0.2).kind == wire.PONG
    except AssertionError:
        return False


@pytest.mark.parametrize("version", [0, 2, 255])
def test_other_protocol_versions(fleet, client, version):
    fleet.expect_log("event=bad_request reason=version", times=1, name="broker")
    answer = client.ask(wire.PING, version=version)
    assert refused(answer, "version")


def test_types_that_are_no_requests(fleet, client, flood):
    """Unknown ones, replies and control messages: a client may send none of them."""
    fleet.expect_log("event=bad_request reason=type", name="broker")
    session = client.mount(PATH)
    body = {"name": "w9", "pid": 1, "threads": 1, "version": "1"}
    for kind in (0, 0x0F, 0x20, 0x80, 0xFF, *range(0x21, 0x2E), *range(0x41, 0x50)):
        assert refused(client.ask(kind, body, session.id, epoch=session.epoch), "type"), kind
    assert ">1<" in session.event("increment").body["html"].decode()
    session.shutdown()


def test_flags_that_nobody_knows_are_ignored(client):
    session = client.mount(PATH, flags=wire.HTML | 0xFFC0)
    assert ">1<" in session.event("increment", flags=wire.HTML | 0xFF00).body["html"].decode()
    session.shutdown()


def test_session_of_zeros(fleet, client):
    fleet.expect_log("event=bad_request reason=malformed", name="broker")
    for kind in (wire.MOUNT, wire.JOIN, wire.EVENT, wire.SHUTDOWN, wire.REFRESH):
        assert refused(client.ask(kind, mount_body()), "malformed")


def test_random_frames_on_the_front(fleet, client, flood):
    generator = random.Random(SEED)
    print(f"seed {SEED}")
    fleet.expect_log("event=bad_request", name="broker")
    for _ in range(2000):
        frames = [
            generator.randbytes(generator.choice((0, 1, 39, 40, 40, 40, 41, 300)))
            for _ in range(generator.choice((1, 2, 2, 2, 3)))
        ]
        client.send(*frames)
    assert_still_answers(client)


def test_damaged_requests_on_the_front(fleet, client):
    """Good messages with a few bytes changed: every one is answered, or was one that wants no answer."""
    generator = random.Random(SEED)
    print(f"seed {SEED}")
    fleet.watch.allow(r"ERROR django\.request Internal Server Error.*unexpected keyword argument")  # 'start' became one
    view = b"v" * 16
    bodies = {
        wire.MOUNT: mount_body(view=view, request={"path": "/", "method": "GET", "cookies": {"a": "b"}}),
        wire.JOIN: raw.pack(
            {"generation": 0, "views": [{"view": view, "version": 0, "path": PATH, "params": {}}], "request": {}}
        ),
        wire.EVENT: raw.pack({"view": view, "name": "increment", "params": {"a": [1, "b", None]}}),
        wire.UNMOUNT: raw.pack({"view": view}),
        wire.REFRESH: raw.pack({"view": view}),
        wire.STATS: raw.pack({}),
        wire.SHUTDOWN: raw.pack({}),
    }
    client.ask(wire.MOUNT, bodies[wire.MOUNT], b"damaged session.")
    for number in range(1500):
        kind = generator.choice(list(bodies))
        body = bytearray(bodies[kind])
        for _ in range(generator.randint(1, 4)):
            body[generator.randrange(len(body))] = generator.randrange(256)
        answer = client.ask(kind, bytes(body), b"damaged session.", sequence=number + 1 if kind == wire.EVENT else None)
        assert answer.kind in range(0x21, 0x2C)
    client.ask(wire.SHUTDOWN, session=b"damaged session.")


def assert_still_answers(client):
    """A PING is answered, be it behind thousands of other answers."""
    assert client.ask(wire.PING).kind == wire.PONG


def test_requests_without_a_reply_that_are_bad(client):
    """Nobody waits for them: they end nothing, and nothing comes of them."""
    session = client.mount(PATH)
    for kind in (wire.ACK, wire.LEAVE, wire.LOGOUT):
        for body in (
            b"",
            b"\xc1",
            b"\x80",
            raw.pack({"identity": 5}),
            raw.pack({"identity": b"i" * 33}),
            raw.nested(5000),
        ):
            client.post(kind, body, session.id if kind != wire.LOGOUT else wire.NO_SESSION, epoch=0)
    assert ">1<" in session.event("increment").body["html"].decode()
    session.shutdown()


def test_logout_of_nobody_ends_nothing(client):
    """An identity of no bytes is that of every session without one."""
    session = client.mount(PATH)
    client.post(wire.LOGOUT, {"identity": b""})
    for count in range(1, 6):
        assert f">{count}<" in session.event("increment").body["html"].decode()
    session.shutdown()


def test_join_with_views_that_fail_and_twice_the_same(client):
    bad = {"view": b"b" * 16, "version": 0, "path": "no.View", "params": {}}
    good = {"view": b"g" * 16, "version": 0, "path": PATH, "params": {}}
    for views in ([bad] * 64, [good] * 64, [bad, good]):
        session = secrets.token_bytes(16)
        answer = client.ask(wire.JOIN, {"generation": 0, "views": views, "request": {}}, session)
        assert answer.kind == wire.JOINED and len(answer.body["views"]) == len(views)
        assert client.ask(wire.SHUTDOWN, session=session).kind == wire.ENDED
    answer = client.ask(wire.JOIN, {"generation": 0, "views": [good] * 65, "request": {}}, secrets.token_bytes(16))
    assert refused(answer, "malformed", "too_large")


# The back socket.


def test_strangers_are_told_what_is_wrong(fleet, rogue, flood):
    fleet.expect_log("level=WARN .*event=bad_worker_message reason=malformed", name="broker")
    for frames in (
        [b""],
        [b"", b"x"],
        [b"", b"x" * 40],
        [b"", raw.header(raw.REGISTER)[:39], b"\x80"],
        [b"c" * 33, raw.header(raw.REGISTER), b"\x80"],
    ):
        rogue.send(*frames)
        kind, reason = _told(rogue)
        assert (kind, reason) == (raw.REFUSED, "malformed") or reason == "version", (frames, kind, reason)


def _told(rogue):
    _, answer = rogue.receive()
    return answer.kind, answer.reason


@pytest.mark.parametrize(
    ("kind", "version", "reason"),
    [(raw.REGISTER, 2, "version"), (wire.MOUNT, 1, "type"), (raw.WELCOME, 1, "type"), (0x99, 1, "type")],
)
def test_stranger_with_a_wrong_version_or_type(fleet, rogue, kind, version, reason):
    fleet.expect_log(f"event=bad_worker_message reason={reason}", times=1, name="broker")
    rogue.send(b"", raw.header(kind, version=version), b"\x80")
    assert _told(rogue) == (raw.REFUSED, reason)


BAD_REGISTERS = {
    "empty": {},
    "no name": {"pid": 1, "threads": 1, "version": "1"},
    "a long name": {"name": "n" * 65, "pid": 1, "threads": 1, "version": "1"},
    "an empty name": {"name": "", "pid": 1, "threads": 1, "version": "1"},
    "pid is text": {"name": "n", "pid": "1", "threads": 1, "version": "1"},
    "negative": {"name": "n", "pid": -1, "threads": 1, "version": "1"},
}


def test_bad_registers(fleet, rogue, client, flood):
    fleet.expect_log("event=bad_worker_message reason=(malformed|too_large)", name="broker")
    for defect, body in BAD_REGISTERS.items():
        rogue.control(raw.REGISTER, body)
        assert _told(rogue) in ((raw.REFUSED, "malformed"), (raw.REFUSED, "too_large")), defect
    assert len(client.figures()["workers"]) == 1


def test_name_that_is_taken(fleet, rogue, client):
    fleet.expect_log("event=worker_refused reason=name_taken worker=.?w1", times=1, name="broker")
    refused = rogue.register("w1")
    assert (refused.kind, refused.reason) == (raw.REFUSED, "name_taken")
    assert refused.body["message"]
    assert [worker["name"] for worker in client.figures()["workers"]] == ["w1"]


def test_worker_process_with_a_name_that_is_taken_stops(fleet):
    fleet.expect_log("event=worker_refused reason=name_taken", name="broker")  # it asks again for a while
    fleet.expect_log('level=ERROR .*event=refused .*reason="name_taken"', times=1, name="w1")
    first = fleet.workers["w1"]
    second = fleet.start_worker("w1", wait=False)
    assert second.wait_exit(30) == 4
    second.signalled = True
    fleet.workers["w1"] = first
    assert first.alive


def test_stranger_that_sends_replies_is_asked_who_it_is(fleet, rogue, client):
    session = client.mount(PATH)
    for _ in range(3):
        rogue.send(client.identity, raw.header(wire.DONE, session.id, session.epoch, 1), raw.pack({"version": 9}))
    _, answer = rogue.receive()
    assert answer.kind == raw.IDENTIFY
    assert ">1<" in session.event("increment").body["html"].decode()
    session.shutdown()


@pytest.fixture
def registered(fleet, rogue, client):
    """The rogue, registered, with six sessions placed on it, so that the next ones go to the worker. `asked`: (key,
    client's routing id, Answer) of the MOUNTs that it has not answered.
    """
    assert rogue.register("rogue").kind == raw.WELCOME
    elsewhere = []
    rogue.asked = [own_session(client, rogue, elsewhere) for _ in range(6)]
    for session in elsewhere:
        client.ask(wire.SHUTDOWN, session=session)
    yield rogue
    rogue.control(raw.GOODBYE, {"reason": "done"})
    wait_until(lambda: _said(client, "rogue").get("state") in (None, "leaving"), "the rogue to have left")


def _said(client, name):
    found = [worker for worker in client.figures()["workers"] if worker["name"] == name]
    return found[0] if found else {}


def own_session(client, worker, elsewhere):
    """(key, client's routing id, Answer) of a MOUNT that was placed on a raw worker, which has not answered it. The
    sessions that were placed elsewhere meanwhile go to that list.
    """
    for _ in range(200):
        session = secrets.token_bytes(16)
        key = client.post(wire.MOUNT, {"path": PATH, "params": {}}, session)
        frames = worker.receive_frames(0.1)
        while frames and wire.HEADER.unpack(frames[1])[1] != wire.MOUNT:
            frames = worker.receive_frames(0.1)
        if frames:
            return key, frames[0], raw.unpack(frames[1:])
        client.answer_to(key)
        elsewhere.append(session)
    raise AssertionError("no session was placed on the registered worker")


def test_replies_for_sessions_that_it_does_not_own(fleet, registered, client, flood):
    fleet.expect_log("level=WARN .*event=reply_dropped reason=not_owner", name="broker")
    session = client.mount(PATH)
    for kind in [*range(0x21, 0x2C)]:
        for number in (0, 1, wire.REQUEST_BIT | 1):
            registered.send(
                client.identity,
                raw.header(kind, session.id, session.epoch, number),
                raw.pack({"reason": "rogue", "html": b"evil"}),
            )
    registered.control(raw.RELEASED, {"reason": "rogue"}, session.id, session.epoch)
    registered.beat()
    assert ">1<" in session.event("increment").body["html"].decode()
    assert client.unasked == []
    session.shutdown()


def test_bad_messages_of_a_registered_worker(fleet, registered, client, flood):
    fleet.expect_log("event=bad_worker_message", name="broker")
    head = raw.header(wire.DONE, secrets.token_bytes(16))
    registered.send(b"")
    registered.send(b"", head)
    registered.send(b"", head[:-1], b"\x80")
    registered.send(b"c" * 33, head, b"\x80")
    registered.send(b"", raw.header(wire.MOUNT, b"s" * 16), b"\x80")
    registered.send(b"", raw.header(0x99), b"\x80")
    registered.send(b"", raw.header(wire.DONE, version=3), b"\x80")
    registered.send(b"", head, b"\x80", *[b"snapshot"] * 65)
    for kind in (raw.HEARTBEAT, raw.GOODBYE, raw.RELEASED, raw.REGISTER):
        registered.control(kind, b"\x93garbage")
        registered.control(kind, raw.nested(10_000))
    assert_still_answers(client)
    assert _said(client, "rogue")


def test_random_frames_on_the_back(fleet, registered, client, flood):
    generator = random.Random(SEED)
    print(f"seed {SEED}")
    fleet.expect_log("event=(bad_worker_message|reply_dropped)", name="broker")
    for _ in range(2000):
        count = generator.choice((1, 2, 3, 3, 3, 4, 5))
        frames = [generator.randbytes(generator.choice((0, 1, 16, 39, 40, 40, 41, 300))) for _ in range(count)]
        if count >= 3 and generator.random() < 0.5:
            kind = generator.choice([*range(0x21, 0x2C), 0x46, 0x44])
            frames[1] = raw.header(kind, generator.randbytes(16), generator.getrandbits(64), generator.getrandbits(64))
        registered.send(*frames)
    registered.beat()
    assert_still_answers(client)


def test_stale_reply_of_the_owner_is_dropped(fleet, registered, client):
    fleet.expect_log("event=reply_dropped reason=stale type=MOUNTED", times=2, name="broker")
    key, identity, request = registered.asked.pop()
    body = {"view": b"v" * 16, "version": 1, "html": b"<p>right</p>", "last": 0}
    for epoch in (request.epoch - 1, request.epoch + 1):
        registered.reply(identity, request, wire.MOUNTED, {**body, "html": b"<p>stale</p>"}, epoch=epoch)
    registered.reply(identity, request, wire.MOUNTED, body)
    assert client.answer_to(key).body["html"] == b"<p>right</p>"
    _release(registered, request)


def test_reply_that_nobody_asked_for_is_dropped(fleet, registered, client):
    fleet.expect_log("event=reply_dropped reason=not_asked", times=2, name="broker")
    key, identity, request = registered.asked.pop()
    body = {"view": b"v" * 16, "version": 1, "html": b"<p>right</p>", "last": 0}
    for _ in range(2):
        registered.reply(identity, request, wire.MOUNTED, body)
    registered.reply(b"nobody", request, wire.MOUNTED, body)
    assert client.answer_to(key).kind == wire.MOUNTED
    registered.beat()
    assert_still_answers(client)
    assert client.unasked == []
    _release(registered, request)


def test_reply_over_its_limit_becomes_an_error(fleet, registered, client):
    fleet.expect_log("event=reply_too_large type=MOUNTED", times=1, name="broker")
    key, identity, request = registered.asked.pop()
    registered.reply(identity, request, wire.MOUNTED, {"html": b"x" * (17 << 20)})
    answer = client.answer_to(key)
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "internal")
    _release(registered, request)


def test_worker_that_vanishes_with_a_request(fleet, client, rogue):
    fleet.expect_log("event=worker_lost worker=.?vanishing", times=1, name="broker")
    assert rogue.register("vanishing").kind == raw.WELCOME
    key, _, request = own_session(client, rogue, [])
    rogue.socket.close()
    answer = client.answer_to(key)
    assert (answer.kind, answer.reason) == (wire.UNKNOWN, "worker_lost")
    again = client.ask(wire.MOUNT, {"path": PATH, "params": {}}, request.session)
    assert again.kind == wire.MOUNTED and again.epoch > request.epoch


def _release(worker, request):
    worker.control(raw.RELEASED, {"reason": "shutdown"}, request.session, request.epoch)
