"""Raw ZeroMQ peers for the scenarios, which may send whatever they like: a client and a worker."""

import secrets
import time
from typing import NamedTuple

import msgpack
import zmq

from troupe import wire

PATIENCE = 120  # s

REGISTER, WELCOME, REFUSED, HEARTBEAT, GOODBYE, RELEASED, IDENTIFY, RESTORE = range(0x41, 0x49)

_context = zmq.Context()


class Answer(NamedTuple):
    """A header's fields, and the body as a map."""

    kind: int
    flags: int
    session: bytes
    epoch: int
    sequence: int
    ttl: int
    body: dict

    @property
    def reason(self):
        """What a refusal, an UNKNOWN or an ENDED says."""
        return self.body.get("reason")


def header(kind, session=wire.NO_SESSION, epoch=0, sequence=None, flags=0, ttl=0, version=1):
    """The 40 bytes of a header; each field as it is given."""
    if sequence is None:
        sequence = wire.REQUEST_BIT | secrets.randbits(62)
    return wire.HEADER.pack(version, kind, flags, session, epoch, sequence, ttl)


def pack(body):
    """msgpack of anything, within no limits."""
    return msgpack.packb(body, use_bin_type=True)


def nested(depth):
    """The bytes of lists nested so deep, and of nothing in them."""
    return b"\x91" * (depth - 1) + b"\x90"


def unpack(frames):
    """The Answer that two frames are."""
    head, body = frames
    version, *fields = wire.HEADER.unpack(head)
    assert version == 1
    return Answer(*fields, wire.unpack_body(body))


class Peer:
    """A DEALER that is connected to an address. A context manager."""

    def __init__(self, address, identity=None):
        self.identity = identity or secrets.token_bytes(12)
        self.socket = _context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IDENTITY, self.identity)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        """Send a message of these frames."""
        self.socket.send_multipart(frames)

    def receive_frames(self, seconds=PATIENCE):
        """The next message, or None if none came in time."""
        return self.socket.recv_multipart() if self.socket.poll(seconds * 1000) else None


class Client(Peer):
    """A client on the front socket. `unasked` is what came in between and was no answer; `working` are the keys of
    requests that are being worked on.
    """

    def __init__(self, address):
        super().__init__(address)
        self.unasked = []
        self.working = []
        self._kept = {}

    def receive(self, seconds=PATIENCE):
        """The next message as an Answer; None if none came."""
        deadline = time.monotonic() + seconds
        while frames := self.receive_frames(max(0, deadline - time.monotonic())):
            answer = unpack(frames)
            if answer.kind != wire.WORKING:
                return answer
            self.working.append((answer.session, answer.sequence))
        return None

    def wait_working(self, key, count, seconds=PATIENCE):
        """Wait until the broker has said so often that it is being worked on. AssertionError: it was answered."""
        while self.working.count(key) < count:
            frames = self.receive_frames(seconds)
            assert frames, f"no more WORKING came for {key[1]:x} in {seconds} s"
            told = unpack(frames)
            assert told.kind == wire.WORKING, told
            self.working.append((told.session, told.sequence))

    def post(self, kind, body=None, session=wire.NO_SESSION, **fields):
        """Send a request. Its (session, sequence), for `answer_to`."""
        head = header(kind, session, **fields)
        self.send(head, body if isinstance(body, bytes) else pack(body or {}))
        return session, wire.HEADER.unpack(head)[5]

    def answer_to(self, key, seconds=PATIENCE):
        """The Answer to what `post` sent. AssertionError if none came."""
        deadline = time.monotonic() + seconds
        while key not in self._kept:
            answer = self.receive(max(0, deadline - time.monotonic()))
            assert answer, f"no answer to {key[1]:x} came in {seconds} s"
            if answer.sequence == 0:
                self.unasked.append(answer)
            else:
                self._kept[answer.session, answer.sequence] = answer
        return self._kept.pop(key)

    def ask(self, kind, body=None, session=wire.NO_SESSION, **fields):
        """Send a request; the Answer."""
        return self.answer_to(self.post(kind, body, session, **fields))

    def wait_unasked(self, kind, session, seconds=PATIENCE):
        """The first unasked message of that type for a session."""
        deadline = time.monotonic() + seconds
        while True:
            for answer in self.unasked:
                if answer.kind == kind and answer.session == session:
                    return answer
            answer = self.receive(max(0, deadline - time.monotonic()))
            assert answer, f"no message of type {kind:#x} came in {seconds} s"
            if answer.sequence == 0:
                self.unasked.append(answer)
            else:
                self._kept[answer.session, answer.sequence] = answer

    def figures(self):
        """What the broker says of itself and its workers."""
        answer = self.ask(wire.STATS)
        assert answer.kind == wire.FIGURES
        return answer.body["figures"]

    def mount(self, path, params=None, flags=wire.HTML, session=None, **more):
        """Mount a view in a session of its own; a Session. AssertionError: it was not mounted."""
        session = session or secrets.token_bytes(16)
        body = {"path": path, "params": params or {}, **more}
        answer = self.ask(wire.MOUNT, body, session, flags=flags)
        assert answer.kind == wire.MOUNTED and "view" in answer.body, answer
        return Session(self, session, answer)


class Session:
    """A session with one view, as a raw client has it."""

    def __init__(self, client, session, mounted):
        self.client = client
        self.id = session
        self.epoch = mounted.epoch
        self.view = mounted.body["view"]
        self.html = mounted.body["html"].decode()
        self.number = mounted.body["last"]

    def post(self, name, params=None, number=None, flags=wire.HTML, **fields):
        """Send an event, under the next number; its key."""
        if number is None:
            number = self.number = self.number + 1
        body = {"view": self.view, "name": name, "params": params or {}}
        fields.setdefault("epoch", self.epoch)
        return self.client.post(wire.EVENT, body, self.id, sequence=number, flags=flags, **fields)

    def event(self, name, params=None, **fields):
        """Send an event; the Answer."""
        return self.client.answer_to(self.post(name, params, **fields))

    def shutdown(self):
        """End it."""
        answer = self.client.ask(wire.SHUTDOWN, session=self.id)
        assert answer.kind == wire.ENDED, answer


class Worker(Peer):
    """A worker on the back socket that does as it is told: three frames a message, empty client for control."""

    def control(self, kind, body, session=wire.NO_SESSION, epoch=0):
        """Send a control message."""
        data = body if isinstance(body, bytes) else pack(body)
        self.send(b"", header(kind, session, epoch, sequence=0), data)

    def register(self, name, pid=1):
        """REGISTER; the broker's answer."""
        self.control(REGISTER, {"name": name, "pid": pid, "threads": 1, "version": "0"})
        return self.receive()[1]

    def receive(self, seconds=PATIENCE):
        """(client, Answer) of the next message that is no echo of a heartbeat. AssertionError if none came."""
        while True:
            frames = self.receive_frames(seconds)
            assert frames, f"nothing came from the broker in {seconds} s"
            client, *rest = frames
            answer = unpack(rest)
            if answer.kind != HEARTBEAT:
                return client, answer

    def beat(self):
        """A HEARTBEAT of an idle worker."""
        names = ("sent", "sessions", "views", "queued", "running", "busy_ms", "turns")
        self.control(HEARTBEAT, dict.fromkeys(names, 0))

    def reply(self, client, request, kind, body, epoch=None):
        """Answer a request that came."""
        epoch = request.epoch if epoch is None else epoch
        self.send(client, header(kind, request.session, epoch, request.sequence), pack(body))
