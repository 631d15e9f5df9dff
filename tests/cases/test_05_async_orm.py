"""Async ORM in a worker after its connection was closed: at most one failure, then a new connection."""

import postgres
import pytest
from browser import Visitor
from fleet import wait_until

PAGE = "/case_05_async_orm/Stock/"
OTHERS = "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of these tests' own."""
    with postgres.cluster() as cluster:
        yield cluster


@pytest.mark.parametrize(("age", "checked"), [(0, False), (60, False), (None, False), (None, True)])
def test_a_connection_that_the_server_closed(make_fleet, server, age, checked):
    fleet = make_fleet(settings=postgres.settings(server, age, checked))
    fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
    fleet.watch.allow("OperationalError")
    visitor = Visitor(fleet.port)
    with server.connect() as sql, visitor.open(PAGE) as page, visitor.open(PAGE) as other:
        users = sql.execute("select count(*) from auth_user").fetchone()[0]
        for each in (page, other):
            assert f"<output>{users}</output>" in each.shows("orm")
        for _ in range(2):
            for (pid,) in sql.execute(OTHERS).fetchall():
                sql.execute("select pg_terminate_backend(%s)", (pid,))
            wait_until(lambda: not sql.execute(OTHERS).fetchall(), "the connections to be gone")
            failed = sum(page.answer_to(page.post("orm")).get("t") == "failed" for _ in range(4))
            assert failed <= (1 if age != 0 and not checked else 0)
            for each in (page, other):
                assert each.answer_to(each.post("orm")).get("t") != "failed"
                assert f"<output>{users}</output>" in each.root()


def test_none_is_left_open_with_a_maximum_age_of_0(make_fleet, server):
    fleet = make_fleet(settings=postgres.settings(server))
    fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
    with server.connect() as sql, Visitor(fleet.port).open(PAGE) as page:
        page.answer_to(page.post("orm"))
        wait_until(lambda: not sql.execute(OTHERS).fetchall(), "the connection to be closed")
