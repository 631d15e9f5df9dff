"""Fixtures of the scenarios, and of tests/hostile: a fleet that most share, and fleets of their own for those that
break theirs.
"""

import subprocess
import sys

import pytest
import raw
from browser import Visitor
from fleet import BUILD, Fleet

from troupe import wire


def pytest_configure():
    """Fail at once, and clearly, where nothing is built."""
    if not (BUILD / "worker" / "troupe-worker").exists():
        raise pytest.UsageError(f"{BUILD} has no troupe-worker: run scripts/build, or set TROUPE_BUILD")


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """A migrated database with ann and bob in it, to be copied."""
    fleet = Fleet(tmp_path_factory.mktemp("database"), workers=0, web=False)
    fleet.front = "ipc:///nonexistent"
    fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
    fleet.manage("people")
    return fleet.database


@pytest.fixture(scope="session")
def shared_fleet(tmp_path_factory, database):
    """Two workers and an ASGI server, started once."""
    with Fleet(tmp_path_factory.mktemp("fleet"), database=database) as fleet:
        yield fleet


@pytest.fixture
def fleet(shared_fleet):
    """The shared fleet, its logs watched during this test: no process of it may die, no ERROR is unexpected."""
    with shared_fleet.watch_logs():
        yield shared_fleet


@pytest.fixture(scope="session")
def waiting_session(shared_fleet):
    """The id of a session whose page was loaded early on, and is never joined."""
    with raw.Client(shared_fleet.front) as client:
        flags = wire.PAGE | wire.UNADOPTED
        return client.mount("house.views.Counter", flags=flags).id


@pytest.fixture
def make_fleet(tmp_path, database):
    """A function that starts a fleet of this test's own, with Fleet's arguments; all are stopped and checked."""
    started = []

    def make(**options):
        fleet = Fleet(tmp_path / f"fleet{len(started)}", database=database, **options)
        fleet.__enter__()
        started.append(fleet)
        return fleet

    yield make
    for running in reversed(started):
        running.__exit__(None, None, None)


@pytest.fixture
def visitor(fleet):
    """Somebody with a browser, without cookies."""
    return Visitor(fleet.port)


@pytest.fixture
def client(fleet):
    """A raw client of the shared fleet."""
    with raw.Client(fleet.front) as peer:
        yield peer


@pytest.fixture
def bystander(fleet):
    """Somebody else's page, open all the while: after the test it must be as it was, and still answer."""
    with Visitor(fleet.port).open("/counter/500/") as page:
        assert ">501<" in page.shows("increment")
        yield page
        assert ">502<" in page.shows("increment")
        assert not [frame for frame in page.unasked if frame.get("t") != "token"]


@pytest.fixture
def troupe(fleet):
    """Django set up in this process just far enough for Troupe's handles, on the shared fleet."""
    from handles import on_fleet

    with on_fleet(fleet):
        yield


@pytest.fixture
def run_python(fleet):
    """A function that runs a script in a process with the project set up; its output."""

    def run(source, fleet=fleet):
        source = "import django; django.setup()\n" + source
        done = subprocess.run(
            [sys.executable, "-c", source], env=fleet.environment(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
