"""E: the files of a store are truncated, overwritten, bit-flipped, replaced, removed and filled up. The broker starts
with the sound part, logs what was damaged and where it was set aside, and never serves wrong or invented state.
"""

import collections
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess

import pytest
import raw
from browser import Visitor
from fleet import BUILD, Fleet, wait_until
from supervised import Supervised

from troupe import wire

HEAD = struct.Struct("<IIQQ16sIIQ")  # of a record in the journal: broker/store/journal_internal.h
MAGIC, COMMIT, PAGE = 0x324A7254, 0x100, 4096
SESSIONS, NUMBERS = 8, ["0", "1", "2"]
WHOLE, OLDER = [*NUMBERS, "9"], "older than it was"
BROKER = BUILD / "broker" / "troupe-broker"
DAMAGED = "event=(store_damaged|journal_torn|journal_missing)"

Record = collections.namedtuple("Record", "at session kind size")
Stored = collections.namedtuple("Stored", "folder ids views")


def records(path):
    """The records of the newest generation in a journal."""
    data, at, found = path.read_bytes(), 0, []
    while at + HEAD.size <= len(data):
        magic, _, _, _, session, kind, _, size = HEAD.unpack_from(data, at)
        if magic != MAGIC:
            break
        found.append(Record(at, session, kind, size))
        at += HEAD.size + size
    return found


def entries(path):
    """Those of sessions."""
    return [record for record in records(path) if record.kind != COMMIT]


def fill(folder, database):
    """A store as a fleet that was killed leaves it, with sessions in its tables and in its journal."""
    keep = folder / "sessions"
    with Fleet(folder, workers=1, web=False, database=database, broker=["--keep", keep]) as fleet:
        with raw.Client(fleet.front) as client:
            sessions = [client.mount("house.kept.History") for _ in range(SESSIONS)]
            for session in sessions:
                session.event("append", {"number": 0})
            wait_until(lambda: not entries(keep / "journal"), "the journal to be taken into the tables")
            for number in (1, 2):
                for session in sessions:
                    session.event("append", {"number": number})
            fleet.broker.signal(signal.SIGKILL)
            fleet.broker.wait_exit()
        fleet.workers["w1"].signal(signal.SIGKILL)
        fleet.workers["w1"].wait_exit()
    return Stored(keep, [session.id for session in sessions], [session.view for session in sessions])


@pytest.fixture(scope="module")
def template(tmp_path_factory, database):
    """A filled store. The broker brings its tables up to date each second: one with something left in the journal."""
    for number in range(100):
        stored = fill(tmp_path_factory.mktemp(f"stored{number}"), database)
        if len({entry.session for entry in entries(stored.folder / "journal")}) >= SESSIONS // 2:
            return stored
    raise AssertionError("the journal is always empty")


@pytest.fixture
def stored(template, tmp_path):
    """A copy of it, to be damaged."""
    keep = tmp_path / "store" / "sessions"
    shutil.copytree(template.folder, keep)
    return template._replace(folder=keep)


def looks(fleet, stored):
    """What each session shows, from a worker that had none of them; None: it is not stored. OLDER: it was not
    shown, as its next event does not follow.
    """
    with raw.Client(fleet.front) as client:
        return [look(client, *pair) for pair in zip(stored.ids, stored.views, strict=True)]


def look(client, session, view):
    """What one shows, by the answer to an event that adds 9. None, OLDER: see `looks`."""
    body = {"view": view, "name": "append", "params": {"number": 9}}
    for number in range(1, 10):
        answer = client.ask(wire.EVENT, body, session, sequence=number + len(NUMBERS), flags=wire.HTML)
        if answer.kind == wire.DONE:
            return re.search(r"<p>(.*?)</p>", answer.body["html"].decode())[1].split()
        if answer.reason == "unknown_session":
            return None
        if answer.reason == "gap":
            return OLDER
        assert answer.reason == "no_worker", answer
    raise AssertionError("no worker")


def start(make_fleet, stored, *expected):
    """A fleet with that store, whose broker says that."""
    fleet = make_fleet(workers=1, web=False, broker=["--keep", stored.folder])
    for pattern in expected:
        fleet.expect_log(pattern, name="broker")
    return fleet


def set_aside(stored, why="damaged"):
    """The folders beside the store."""
    return sorted(stored.folder.parent.glob(f"sessions.{why}-*"))


def check(fleet, stored, least=0, most=SESSIONS):
    """Each session is as it was, or is not there; so many are."""
    shown = looks(fleet, stored)
    assert all(state in (None, WHOLE) for state in shown), shown
    assert least <= shown.count(WHOLE) <= most, shown
    return shown


def overwrite(path, at, data):
    """Write over a part of a file."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def flip(path, at, bit):
    """Turn a bit over."""
    overwrite(path, at, bytes([path.read_bytes()[at] ^ 1 << bit]))


# --- the tables


@pytest.mark.parametrize(
    "cut", ["to nothing", "to a byte", "to a page", "to two pages", "in the middle", "a page short"]
)
def test_tables_that_are_cut_off(make_fleet, stored, cut):
    path = stored.folder / "data.mdb"
    size = path.stat().st_size
    sizes = {"to nothing": 0, "to a byte": 1, "to a page": PAGE, "to two pages": 2 * PAGE, "in the middle": size // 2}
    os.truncate(path, sizes.get(cut, size - PAGE))
    fleet = make_fleet(workers=1, web=False, broker=["--keep", stored.folder])
    if cut != "a page short" or set_aside(stored):  # that page may have been free
        fleet.expect_log("event=store_damaged file=data.mdb ", name="broker")
    check(fleet, stored)


def test_tables_that_lack_a_byte(make_fleet, stored):
    path = stored.folder / "data.mdb"
    os.truncate(path, path.stat().st_size - 1)
    check(start(make_fleet, stored), stored, least=SESSIONS)


def test_tables_that_grew(make_fleet, stored):
    with open(stored.folder / "data.mdb", "ab") as file:
        file.write(random.Random(1).randbytes(3 * PAGE + 7))
    check(start(make_fleet, stored), stored, least=SESSIONS)
    assert not set_aside(stored)


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("damage", ["zeros", "flipped"])
def test_a_meta_page(make_fleet, stored, page, damage):
    """Either leads to all that there is."""
    path = stored.folder / "data.mdb"
    if damage == "zeros":
        overwrite(path, page * PAGE, bytes(PAGE))
    else:
        flip(path, page * PAGE + 16, 3)  # its magic number
    fleet = start(make_fleet, stored, "event=store_damaged file=data.mdb .*set_aside=")
    check(fleet, stored, least=SESSIONS)
    assert len(set_aside(stored)) == 1


def test_what_is_no_database(make_fleet, stored):
    (stored.folder / "data.mdb").write_bytes(b"#!/bin/sh\n" * 1000)
    fleet = start(make_fleet, stored, "event=store_damaged file=data.mdb .*set_aside=")
    check(fleet, stored)
    assert (set_aside(stored)[0] / "data.mdb").read_bytes().startswith(b"#!/bin/sh")


@pytest.mark.parametrize("name", ["data.mdb", "journal"])
def test_folders_in_place_of_files(make_fleet, stored, name):
    (stored.folder / name).unlink()
    (stored.folder / name).mkdir()
    fleet = start(make_fleet, stored, f'event=store_damaged file={name} reason="not a regular file"')
    looks(fleet, stored)
    assert (set_aside(stored)[0] / name).is_dir()


def test_a_file_in_place_of_the_store(make_fleet, stored):
    shutil.rmtree(stored.folder)
    stored.folder.write_text("no folder")
    fleet = start(make_fleet, stored, 'event=store_damaged reason="the store is not a directory"')
    check(fleet, stored, most=0)


def test_a_lock_file_means_nothing(make_fleet, stored):
    (stored.folder / "lock.mdb").write_bytes(b"\xde\xad" * 4000)
    check(start(make_fleet, stored), stored, least=SESSIONS)
    assert not set_aside(stored)


# --- the journal


def test_garbage_in_a_journal(make_fleet, stored):
    """One record's content: that session is named and dropped, whatever stands behind is kept."""
    path = stored.folder / "journal"
    chosen = entries(path)[len(entries(path)) // 2]
    overwrite(path, chosen.at + HEAD.size, random.Random(2).randbytes(chosen.size))
    lost = chosen.session.hex()
    fleet = start(
        make_fleet,
        stored,
        f"event=store_damaged file=journal session={lost}",
        f"event=store_damaged file=journal offset={chosen.at} bytes={HEAD.size + chosen.size} ",
        "event=store_damaged file=journal .*sessions_dropped=1 set_aside=",
    )
    shown = check(fleet, stored, least=SESSIONS - 1)
    assert shown[stored.ids.index(chosen.session)] is None


@pytest.mark.parametrize("data", [b"\x00", b"\xa5"])
def test_a_hole_in_a_journal(make_fleet, stored, data):
    """Heads and contents: sound records behind it count, and nobody is shown what is older than was seen."""
    path = stored.folder / "journal"
    chosen = entries(path)[len(entries(path)) // 2]
    overwrite(path, chosen.at - 50, data * (HEAD.size + 100))
    fleet = start(
        make_fleet,
        stored,
        "event=store_damaged file=journal offset=",
        "sessions_dropped=[1-9]",
        "event=store_damaged file=journal session=",
    )
    shown = check(fleet, stored, least=1, most=SESSIONS - 1)
    assert shown[stored.ids.index(chosen.session)] is None


def test_a_write_that_was_cut_off(make_fleet, stored):
    path = stored.folder / "journal"
    last = entries(path)[-1]
    os.truncate(path, last.at + HEAD.size + last.size // 2)
    fleet = start(make_fleet, stored, "level=WARN .*event=journal_torn offset=")
    shown = looks(fleet, stored)
    del shown[stored.ids.index(last.session)]
    assert shown == [WHOLE] * (SESSIONS - 1)
    assert not set_aside(stored)


@pytest.mark.parametrize("obstacle", ["empty", "missing"])
def test_no_journal(make_fleet, stored, obstacle):
    """What its last second is missing is said; the tables go on."""
    path = stored.folder / "journal"
    if obstacle == "empty":
        os.truncate(path, 0)
    else:
        path.unlink()
    fleet = start(make_fleet, stored, "level=WARN .*event=journal_missing")
    assert all(state is not None for state in looks(fleet, stored))


# --- anywhere


def serve(folder, log):
    """A broker alone, until it is ready; its process, or None if it ended. Its log is appended to."""
    ready, ready_write = os.pipe()
    command = [BROKER, "--front", f"ipc://{log}.front", "--back", f"ipc://{log}.back", "--ready-fd", str(ready_write)]
    with open(log, "ab") as out:
        process = subprocess.Popen([*command, "--keep", folder], stderr=out, pass_fds=(ready_write,))
    os.close(ready_write)
    with open(ready, "rb") as pipe:
        if pipe.read() == b"ready\n":
            return process
    process.wait()
    return None


def test_bits_and_pages_at_random(template, tmp_path):
    """The broker starts, says what it found, and the next time has nothing more to say."""
    seed = int(os.environ.get("TROUPE_SEED") or 1)
    print(f"TROUPE_SEED={seed}")
    chosen = random.Random(seed)
    for number in range(60):
        keep = tmp_path / f"{number}" / "sessions"
        shutil.copytree(template.folder, keep)
        path = keep / chosen.choice(["data.mdb", "data.mdb", "journal"])
        size = path.stat().st_size
        if chosen.random() < 0.7:
            flip(path, chosen.randrange(size), chosen.randrange(8))
        else:
            at = chosen.randrange(size)
            overwrite(path, at, chosen.randbytes(min(PAGE, size - at)))
        log = tmp_path / f"{number}.log"
        for _ in range(2):
            process = serve(keep, log)
            assert process, f"seed {seed}, round {number}: {log.read_text()}"
            process.terminate()
            assert process.wait() == 0
            before, log = log, tmp_path / f"{number}-again.log"
        assert not re.search(DAMAGED, before.read_text()), f"seed {seed}, round {number}: {before.read_text()}"


# --- the system


def refused(stored, **options):
    """What a broker says that does not start."""
    command = [BROKER, "--front", "tcp://127.0.0.1:*", "--back", "tcp://127.0.0.1:*", "--keep", stored.folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 1, done
    return done.stderr


@pytest.mark.parametrize("name", ["data.mdb", "journal"])
def test_files_that_may_not_be_read(stored, name):
    """Nothing is damaged: whoever runs it gives the right back, and has lost nothing."""
    options = {}
    if os.getuid() == 0:
        for path in (stored.folder.parent, stored.folder, *stored.folder.iterdir()):
            shutil.chown(path, 65534, 65534)
        os.chmod(stored.folder.parent, 0o755)
        for path in list(stored.folder.parents)[:-2]:
            os.chmod(path, 0o755)
        options = {"user": 65534, "group": 65534, "extra_groups": []}
    (stored.folder / name).chmod(0)
    output = refused(stored, **options)
    assert re.search(rf"event=store_failed .*sessions/{name}: Permission denied", output), output
    assert not set_aside(stored)


def test_no_room_to_set_it_aside(make_fleet, stored):
    """Nothing is changed until there is room."""
    path = stored.folder / "data.mdb"
    overwrite(path, 0, bytes(PAGE))
    before = path.read_bytes()
    output = refused(stored, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, PAGE)))
    assert "event=store_failed" in output
    assert path.read_bytes() == before
    assert sorted(os.listdir(stored.folder.parent)) == ["sessions"]
    check(start(make_fleet, stored, "event=store_damaged file=data.mdb"), stored, least=SESSIONS)


def test_two_brokers_do_not_share_one(make_fleet, stored):
    fleet = start(make_fleet, stored)
    assert "another broker is using it" in refused(stored)
    check(fleet, stored, least=SESSIONS)


def test_a_store_that_is_taken_away(make_fleet, stored):
    """The broker goes on; the next one begins anew, and gives no epoch a second time."""
    fleet = start(make_fleet, stored)
    shutil.rmtree(stored.folder)
    with raw.Client(fleet.front) as client:
        first = client.mount("house.kept.History")
        assert first.event("append", {"number": 1}).kind == wire.DONE
    fleet.broker.signal(signal.SIGKILL)
    fleet.broker.wait_exit()
    fleet.workers["w1"].signal(signal.SIGTERM)
    fleet.workers["w1"].wait_exit()
    fleet.start_broker()
    fleet.start_worker("w2")
    with raw.Client(fleet.front) as client:
        assert client.mount("house.kept.History").epoch > first.epoch


# --- a whole fleet


@pytest.fixture
def supervised(tmp_path, database):
    """`troupe up`, with a store that somebody cuts off."""
    with Supervised(tmp_path / "up", database, workers=1) as supervised:
        supervised.fleet.port = supervised.fleet.wait_web(supervised.fleet.start_web("web", wait=False))
        yield supervised


def test_tables_that_are_cut_off_under_a_fleet(supervised):
    """The broker may die of it; the fleet comes back by itself, and the page goes on."""
    for pattern in ("event=store_damaged", "event=broker_restarted"):
        supervised.fleet.expect_log(pattern)
    with Visitor(supervised.fleet.port).open("/history/") as page:
        page.event("append", {"number": 1})
        broker = supervised.pids("broker")[0]
        for name in ("data.mdb", "journal"):
            os.truncate(supervised.fleet.sockets / "sessions" / name, 0)
        os.kill(broker, signal.SIGKILL)
        supervised.wait_rows(
            lambda rows: rows[0]["state"] == "ready" and rows[0]["pid"] != broker, "another broker", "broker"
        )
        page.event("append", {"number": 2})
        assert re.search(r"<p>(.*?)</p>", page.root())[1].split() == ["1", "2"]
