"""What a page may ask for with a refresh, and what it may join with (PROTOCOL.md 9.2)."""

from unittest import mock

import pytest
from socket_page import Page, load_tokens

from troupe import wire
from troupe.web import frames

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_a_page_may_ask_for_many_chunks_or_for_whole_roots(broker):
    (found,) = await load_tokens()
    asked = []

    def note(kind, session, epoch, sequence, fields):
        if kind == wire.REFRESH:
            asked.append(fields)
        return None

    async with Page() as page:
        await page.join(found)
        broker.answer = note
        hashes = [f"{n:016}" for n in range(frames.MAX_CHUNKS_ASKED)]
        assert (await page.ask(t="refresh", v=page.view, c=hashes))["c"] == []
        assert "0" in (await page.ask(t="refresh", v=page.view, w=True))["d"]
        view = bytes.fromhex(page.view)
        assert asked == [{"view": view, "chunks": hashes}, {"view": view, "whole": True}]


async def test_bad_tokens(native):
    (found,) = await load_tokens()
    async with Page() as page:
        assert await page.join("forged") == {"t": "reload", "reason": "forged"}
        with mock.patch("django.core.signing.time.time", return_value=9e9):
            assert await page.join(found) == {"t": "reload", "reason": "expired"}
        renewal = (await page.join(found))["views"][0]["g"]
        assert await page.join(found, g=renewal + "x") == {"t": "reload", "reason": "forged"}
        (other,) = await load_tokens()
        assert await page.join(other, g=renewal) == {"t": "reload", "reason": "forged"}
        assert (await page.join(found, g=5))["t"] == "error"
        with mock.patch("django.core.signing.time.time", return_value=9e9):
            assert await page.join(found, g=renewal) == {"t": "reload", "reason": "expired"}
