"""Page tokens and Origins: forged, expired, foreign, used twice, too late, renewed."""

import time
from unittest import mock

import pytest
import raw
from browser import Page, Visitor
from websockets.exceptions import InvalidStatus

from troupe import wire


def tokens_of(visitor, path="/counter/1/"):
    """The tokens of a page that was loaded and not joined."""
    return visitor.get(path).roots.tokens


def contents(text):
    """What a token says, its signature left unlooked at."""
    from django.core import signing

    return signing.loads(text, salt="troupe.page", serializer=_serializer(), max_age=None)


def sign(values):
    """A token, signed as Django does."""
    from troupe.web import page_token

    return page_token.sign(values)


def _serializer():
    from troupe.web.page_token import _Serializer

    return _Serializer


def refused(fleet, visitor, tokens, reason):
    """A join with these tokens is answered `reload`, with one line in the log."""
    fleet.expect_log(f"event=bad_token reason={reason}", times=1, name="web")
    with Page(visitor, tokens) as page:
        assert page.join() == {"t": "reload", "reason": reason}
        number = page.number = 1
        page.send(t="event", n=number, v="0" * 32, e="increment", p={})
        frame = page.receive()
        assert (frame["t"], frame["reason"]) == ("refused", "unknown_session")


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: ("A" if text[0] != "A" else "B") + text[1:],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(":", ""),
        lambda text: "." + text,
        lambda text: text + "\0",
        lambda text: "ä" * 100,
        lambda text: "9" * 60_000,
        lambda text: ":".join(["", *text.split(":")[1:]]),
    ],
    ids=range(11),
)
def test_forged(fleet, visitor, bystander, forge):
    refused(fleet, visitor, [forge(tokens_of(visitor)[0])], "forged")


def test_signed_with_another_key(fleet, visitor, troupe):
    from django.test import override_settings

    values = contents(tokens_of(visitor)[0])
    with override_settings(SECRET_KEY="another"):
        refused(fleet, visitor, [sign(values)], "forged")


def test_signed_for_another_purpose(fleet, visitor, troupe):
    from django.core import signing

    values = contents(tokens_of(visitor)[0])
    refused(fleet, visitor, [signing.dumps(values, salt="other", serializer=_serializer(), compress=True)], "forged")


def test_expired(fleet, visitor, troupe):
    with mock.patch("time.time", return_value=time.time() - 86_400 - 60):
        old = sign(contents(tokens_of(visitor)[0]))
    refused(fleet, visitor, [old], "expired")


def test_foreign(fleet, bystander):
    ann, bob = Visitor(fleet.port), Visitor(fleet.port)
    ann.get("/login/ann/")
    bob.get("/login/bob/")
    refused(fleet, bob, tokens_of(ann), "foreign")


def test_foreign_to_somebody_without_a_session(fleet):
    ann = Visitor(fleet.port)
    ann.get("/login/ann/")
    refused(fleet, Visitor(fleet.port), tokens_of(ann), "foreign")


def test_same_person_in_another_browser_is_foreign(fleet):
    visitor, other = Visitor(fleet.port), Visitor(fleet.port)
    visitor.get("/login/ann/")
    other.get("/login/ann/")
    refused(fleet, other, tokens_of(visitor), "foreign")


def test_used_twice_the_second_gets_a_view_of_its_own(fleet, visitor):
    tokens = tokens_of(visitor)
    with Page(visitor, tokens) as first, Page(visitor, tokens) as second:
        assert first.join()["fresh"] is False
        assert ">2<" in first.shows("increment")
        joined = second.join()
        assert joined["t"] == "joined" and joined["fresh"] is True and joined["n"] == 0
        assert "<output>1</output>" in joined["views"][0]["html"]
        assert ">2<" in second.shows("increment") and ">3<" in second.shows("increment")
        assert ">3<" in first.shows("increment")  # its own third state, not the other's
        assert not first.unasked and not second.unasked


def test_used_twenty_times(fleet, visitor, client):
    """Five get views of their own; the others are told when to come, and one more may each 15 s."""
    tokens = tokens_of(visitor)
    pages = [Page(visitor, tokens) for _ in range(20)]
    answers = [page.join() for page in pages]
    assert [frame["t"] for frame in answers[:5]] == ["joined"] * 5
    later = [frame for frame in answers[5:] if frame["t"] != "joined"]
    assert len(later) >= 10  # or this machine took minutes
    assert all(frame["reason"] == "busy" and 0 < frame["retry_ms"] <= 15_000 for frame in later)
    for page in pages[:5]:
        assert ">2<" in page.shows("increment")
    for page in pages:
        page.connection.close()


def test_too_late(fleet, visitor, client, troupe):
    """The session that waited is gone: a fresh mount, from what the token says."""
    tokens = tokens_of(visitor)
    assert client.ask(wire.SHUTDOWN, session=contents(tokens[0])["session"]).kind == wire.ENDED
    with Page(visitor, tokens) as page:
        joined = page.join()
        assert joined["fresh"] is True
        assert "<output>1</output>" in joined["views"][0]["html"]
        assert ">2<" in page.shows("increment")


def test_renewed_token_keeps_the_state(visitor):
    with visitor.open("/counter/1/") as page:
        for count in range(2, 6):
            assert f">{count}<" in page.shows("increment")
            used = list(page.renewals)
            joined = page.reconnect()
            assert joined["fresh"] is False and joined["n"] == count - 1
            assert "html" not in joined["views"][0]
            assert page.renewals != used


def test_page_that_missed_a_patch_is_sent_it(visitor):
    with visitor.open("/counter/1/") as page:
        shown = page.versions[0]
        page.shows("increment")
        page.versions[0] = shown
        joined = page.reconnect()
        assert joined["fresh"] is False
        assert ">2<" in joined["views"][0]["html"]
        assert joined["views"][0]["s"] > shown


def test_reply_that_was_lost_with_the_socket_is_sent_again(visitor):
    with visitor.open("/counter/1/") as page:
        number = page.post("increment")
        page.answer_to(number)
        page.reconnect()
        page.send(t="event", n=number, v=page.views[0], e="increment", p={})
        frame = page.answer_to(number)
        assert frame["d"] == {"2": "2"}
        page.number = number
        assert ">3<" in page.shows("increment")


def test_tokens_of_different_pages_cannot_be_mixed(fleet, visitor):
    tokens = tokens_of(visitor) + tokens_of(visitor)
    fleet.expect_log("event=bad_frame reason=tokens", times=1, name="web")
    with Page(visitor, tokens) as page:
        assert page.join()["reason"] == "tokens"


def test_one_token_twice_in_a_join(fleet, visitor):
    fleet.expect_log("event=bad_frame reason=tokens", times=1, name="web")
    with Page(visitor, tokens_of(visitor) * 2) as page:
        assert page.join()["reason"] == "tokens"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1.evil.example", "null", "file://", "http://", None],
)
def test_foreign_origin(fleet, visitor, bystander, origin):
    fleet.expect_log("event=foreign_origin", times=1, name="web")
    with pytest.raises(InvalidStatus) as caught:
        visitor.socket(origin=origin)
    assert caught.value.response.status_code == 403


def test_view_paths_do_not_come_from_the_browser(fleet, visitor):
    """What a join says besides its tokens counts for nothing."""
    with Page(visitor, []) as page:
        page.tokens = tokens_of(visitor)
        page.send(
            t="join",
            path="house.views.Where",
            views=[{"token": page.tokens[0], "path": "house.views.Where", "params": {"start": 9}, "view": "0" * 32}],
        )
        joined = page.receive()
        assert joined["t"] == "joined"
        page.views, page.numbers = [joined["views"][0]["v"]], [joined["views"][0]["i"]]
        page.number, page.versions = 0, [1]
        assert "<h1>counter</h1><output>2</output>" in page.shows("increment")


def test_signed_token_for_no_view(fleet, visitor, troupe):
    """Signed well, but the view is gone since (a deploy, say): a clear error for that view."""
    values = contents(tokens_of(visitor)[0])
    values.update(path="house.views.Gone", session=b"n" * 16)
    fleet.expect_log("event=view_not_joined view=house.views.Gone kind=view_refused", times=1, name="web")
    with Page(visitor, [sign(values)]) as page:
        joined = page.join()
        assert joined["views"][0]["error"]["kind"] == "view_refused"


def test_authorize_is_asked_at_the_join(fleet, visitor, troupe):
    """A token that somebody has for a view they may not see (any more)."""
    values = contents(tokens_of(visitor)[0])
    values.update(path="house.views.Members", params={}, session=b"m" * 16, view=b"v" * 16)
    fleet.expect_log("event=page_refused view=house.views.Members kind=forbidden", times=1, name="web")
    with Page(visitor, [sign(values)]) as page:
        joined = page.join()
        assert (joined["t"], joined["reason"]) == ("reload", "forbidden"), joined
        assert "views" not in joined


def test_session_of_another_identity_cannot_be_joined(fleet, client):
    """In the worker too: a JOIN whose identity is not the session's is forbidden."""
    session = client.mount("house.views.Counter", identity=b"a" * 16)
    views = [{"view": session.view, "version": 1, "path": "house.views.Counter", "params": {}}]
    body = {"generation": 0, "views": views, "request": {}, "identity": b"b" * 16}
    with raw.Client(fleet.front) as other:
        answer = other.ask(wire.JOIN, body, session.id)
    assert (answer.kind, answer.body["kind"]) == (wire.FAILED, "forbidden")
    assert session.event("increment").kind == wire.DONE
    session.shutdown()
