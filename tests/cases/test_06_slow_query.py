"""A slow query of one page's async handler does not delay another page's."""

import sqlite3

import postgres
from browser import Visitor
from fleet import wait_until

PAGE = "/case_06_slow_query/Slow/"
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


def test_another_pages_query_ends_first(make_fleet, browse):
    """The first query ends when the test says so: after the second page has its answer."""
    with postgres.cluster() as server, server.connect() as sql:
        fleet = make_fleet(settings=postgres.settings(server))
        fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
        sql.execute("select pg_advisory_lock(6)")
        with Visitor(fleet.port).open(PAGE) as slow:
            number = slow.post("slow")
            wait_until(lambda: sql.execute(WAITING).fetchone()[0] == 1, "the query to wait")
            site = browse(fleet)
            site.open(PAGE.lstrip("/"))
            site.click("#orm")
            site.wait_texts("output", ["0"])
            sql.execute("select pg_advisory_unlock(6)")
            slow.answer_to(number)
            assert "<output>slow</output>" in slow.root()


def test_a_locked_sqlite_file(make_fleet):
    """A write waits until the file is free, or fails; reads of other pages go on meanwhile."""
    fleet = make_fleet(settings="DATABASES['default']['OPTIONS'] = {'timeout': 0.1}")
    fleet.expect_log("database is locked")
    visitor = Visitor(fleet.port)
    with visitor.open(PAGE) as page, visitor.open(PAGE) as other:
        locked = sqlite3.connect(fleet.database, isolation_level=None)
        locked.execute("begin immediate")
        assert page.answer_to(page.post("write", {"name": "carl"}))["t"] == "failed"
        assert "<output>2</output>" in other.shows("orm")
        locked.execute("rollback")
        locked.close()
        assert "<output>carl</output>" in page.shows("write", {"name": "carl"})
        assert "<output>3</output>" in other.shows("orm")
