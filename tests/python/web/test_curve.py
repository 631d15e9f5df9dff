"""Keys for tcp:// addresses: which are wanted, what is in their files, and what becomes of those that are refused."""

import asyncio
import sys
import threading

import pytest
import zmq
import zmq.auth
from zmq.utils import z85

from troupe import checks, wire
from troupe.errors import ActorError
from troupe.web import curve
from troupe.web.transport import client, connection


@pytest.fixture
def files(tmp_path):
    """Paths of a broker's and a client's key files."""
    for name in ("broker", "web", "stranger"):
        zmq.auth.create_certificates(tmp_path, name)
    return tmp_path


def secret(files, name="web"):
    return str(files / f"{name}.key_secret")


def public(files, name="broker"):
    return str(files / f"{name}.key")


def test_addresses_that_need_none(files):
    for address in ("ipc:///run/front", "tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://[::1]:1", "inproc://"):
        assert curve.load(address, None, None) is None
    assert curve.load("ipc:///run/front", "/nowhere", None) is None  # not even read


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:1", "tcp://broker.example.org:1", "tcp://[fe80::1]:1", "tcp://"])
def test_addresses_off_the_loopback_need_them(address):
    with pytest.raises(curve.KeysError, match="off the loopback requires keys"):
        curve.load(address, None, None)


def test_one_without_the_other(files):
    for pair in ((secret(files), None), (None, public(files))):
        with pytest.raises(curve.KeysError, match="or neither"):
            curve.load("tcp://127.0.0.1:1", *pair)


def test_files(files):
    found = curve.load("tcp://10.0.0.1:1", secret(files), public(files))
    assert (found.public, found.secret) == zmq.auth.load_certificate(secret(files))
    assert found.server == zmq.auth.load_certificate(public(files))[0]
    (files / "short").write_text('public-key = "x"\n')
    (files / "odd").write_text("public-key\n")
    (files / "empty").write_text("")
    for key, expected in (
        (public(files, "web"), "_secret"),
        (str(files / "none"), "no such file"),
        (str(files), "Is a directory"),
        (str(files / "short"), "not a key file"),
        (str(files / "odd"), "not a key file"),
        (str(files / "empty"), "not a key file"),
    ):
        with pytest.raises(curve.KeysError, match=expected):
            curve.load("tcp://10.0.0.1:1", key, public(files))


class Guarded:
    """A ROUTER with CURVE, and whoever is in `allowed`; it answers every message with PONG."""

    def __init__(self, files):
        self.allowed = {zmq.auth.load_certificate(public(files, "web"))[0]}
        self.context = zmq.Context()
        self.zap = self.context.socket(zmq.REP)
        self.zap.bind("inproc://zeromq.zap.01")
        self.router = self.context.socket(zmq.ROUTER)
        self.router.curve_server = True
        self.router.curve_publickey, self.router.curve_secretkey = zmq.auth.load_certificate(secret(files, "broker"))
        self.router.zap_domain = b"front"
        self.router.bind("tcp://127.0.0.1:*")
        self.address = self.router.getsockopt_string(zmq.LAST_ENDPOINT)
        self.refused = threading.Event()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        poller = zmq.Poller()
        poller.register(self.zap, zmq.POLLIN)
        poller.register(self.router, zmq.POLLIN)
        while not self.stop.is_set():
            ready = dict(poller.poll(20))
            if self.zap in ready:
                version, number, *_, key = self.zap.recv_multipart()
                good = z85.encode(key) in self.allowed
                self.zap.send_multipart([version, number, b"200" if good else b"400", b"", b"", b""])
                if not good:
                    self.refused.set()
            if self.router in ready:
                name, head, _ = self.router.recv_multipart()
                _, _, _, session, epoch, sequence, _ = wire.unpack_header(head)
                reply = wire.pack_header(wire.PONG, 0, session, epoch, sequence, 0)
                self.router.send_multipart([name, reply, wire.pack_body({})])

    def close(self):
        self.stop.set()
        self.thread.join()
        self.context.destroy(0)


@pytest.fixture
def guarded(files):
    broker = Guarded(files)
    yield broker
    broker.close()


def set_keys(settings, address, key=None, server=None):
    settings.TROUPE = {"BROKER": address, "KEY": key, "SERVER_KEY": server}


async def ask():
    """A PING, and its reply."""
    return (await client.get().submit(wire.PING, wire.NO_SESSION, {})).kind


async def until_refused():
    """Lets the loop run until the client has been told why it is not let in, however slow the machine is."""
    connected = client.get()
    while connected._connection.refusal is None:
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_key_that_is_allowed(files, guarded, settings):
    set_keys(settings, guarded.address, secret(files), public(files))
    assert await ask() == wire.PONG
    first = client.get()
    set_keys(settings, guarded.address, secret(files, "stranger"), public(files))
    assert client.get() is not first
    client.get().close()


@pytest.mark.asyncio
async def test_a_key_that_is_not_known_and_then_is(files, guarded, settings, monkeypatch, caplog):
    monkeypatch.setattr(client, "CONNECT_WAIT", 0.3)
    monkeypatch.setattr(connection, "RETRY_AFTER", 0.02)
    set_keys(settings, guarded.address, secret(files, "stranger"), public(files))
    await until_refused()
    with pytest.raises(ActorError, match="does not know this key") as error:
        await ask()
    assert error.value.kind == "unreachable" and error.value.outcome == "not_executed"
    assert len([text for text in caplog.messages if text.startswith("event=refused_by_broker")]) == 1
    guarded.allowed.add(zmq.auth.load_certificate(public(files, "stranger"))[0])
    monkeypatch.setattr(client, "CONNECT_WAIT", 20)
    assert await ask() == wire.PONG
    client.get().close()


@pytest.mark.asyncio
async def test_closing_while_it_is_tried_again(files, guarded, settings):
    set_keys(settings, guarded.address, secret(files, "stranger"), public(files))
    connected = client.get()
    await asyncio.to_thread(guarded.refused.wait, 20)
    while connected._connection._retry is None:
        await asyncio.sleep(0)
    connected.close()
    assert connected._connection._retry is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("key", "server", "expected"),
    [(None, None, "requires keys"), ("web", "stranger", "SERVER_KEY")],
    ids=["no key", "another broker's key"],
)
async def test_the_wrong_keys(files, guarded, settings, monkeypatch, key, server, expected):
    monkeypatch.setattr(client, "CONNECT_WAIT", 0.3)
    set_keys(settings, guarded.address, key and secret(files, key), server and public(files, server))
    await until_refused()
    with pytest.raises(ActorError, match=expected):
        await ask()
    client.get().close()


@pytest.mark.asyncio
async def test_keys_that_cannot_be_had(settings):
    set_keys(settings, "tcp://10.0.0.1:1")
    with pytest.raises(ActorError, match="off the loopback requires keys") as error:
        client.get()
    assert error.value.kind == "unreachable"


def test_keys_where_none_are_wanted():
    found = curve.Keys(b"", b"", b"")
    assert curve.refusal(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, found) == "the broker uses no keys on this address"
    assert curve.refusal(zmq.EVENT_HANDSHAKE_SUCCEEDED, found) is None


def test_check_says_what_is_wrong(files, guarded, settings, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    monkeypatch.setattr(checks.reach, "__defaults__", (None, 20000))
    set_keys(settings, "tcp://10.0.0.1:1")
    (found,) = checks.check_transport()
    assert found.id == "troupe.E011" and "off the loopback requires keys" in found.msg
    set_keys(settings, guarded.address, secret(files), public(files))
    assert checks.check_transport() == []
    set_keys(settings, guarded.address, secret(files, "stranger"), public(files))
    (found,) = checks.check_transport()
    assert found.id == "troupe.W008" and "does not know this key" in found.msg
    settings.TROUPE = {"KEY": 5, "SERVER_KEY": files}
    assert [found.id for found in checks.check_settings()] == ["troupe.E004"]
