"""The WebSocket consumer, as a browser sees it (PROTOCOL.md 9)."""

import asyncio
import json
import re
from unittest import mock

import fake_worker
import pytest
import urls
from asgi_socket import WebSocket
from channels.auth import AuthMiddlewareStack
from django.test import AsyncClient, Client
from socket_page import ORIGIN, Page, load_tokens, made

from troupe import wire
from troupe.web import consumer, in_flight, outbox, page_socket, page_token
from troupe.web.consumer import LiveViewConsumer
from troupe.web.origins import origin_allowed
from troupe.web.transport import client

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["native", "broker"])
def either(request):
    return request.getfixturevalue(request.param)


async def test_adopted_once_then_events_become_patches(either):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as page:
        joined = await page.join(found)
        view = joined["views"][0]
        assert joined["n"] == 0 and joined["fresh"] is False
        assert view["s"] == 1 and "html" not in view and view["g"]
        assert view["i"] == 0 and view["k"] == fake_worker.CHUNKS
        patch = await page.event("increment", by=3)
        assert patch["v"] == 0 and patch["s"] == 2 and patch["a"] == 1 and "8" in patch["d"]["0"]["h"]
        assert "18" in (await page.event("later"))["d"]["0"]["h"]
        assert await page.ask(t="ping") == {"t": "pong"}
        refreshed = await page.ask(t="refresh", v=page.view)
        assert refreshed["a"] == 0 and "18" in refreshed["d"]["0"]["h"]
        chunks = await page.ask(t="refresh", v=page.view, c=["BBBBBBBB", "unknown"])
        assert chunks == {"v": 0, "s": 4, "a": 0, "c": [["BBBBBBBB", {"h": "", "s": []}]]}
        await page.send(t="ack", v=page.view, s=4)
        if isinstance(either, fake_worker.Broker):
            await asyncio.to_thread(either.wait_for, wire.ACK)
    assert len(fake_worker.Session.made) == 1
    join = [fields for kind, _, fields in made().requests if kind == wire.JOIN][0]
    assert join["request"]["path"] == "/counter/5/" and join["views"][0]["version"] == 1
    event = [flags for kind, flags, _ in made().requests if kind == wire.EVENT][0]
    assert event == wire.BROWSER
    if isinstance(either, fake_worker.Broker):
        await asyncio.to_thread(either.wait_for, wire.LEAVE)
    else:
        assert len(either) == 0


async def test_events_are_not_waited_for(broker):
    (found,) = await load_tokens()
    held = []

    def hold(kind, session, epoch, sequence, fields):
        if kind == wire.EVENT:
            held.append(sequence)
            return []
        return None

    async with Page() as page:
        await page.join(found)
        broker.answer = hold
        for number in range(1, 6):
            await page.send(t="event", n=number, v=page.view, e="increment", p={})
        for _ in range(5):
            await asyncio.to_thread(broker.wait_for, wire.EVENT)
        assert held == [1, 2, 3, 4, 5]
        session = made().id
        for number in held:
            broker.push(wire.DONE, session, {"version": number + 1}, sequence=number)
        answers = [await page.next() for _ in held]
        assert answers == [{"v": 0, "s": n + 1, "a": n} for n in held]


async def test_a_token_used_twice_gets_a_fresh_session(either):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as first, Page() as second:
        joined, two = await first.join(found), await second.join(found)
        assert "html" in two["views"][0] and two["fresh"] is True and ">5<" in two["views"][0]["html"]
        assert "6" in (await first.event("increment", by=1))["d"]["0"]["h"]
        assert "7" in (await second.event("increment", by=2))["d"]["0"]["h"]
        nobody = {"user": None, "session_key": None}
        assert "token" not in joined["views"][0]
        assert page_token.read(found, nobody, joined["views"][0]["g"])["generation"] == 1
        other = page_token.read(two["views"][0]["token"], nobody)
        assert "g" not in two["views"][0] and other["session"] != page_token.read(found, nobody)["session"]


async def test_joining_again_with_the_renewed_token(broker):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as page:
        renewal = (await page.join(found))["views"][0]["g"]
        await page.event("increment", by=1)
    async with Page() as page:
        joined = await page.join(found, s=2, g=renewal)
        assert joined["n"] == 1 and joined["fresh"] is False and len(fake_worker.Session.made) == 1
        again = await page.join(found, g=joined["views"][0]["g"])  # and again over the same socket
        assert again["n"] == 1


async def test_two_views_of_one_page(either):
    tokens = await load_tokens("/embedding/")
    async with Page() as page:
        joined = await page.join(*tokens)
        assert len(joined["views"]) == 2
        assert ">4<" in (await page.event("increment", by=1))["d"]["0"]["h"]
        page.view = joined["views"][1]["v"]
        assert ">6<" in (await page.event("increment", by=2))["d"]["0"]["h"]


async def test_tokens_of_two_pages_do_not_mix(native):
    tokens = await load_tokens() + await load_tokens()
    async with Page() as page:
        assert (await page.join(*tokens))["reason"] == "tokens"
        assert (await page.join(tokens[0], tokens[0]))["reason"] == "tokens"
        assert (await page.join(tokens[0]))["t"] == "joined"


@pytest.mark.parametrize("debug", [True, False])
async def test_failures_say_everything_only_with_debug(either, settings, debug):
    (found,) = await load_tokens()
    settings.DEBUG = debug
    async with Page() as page:
        await page.join(found)
        answer = await page.event("broken")
        assert answer["t"] == "failed" and answer["n"] == 1 and answer["error"]["kind"] == "python"
        assert answer["v"] == page.view
        if debug:
            assert answer["error"]["type"] == "ValueError" and answer["error"]["frames"][0][2] == "broken"
            assert answer["error"]["message"] == "Error in samples.Counter.broken(): nothing to count"
        else:
            assert answer["error"] == {"kind": "python", "message": "The event 'broken' could not be handled."}
        answer = await page.event("undecorated")
        assert answer["error"]["kind"] == "handler_not_found"
        view, page.view = page.view, "0" * 32  # which is none of this page's
        assert (await page.event("increment"))["error"]["kind"] == "view_not_found"
        page.view = view
        assert (await page.event("increment"))["a"] == 4


async def test_a_view_that_the_session_lacks_is_joined_again(broker):
    """Its join failed, or it could not be asked for when its session moved."""
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        broker.answer = lambda kind, *_: (
            [(wire.FAILED, {"kind": "view_not_found", "message": "x"})] if kind == wire.EVENT else None
        )
        assert (await page.event("increment"))["error"]["kind"] == "view_not_found"
        assert await page.next() == {"t": "lost", "reason": "view_not_found"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ((wire.NOT_EXECUTED, {"reason": "busy", "message": "full", "retry_ms": 100}), [("refused", "busy")]),
        ((wire.NOT_EXECUTED, {"reason": "gap", "message": "x"}), [("refused", "gap")]),
        (
            (wire.NOT_EXECUTED, {"reason": "unknown_session", "message": "x"}),
            [("refused", "unknown_session"), ("lost", "unknown_session")],
        ),
        ((wire.NOT_EXECUTED, {"reason": "stale", "message": "x"}), [("refused", "stale"), ("lost", "stale")]),
        ((wire.UNKNOWN, {"reason": "worker_lost", "message": "x"}), [("unknown", "worker_lost")]),
        ((wire.DONE, {"nothing": 1}), [("unknown", "internal")]),
    ],
)
async def test_other_outcomes(broker, reply, expected):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        broker.answer = lambda kind, *_: [reply] if kind == wire.EVENT else None
        answers = [await page.event("increment")] + [await page.next() for _ in expected[1:]]
        assert [(answer["t"], answer["reason"]) for answer in answers] == expected
        assert answers[0]["n"] == 1
        if expected[0][1] == "busy":
            assert answers[0]["retry_ms"] == 100
        if len(expected) == 2:
            assert (await page.event("increment"))["reason"] == "unknown_session"
            await page.send(t="refresh", v=page.view)
            await page.send(t="ack", v=page.view, s=1)
            assert await page.ask(t="ping") == {"t": "pong"}


async def test_what_is_unasked(broker, caplog):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        session = made().id
        broker.push(wire.PUSH, session, {"frame": b'{"old":1}'}, epoch=6)
        broker.push(wire.PUSH, session, {"frame": '{"v":"ü"}'.encode()})
        assert await page.next() == {"v": "ü"} and "event=stale_push" in caplog.text
        broker.push(wire.ENDED, session, {"reason": "evicted"})
        assert await page.next() == {"t": "lost", "reason": "evicted"}
        assert await page.ask(t="ping") == {"t": "pong"}


async def test_logging_out_reloads_the_page(either, django_user_model):
    ada = await asyncio.to_thread(django_user_model.objects.create_user, "ada", password="x")
    browser = AsyncClient()
    await asyncio.to_thread(browser.force_login, ada)
    (found,) = await load_tokens(browser=browser)
    cookie = browser.cookies["sessionid"].value.encode()
    headers = [*ORIGIN, (b"cookie", b"sessionid=" + cookie)]
    async with Page(headers, AuthMiddlewareStack(urls.application)) as page, Page() as foreign:
        assert (await foreign.join(found)) == {"t": "reload", "reason": "foreign"}
        joined = await page.join(found)
        assert joined["t"] == "joined"
        session = made().id
        await asyncio.to_thread(browser.logout)
        if isinstance(either, fake_worker.Broker):
            _, body = await asyncio.to_thread(either.wait_for, wire.LOGOUT)
            joined_as = [fields for kind, _, fields in made().requests if kind == wire.JOIN][0]["identity"]
            assert joined_as == wire.owner_of(body["identity"], str(ada.pk))
            either.push(wire.ENDED, session, {"reason": "logout"})
        assert await page.next() == {"t": "reload", "reason": "logout"}
        again = await page.join(found, g=joined["views"][0]["g"])
        assert again == {"t": "reload", "reason": "foreign"}


async def test_tokens_are_renewed_on_ping(native):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        await page.event("increment")
        with mock.patch.object(consumer.time, "time", return_value=9e9):
            assert await page.ask(t="ping") == {"t": "pong"}
            renewed = await page.next()
            assert await page.ask(t="ping") == {"t": "pong"}
    assert renewed["t"] == "token" and renewed["v"] == page.view


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        '"x"',
        "NaN",
        '{"t":"event","n":NaN}',
        "[" * 60000,
        '{"n":' + "9" * 5000 + "}",
        "{}",
        '{"t":"nope"}',
        '{"t":["event"]}',
        '{"t":"event"}',
        '{"t":"event","n":0,"v":"%s","e":"x","p":{}}',
        '{"t":"event","n":true,"v":"%s","e":"x","p":{}}',
        '{"t":"event","n":1.0,"v":"%s","e":"x","p":{}}',
        '{"t":"event","n":9007199254740992,"v":"%s","e":"x","p":{}}',
        '{"t":"event","n":-1,"v":"%s","e":"x","p":{}}',
        '{"t":"event","n":1,"v":"%s","e":5,"p":{}}',
        '{"t":"event","n":1,"v":"%s","e":"x","p":[]}',
        '{"t":"event","n":1,"v":"short","e":"x","p":{}}',
        '{"t":"event","n":1,"v":"zz345678901234567890123456789012","e":"x","p":{}}',
        '{"t":"ack","v":"%s","s":"1"}',
        '{"t":"refresh"}',
        '{"t":"refresh","v":"%s","c":{}}',
        '{"t":"refresh","v":"%s","c":[1]}',
        '{"t":"refresh","v":"%s","c":[""]}',
        '{"t":"refresh","v":"%s","c":["12345678901234567"]}',
        '{"t":"refresh","v":"%s","c":["é"]}',
        '{"t":"refresh","v":"%s","c":[' + ",".join(['"a"'] * 257) + "]}",
        '{"t":"refresh","v":"%s","w":1}',
        '{"t":"join"}',
        '{"t":"join","views":[]}',
        '{"t":"join","views":[{}]}',
        '{"t":"join","views":[1]}',
        '{"t":"join","views":{"0":1}}',
    ],
    ids=lambda text: text[:40],
)
async def test_frames_that_are_not_understood(native, text):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        await page.text(text.replace("%s", page.view))
        answer = await page.next()
        assert answer["t"] == "error" and answer["message"]
        assert (await page.event("increment"))["a"] == 1


async def test_five_mistakes_are_too_many(native):
    async with Page() as page:
        for _ in range(page_socket.MAX_MISTAKES):
            assert (await page.ask(t="event"))["reason"] == "not_joined"
        assert await page.closed() == 4400
        await page.send(t="ping")


async def test_joining_comes_first(native):
    async with Page() as page:
        assert (await page.ask(t="ping"))["reason"] == "not_joined"
        event = {"t": "event", "n": 1, "v": "0" * 32, "e": "increment", "p": {}}
        assert (await page.ask(**event))["reason"] == "not_joined"


@pytest.mark.parametrize(
    "params",
    [{"x": 2**64}, {"x": "\ud800"}, {"x": [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}, {"name": "x" * 65}],
    ids=["int", "surrogate", "deep", "name"],
)
async def test_parameters_that_cannot_travel_are_refused_for_good(native, params):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        name = params.pop("name", "increment")
        answer = await page.ask(t="event", n=1, v=page.view, e=name, p=params)
        assert (answer["t"], answer["n"], answer["reason"]) == ("refused", 1, "malformed")
        assert (await page.event("increment"))["a"] == 1


@pytest.mark.parametrize("text", ["x" * (64 << 10) + "x", "ü" * (33 << 10)])
async def test_a_huge_frame(native, text):
    async with Page() as page:
        await page.text(text)
        assert (await page.next())["reason"] == "too_large"
        assert await page.closed() == 1009


async def test_the_largest_frame(native):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        frame = json.dumps({"t": "ping", "x": ""})
        await page.text(frame[:-2] + "ü" * ((64 << 10) - len(frame) >> 1) + '"}')
        assert await page.next() == {"t": "pong"}


async def test_binary(native):
    async with Page() as page:
        await page.socket.send(bytes=b"\x00")
        assert (await page.next())["reason"] == "binary"
        assert await page.closed() == 1003


async def test_too_many_unanswered(broker, settings):
    settings.TROUPE = {**settings.TROUPE, "EVENT_RATE": None}
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        broker.answer = lambda kind, *_: [] if kind in (wire.EVENT, wire.REFRESH) else None
        for number in range(1, in_flight.MAX_UNANSWERED + 1):
            await page.send(t="event", n=number, v=page.view, e="increment", p={})
        await page.send(t="refresh", v=page.view)
        assert (await page.next())["reason"] == "too_many"
        assert await page.closed() == 4409


async def test_no_join_in_time(native, monkeypatch):
    monkeypatch.setattr(LiveViewConsumer, "join_timeout", 0.01)
    async with Page() as page:
        assert await page.closed() == 4408


async def test_a_browser_that_does_not_read(native, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_UNSENT_MESSAGES", 3)
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        consumer = native._subscribers[made().id].__self__
        for _ in range(4):
            consumer.send_json(t="pong")
        assert await page.closed() == 4409


@pytest.mark.parametrize(
    ("answer", "reason", "code"),
    [
        ((wire.NOT_EXECUTED, {"reason": "no_worker", "message": "m"}), "no_worker", 1013),
        ((wire.UNKNOWN, {"reason": "worker_lost", "message": "m"}), "worker_lost", 1013),
        ((wire.FAILED, {"kind": "internal", "message": "m"}), "internal", 4400),
        ((wire.PONG, {}), "internal", 1013),
    ],
)
async def test_a_join_that_fails(broker, answer, reason, code):
    (found,) = await load_tokens()
    broker.answer = lambda kind, *_: [answer] if kind == wire.JOIN else None
    async with Page() as page:
        failed = await page.join(found)
        assert (failed["t"], failed["reason"]) == ("error", reason)
        assert await page.closed() == code


async def test_a_join_that_is_forbidden(broker):
    (found,) = await load_tokens()
    broker.answer = lambda kind, *_: (
        [(wire.FAILED, {"kind": "forbidden", "message": "no"})] if kind == wire.JOIN else None
    )
    async with Page() as page:
        assert await page.join(found) == {"t": "reload", "reason": "forbidden"}


async def test_a_view_that_fails_when_mounted_afresh(native, monkeypatch):
    (found,) = await load_tokens()
    native.close()
    monkeypatch.setattr("samples.Counter.mount", lambda *_, **__: 1 / 0)
    async with Page() as page:
        joined = await page.join(found)
        assert joined["views"][0]["error"] == {"kind": "python", "message": "This part of the page could not be shown."}


async def test_a_session_that_is_lost_comes_back_as_a_new_one(broker):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as page:
        joined = await page.join(found)
        broker.sessions.clear()
        assert (await page.event("increment"))["reason"] == "unknown_session"
        assert await page.next() == {"t": "lost", "reason": "unknown_session"}
        again = await page.join(found, g=joined["views"][0]["g"])
        assert again["fresh"] is True and ">5<" in again["views"][0]["html"]
        assert ">7<" in (await page.event("increment"))["d"]["0"]["h"]


async def test_a_socket_that_breaks_while_writing(native):
    incoming, broken = asyncio.Queue(), asyncio.Event()

    async def send(message):
        if message["type"] == "websocket.send":
            broken.set()
            raise OSError("gone")

    scope = {"type": "websocket", "headers": ORIGIN, "path": "/ws/troupe/"}
    task = asyncio.ensure_future(LiveViewConsumer.as_asgi()(scope, incoming.get, send))
    incoming.put_nowait({"type": "websocket.connect"})
    incoming.put_nowait({"type": "websocket.receive", "text": "x"})
    await broken.wait()
    incoming.put_nowait({"type": "websocket.receive", "text": "y"})
    incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await task


async def test_a_page_that_goes_with_events_unanswered(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
        await page.send(t="event", n=1, v=page.view, e="increment", p={})
        await asyncio.to_thread(broker.wait_for, wire.EVENT)
    broker.push(wire.DONE, made().id, {"version": 2}, sequence=1)
    broker.push(wire.PUSH, made().id, {"frame": b"{}"})
    assert (await client.get().submit(wire.PING, wire.NO_SESSION, {})).kind == wire.PONG


async def test_answers_of_before_a_new_join_are_not_taken_for_new_ones(broker):
    (found,) = await load_tokens("/counter/5/")
    async with Page() as page:
        joined = await page.join(found)
        old = made().id
        broker.answer = lambda kind, *_: [] if kind == wire.EVENT else None
        await page.send(t="event", n=1, v=page.view, e="increment", p={})
        await asyncio.to_thread(broker.wait_for, wire.EVENT)
        broker.push(wire.ENDED, old, {"reason": "evicted"})
        assert (await page.next())["t"] == "lost"
        broker.answer = lambda *_: None
        del broker.sessions[old]
        broker.epoch += 1
        assert (await page.join(found, g=joined["views"][0]["g"]))["fresh"] is True
        broker.push(wire.UNKNOWN, old, {"reason": "worker_lost", "message": "late"}, epoch=7, sequence=1)
        assert (await page.event("increment"))["a"] == 1


async def test_a_client_that_was_closed_refuses(broker):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        client.get().close()
        refused = await page.event("increment")
        assert (refused["t"], refused["reason"]) == ("refused", "unreachable")
        await page.send(t="refresh", v=page.view)
        assert await page.next() == {**refused, "n": 0}


async def test_a_turn_that_breaks_the_runtime_is_unknown(native, monkeypatch, caplog):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        monkeypatch.setattr(fake_worker.Session, "_event", lambda *_: 1 / 0)
        answer = await page.event("increment")
        assert (answer["t"], answer["reason"]) == ("unknown", "internal")
        assert "event=event_failed" in caplog.text


async def test_a_session_that_ends_twice_and_odd_news(native):
    (found,) = await load_tokens()
    async with Page() as page:
        await page.join(found)
        consumer = native._subscribers[made().id].__self__
        consumer._push(wire.PONG, 0, wire.pack_body({}))
        consumer._push(wire.ENDED, 0, wire.pack_body({"reason": "evicted"}))
        consumer._push(wire.ENDED, 0, wire.pack_body({"reason": "evicted"}))
        assert await page.next() == {"t": "lost", "reason": "evicted"}
        assert await page.ask(t="ping") == {"t": "pong"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://testserver", True),
        ("https://testserver:8443", True),
        ("http://TESTSERVER", True),
        ("http://evil.example", False),
        ("http://testserver.evil.example", False),
        ("null", False),
        ("http://[", False),
        ("https://partner.example:99999", False),
        ("https://partner.example", True),
        ("http://partner.example", False),
        ("", False),
    ],
)
async def test_origins(settings, origin, allowed):
    settings.TROUPE = {"ORIGINS": ["https://partner.example"]}
    assert origin_allowed({"headers": [(b"origin", origin.encode())]}) is allowed


async def test_origins_with_debug_and_with_any_host(settings):
    settings.ALLOWED_HOSTS = ["*"]
    headers = [(b"origin", b"http://a.example"), (b"host", b"a.example:8000"), (b"x-forwarded-host", b"b.example")]
    assert origin_allowed({"headers": headers})
    settings.USE_X_FORWARDED_HOST = True
    assert not origin_allowed({"headers": headers})
    settings.ALLOWED_HOSTS = []
    assert not origin_allowed({"headers": []})
    settings.DEBUG = True
    assert origin_allowed({"headers": []})
    for host, allowed in (("localhost:8000", True), ("127.0.0.1", True), ("[::1]:8000", True), ("evil.example", False)):
        assert origin_allowed({"headers": [(b"origin", b"http://" + host.encode())]}) is allowed


async def test_a_foreign_origin_is_denied(native, caplog):
    socket = WebSocket(urls.application, "/ws/troupe/", headers=[(b"origin", b"http://evil.example")])
    connected, code = await socket.connect()
    assert not connected and code == 4403
    assert "event=foreign_origin" in caplog.text
    await socket.send(text="{}")
    await socket.disconnect()


async def test_sync_pages_can_be_joined_too(broker):
    response = await asyncio.to_thread(Client().get, "/counter/")
    found = re.findall(r'data-troupe="([^"]+)"', response.content.decode())
    async with Page() as page:
        assert (await page.join(*found))["t"] == "joined"
