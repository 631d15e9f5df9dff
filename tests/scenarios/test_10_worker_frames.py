"""Bad frames and stale epochs at a worker, from a broker that says whatever it likes."""

import random
import secrets
import shutil
import signal
import tempfile

import pytest
import raw
import zmq

from troupe import wire

SEED = secrets.randbits(32)  # of the random frames; a failing test shows it
PATH = "house.views.Counter"


@pytest.fixture
def fleet(make_fleet):
    """A fleet that lends its environment to the worker of this test."""
    return make_fleet(workers=1, web=False)


def test_stale_requests_at_the_worker(fleet):
    """A worker refuses an epoch that is not its session's, should a broker ever send it one."""
    with _Broker() as broker:
        broker.start(fleet)
        session = secrets.token_bytes(16)
        answer = broker.ask(wire.MOUNT, {"path": PATH, "params": {}}, session, epoch=(5 << 32) | 3)
        assert answer.kind == wire.MOUNTED and answer.epoch == (5 << 32) | 3
        event = {"view": answer.body["view"], "name": "increment", "params": {}}
        stale = broker.ask(wire.EVENT, event, session, epoch=(5 << 32) | 2, sequence=1)
        assert (stale.kind, stale.reason) == (wire.NOT_EXECUTED, "stale")
        assert broker.ask(wire.EVENT, event, session, epoch=(5 << 32) | 3, sequence=1).kind == wire.DONE
        # a higher one: the session was placed anew, and what was before is over
        newer = broker.ask(wire.EVENT, event, session, epoch=(5 << 32) | 4, sequence=2)
        assert (newer.kind, newer.reason) == (wire.NOT_EXECUTED, "unknown_session")
        fresh = broker.ask(wire.MOUNT, {"path": PATH, "params": {}}, session, epoch=(5 << 32) | 4)
        assert fresh.kind == wire.MOUNTED and fresh.body["last"] == 0


def test_bad_frames_from_a_broker(fleet):
    """A worker drops what does not parse, in a line, and lives on."""
    fleet.expect_log("event=message_dropped from=broker", name="alone")
    with _Broker() as broker:
        broker.start(fleet)
        generator = random.Random(SEED)
        print(f"seed {SEED}")
        for frames in ([b""], [b"", b"x"], [b"", b"x" * 40, b"\x80"], [b"c" * 33, raw.header(wire.PING), b"\x80"]):
            broker.send(*frames)
        for _ in range(500):
            count = generator.choice((1, 2, 3, 3, 4))
            broker.send(*[generator.randbytes(generator.choice((0, 1, 40, 40, 100))) for _ in range(count)])
        for kind in (raw.WELCOME, raw.HEARTBEAT, raw.REFUSED, raw.IDENTIFY, raw.REGISTER, wire.DONE, 0x99):
            broker.send(b"", raw.header(kind, sequence=0), b"\x93garbage")
        answer = broker.ask(wire.MOUNT, {"path": PATH, "params": {}}, secrets.token_bytes(16), epoch=9)
        assert answer.kind == wire.MOUNTED


class _Broker:
    """A broker of this test's own, that says whatever it likes to one worker, `alone`."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="troupe-", dir="/tmp")
        self.socket = raw._context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.address = f"ipc://{self.folder}/back"
        self.socket.bind(self.address)
        self.worker = None
        return self

    def __exit__(self, *_):
        if self.worker:
            self.worker.signal(signal.SIGTERM)
            assert self.worker.wait_exit() == 0
        self.socket.close()
        shutil.rmtree(self.folder)

    def start(self, fleet):
        """Start the worker, and welcome it."""
        back, fleet.back = fleet.back, self.address
        try:
            self.worker = fleet.start_worker("alone", wait=False)
        finally:
            fleet.back = back
            del fleet.workers["alone"]
        assert self.socket.poll(raw.PATIENCE * 1000), "the worker did not register"
        self.peer, *_ = self.socket.recv_multipart()
        self.send(b"", raw.header(raw.WELCOME, sequence=0), raw.pack({"boot": 5, "heartbeat_ms": 1000}))

    def send(self, *frames):
        """Send frames to the worker."""
        self.socket.send_multipart([self.peer, *frames])

    def ask(self, kind, body, session, **fields):
        """Send a request in a client's name; the Answer, heartbeats let by."""
        head = raw.header(kind, session, **fields)
        self.send(b"client", head, raw.pack(body))
        sequence = wire.HEADER.unpack(head)[5]
        while True:
            assert self.socket.poll(raw.PATIENCE * 1000), "no answer came"
            _, _, *frames = self.socket.recv_multipart()
            answer = raw.unpack(frames)
            if answer.sequence == sequence and answer.session == session:
                return answer
