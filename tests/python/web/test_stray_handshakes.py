"""A page's handshake that comes as an ordinary request is named, with what is wrong."""

import pytest
from django.test import AsyncClient, Client

from troupe.web import stray_handshakes

KEY = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
UPGRADE = {"Upgrade": "websocket", **KEY}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(stray_handshakes, "_told", set())


def told(caplog):
    return [record.message for record in caplog.records if "event=stray_handshake" in record.message]


@pytest.mark.parametrize(("headers", "reason"), [(KEY, "a proxy in front"), (UPGRADE, "this server speaks WSGI")])
@pytest.mark.parametrize("path", ["/ws/troupe/", "/below/a/prefix/ws/troupe/"])
def test_over_wsgi(caplog, headers, reason, path):
    for _ in range(2):
        Client(headers=headers).get(path)
    [line] = told(caplog)
    assert reason in line and path in line


@pytest.mark.parametrize(("headers", "reason"), [(KEY, "a proxy in front"), (UPGRADE, "pip install websockets")])
@pytest.mark.asyncio
async def test_over_asgi(caplog, headers, reason):
    await AsyncClient().get("/ws/troupe/", headers=headers)
    [line] = told(caplog)
    assert reason in line


@pytest.mark.parametrize(("headers", "path"), [({}, "/ws/troupe/"), (UPGRADE, "/ws/chat/")])
def test_what_is_no_handshake_of_a_page(caplog, headers, path):
    Client(headers=headers).get(path)
    assert told(caplog) == []
