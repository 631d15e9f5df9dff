"""tcp:// with keys: whoever is allowed gets in, nobody else does and is told so, and nobody can read along."""

import shutil
import socket
import subprocess
import threading

import pytest
import raw
import zmq
import zmq.auth
from browser import Visitor
from fleet import BUILD, wait_until
from supervised import TROUPE, Supervised

from troupe import wire

ANY = "tcp://127.0.0.1:*"
PATH = b"house.views.Counter"  # stands in every MOUNT


class Keys:
    """Key files of a broker, of workers and of Django, made by `troupe keygen`; who is allowed is in `allow`."""

    def __init__(self, folder):
        self.folder = folder
        self.allow = folder / "allow"
        for name in ("clients", "workers"):
            (self.allow / name).mkdir(parents=True)
        for name in ("broker", "web", "worker", "stranger"):
            subprocess.run([TROUPE, "keygen", name, "--out", folder], check=True, stdout=subprocess.DEVNULL)
        self.let("web", "clients")
        self.let("worker", "workers")

    def let(self, name, where):
        """Allow that key there."""
        shutil.copy(self.public(name), self.allow / where)

    def public(self, name):
        """The path of a public key."""
        return str(self.folder / f"{name}.cert")

    def secret(self, name):
        """The path of a secret one."""
        return str(self.folder / f"{name}.cert_secret")

    @property
    def broker(self):
        """A broker's arguments."""
        return ["--key", self.secret("broker"), "--allow", str(self.allow)]

    def worker(self, name="worker"):
        """A worker's."""
        return ["--key", self.secret(name), "--server-key", self.public("broker")]

    def django(self, name="web"):
        """Django's environment."""
        return {"TROUPE_KEY": self.secret(name), "TROUPE_SERVER_KEY": self.public("broker")}

    def client(self, address, name="web"):
        """A raw client that shows this key."""
        return Client(address, self.secret(name), self.public("broker"))


class Client(raw.Client):
    """A raw client with keys."""

    def __init__(self, address, secret, server):
        self._keys = zmq.auth.load_certificate(secret), zmq.auth.load_certificate(server)
        super().__init__("inproc://nobody")
        self.socket.disconnect("inproc://nobody")
        (self.socket.curve_publickey, self.socket.curve_secretkey), (self.socket.curve_serverkey, _) = self._keys
        self.socket.connect(address)


class Ear:
    """A TCP forwarder in front of an address. `heard` is all that went through it."""

    def __init__(self, address):
        self.target = (address.split("/")[2].rpartition(":")[0], int(address.rpartition(":")[2]))
        self.heard = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
            except OSError:
                return
            self.sockets += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source, sink):
        try:
            while data := source.recv(65536):
                self.heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """End it, and what goes through it."""
        for end in self.sockets:
            end.close()


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path)


@pytest.fixture
def over_tcp(make_fleet):
    """A function that starts a broker on tcp:// addresses; a Fleet without workers, and its addresses known."""
    ears = []

    def make(*options, listen=False):
        fleet = make_fleet(workers=0, web=False, broker=options)
        fleet.front = fleet.back = ANY
        fleet.start_broker()
        for side in ("front", "back"):
            address = fleet.broker.wait_line(rf"event=bound side={side} address=(\S+)")[1]
            if listen:
                ears.append(Ear(address))
                address = ears[-1].address
            setattr(fleet, side, address)
        fleet.ears = ears
        return fleet

    yield make
    for ear in ears:
        ear.close()


def test_a_page_over_tcp_that_nobody_reads_along(over_tcp, keys):
    fleet = over_tcp(*keys.broker, listen=True)
    fleet.start_worker("w1", *keys.worker())
    fleet.port = fleet.start_web("web", **keys.django())
    with Visitor(fleet.port).open("/counter/4/") as page:
        assert ">5<" in page.shows("increment")
    for ear in fleet.ears:
        assert len(ear.heard) > 1000
        assert b"CURVE" in ear.heard
        for text in (PATH, b"increment", b"dj-root"):
            assert text not in ear.heard


def test_without_keys_the_same_could_be_read(over_tcp):
    fleet = over_tcp(listen=True)
    fleet.start_worker("w1")
    with raw.Client(fleet.front) as client:
        client.mount(PATH.decode())
    assert all(PATH in ear.heard for ear in fleet.ears)


def test_a_client_that_is_not_known_and_then_is(over_tcp, keys):
    fleet = over_tcp(*keys.broker)
    fleet.start_worker("w1", *keys.worker())
    fleet.expect_log("event=peer_refused side=front .*not in the allow list", name="broker")
    with keys.client(fleet.front, "stranger") as refused:
        refused.send(raw.header(wire.PING), raw.pack({}))
        fleet.broker.wait_line("event=peer_refused side=front")
        assert not refused.socket.poll(0)
    output = fleet.manage("check", check=False, **keys.django("stranger"))
    assert "does not know this key" in output.stderr
    ask = "from troupe.sync import create_session_actor as a; x = a('one'); "
    ask += "print(x.mount('house.views.Counter', {})['html']); x.shutdown()"
    assert "does not know this key" in fleet.manage("shell", "-c", ask, check=False, **keys.django("stranger")).stderr
    keys.let("stranger", "clients")
    assert "<" in fleet.manage("shell", "-c", ask, **keys.django("stranger")).stdout


def test_a_key_that_is_taken_away(over_tcp, keys):
    fleet = over_tcp(*keys.broker)
    fleet.expect_log("event=peer_refused side=front .*not in the allow list", name="broker")
    with keys.client(fleet.front) as client:
        assert client.ask(wire.PING).kind == wire.PONG
        (keys.allow / "clients" / "web.cert").unlink()

        def refused():
            with keys.client(fleet.front) as late:
                late.send(raw.header(wire.PING), raw.pack({}))
                late.socket.poll(100)
            return "event=peer_refused" in fleet.broker.text()

        wait_until(refused, "a new connection to be refused")
        assert client.ask(wire.PING).kind == wire.PONG  # who is in, is in


def test_workers_that_may_not_join(over_tcp, keys):
    fleet = over_tcp(*keys.broker)
    for reason in ("no CURVE key", "key not in the allow list"):
        fleet.expect_log(f"event=peer_refused side=back .*{reason}", name="broker")
    bare = fleet.start_worker("bare", wait=False)
    bare.wait_line("event=refused_by_broker .*requires keys")
    client = fleet.start_worker("client", *keys.worker("web"), wait=False)  # Django's key makes no worker
    client.wait_line("event=refused_by_broker .*does not know this key")
    fleet.start_worker("good", *keys.worker())
    with keys.client(fleet.front) as peer:
        assert [worker["name"] for worker in peer.figures()["workers"]] == ["good"]
    keys.let("web", "workers")
    client.wait_line("event=registered")
    assert client.text().count("event=refused_by_broker") == 1


def test_a_worker_that_takes_another_for_the_broker(over_tcp, keys):
    fleet = over_tcp(*keys.broker)
    fleet.expect_log("event=peer_refused side=back .*wrong server key", name="broker")
    options = ["--key", keys.secret("worker"), "--server-key", keys.public("stranger")]
    fleet.start_worker("w1", *options, wait=False).wait_line("event=refused_by_broker .*--server-key")


@pytest.mark.parametrize(
    ("program", "options", "expected"),
    [
        ("broker", ["--front", "tcp://0.0.0.0:1", "--back", ANY], "requires --key and --allow"),
        ("broker", ["--front", ANY, "--back", "tcp://10.1.2.3:1"], "requires --key and --allow"),
        ("broker", ["--front", ANY, "--back", ANY, "--key", "x"], "must be given together"),
        ("worker", ["--back", "tcp://10.1.2.3:1"], "requires keys"),
        ("worker", ["--back", "tcp://broker.example.org:1", "--key", "x"], "requires keys"),
    ],
)
def test_off_the_loopback_nothing_goes_without_keys(program, options, expected):
    done = subprocess.run([BUILD / program / f"troupe-{program}", *options], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and expected in done.stderr


def free_port():
    """A port that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def test_troupe_up_with_keys(tmp_path, database, keys):
    front, back = f"tcp://0.0.0.0:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    options = ["--front", front, "--back", back, *keys.broker]
    with Supervised(tmp_path / "up", database, *options, workers=1) as process:
        assert process.status()["front"] == process.fleet.front  # this machine's own need no keys
        process.fleet.back = back
        process.fleet.start_worker("far", *keys.worker())
        with raw.Client(process.fleet.front) as near, keys.client(front.replace("0.0.0.0", "127.0.0.1")) as far:
            assert {worker["name"] for worker in near.figures()["workers"]} == {"worker-1.1", "far"}
            far.mount(PATH.decode()).shutdown()
        process.fleet.workers["far"].process.terminate()
        process.fleet.workers["far"].wait_exit()


def own_address():
    """An IPv4 address of this machine that is not the loopback's; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            found = probe.getsockname()[0]
        except OSError:
            return None
    return None if found.startswith("127.") else found


def test_a_pid_of_another_machine_means_nothing_here(over_tcp, keys):
    address = own_address()
    if not address:
        pytest.skip("this machine has the loopback only")
    process = subprocess.Popen(["true"])
    process.wait()
    fleet = over_tcp("--back", f"tcp://{address}:*", *keys.broker)
    far = fleet.broker.wait_line(rf"event=bound side=back address=(tcp://{address}:\d+)")[1]
    with keys.client(far, "worker") as peer, keys.client(fleet.front) as client:
        hello = {"name": "far", "pid": process.pid, "threads": 1, "version": "0"}
        peer.send(b"", raw.header(raw.REGISTER, sequence=0), raw.pack(hello))
        assert peer.socket.poll(120000)
        assert raw.unpack(peer.socket.recv_multipart()[1:]).kind == raw.WELCOME
        client.post(wire.EXITED, {"pid": process.pid})
        (worker,) = client.figures()["workers"]
        assert worker["elsewhere"] is True and worker["pid"] == process.pid


def test_keygen(tmp_path):
    def keygen(*options):
        return subprocess.run([TROUPE, "keygen", *options], capture_output=True, text=True, timeout=300, cwd=tmp_path)

    assert keygen("web", "--out", "keys").returncode == 0
    public, secret = tmp_path / "keys" / "web.cert", tmp_path / "keys" / "web.cert_secret"
    assert secret.stat().st_mode & 0o777 == 0o600 and public.stat().st_mode & 0o777 == 0o644
    key, own = zmq.auth.load_certificate(secret)
    assert zmq.auth.load_certificate(public) == (key, None) and zmq.curve_public(own) == key
    before = secret.read_bytes()
    again = keygen("web", "--out", "keys")
    assert again.returncode == 1 and "never overwritten" in again.stderr and secret.read_bytes() == before
    for name in ("../web", ".web", "a b", ""):
        assert keygen(name).returncode == 1
    assert keygen("a", "b").returncode == 2
    assert keygen().returncode == 0 and len(list(tmp_path.glob("*.cert_secret"))) == 1
