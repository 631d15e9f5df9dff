"""A PostgreSQL from Debian's packages, and fleets whose views use it."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scenarios"), str(HERE)]  # fleet, postgres, raw; shops

import postgres  # noqa: E402
import raw  # noqa: E402
from fleet import wait_until  # noqa: E402
from shops import PostgresFleet  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running server with the project's tables in it."""
    if not postgres.programs() or not importlib.util.find_spec("psycopg"):
        pytest.fail("PostgreSQL or psycopg is not installed: run scripts/setup --tests")
    with postgres.cluster() as cluster:
        with cluster.connect() as connection:
            connection.execute("create database second")
        with PostgresFleet(tmp_path_factory.mktemp("migrate"), cluster, env={"TROUPE_FRONT": "ipc:///none"}) as fleet:
            for alias in ("default", "second"):
                fleet.manage("migrate", "--run-syncdb", "--verbosity", "0", "--database", alias)
        yield cluster


@pytest.fixture(scope="session")
def shared_fleet(tmp_path_factory, server):
    """A worker with at most four threads of either kind."""
    options = {"worker": ["--threads", "4", "--most-threads", "4"]}
    with PostgresFleet(tmp_path_factory.mktemp("fleet"), server, **options) as fleet:
        yield fleet


@pytest.fixture
def fleet(shared_fleet):
    """The shared fleet, its logs watched during this test."""
    with shared_fleet.watch_logs():
        yield shared_fleet


@pytest.fixture
def peer(fleet):
    """A client of the shared fleet."""
    with raw.Client(fleet.front) as client:
        yield client


@pytest.fixture
def make_fleet(tmp_path, server):
    """A function that starts a fleet of this test's own; gives a client of it."""
    started = []

    def make(**options):
        fleet = PostgresFleet(tmp_path / f"fleet{len(started)}", server, **options)
        fleet.__enter__()
        client = raw.Client(fleet.front)
        started.append((fleet, client))
        return client

    yield make
    for fleet, client in reversed(started):
        client.__exit__()
        fleet.__exit__(None, None, None)


@pytest.fixture
def sql(server):
    """A connection of the test's own, in autocommit. The tables are empty at first."""
    with server.connect() as connection, server.connect("second") as second:
        connection.execute("truncate shop_item")
        second.execute("truncate shop_note")
        yield connection


@pytest.fixture
def backends(sql):
    """A function: the server's processes behind an alias's connections."""

    def look(alias):
        query = "select pid from pg_stat_activity where application_name = %s"
        return {pid for (pid,) in sql.execute(query, (alias,))}

    return look


@pytest.fixture
def terminate(sql, backends):
    """A function that ends an alias's connections at the server, and says how many there were."""

    def end(alias):
        pids = backends(alias)
        for pid in pids:
            sql.execute("select pg_terminate_backend(%s)", (pid,))
        wait_until(lambda: not pids & backends(alias), "the connections to be gone")
        return len(pids)

    return end


@pytest.fixture
def waiting(sql):
    """A function that waits until that many queries wait for an advisory lock."""

    def wait(count, key):
        query = "select count(*) from pg_locks where locktype = 'advisory' and objid = %s and not granted"
        wait_until(lambda: sql.execute(query, (key,)).fetchone()[0] == count, f"{count} queries to wait")

    return wait
