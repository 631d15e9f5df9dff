"""A fleet that serves tests/cases/sites, and Chromium or a plain HTTP client to visit it with. See README.md."""

import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenarios"), str(HERE.parent / "browser")]  # fleet, browser; chromium…

import chromium  # noqa: E402
from browser import Visitor  # noqa: E402
from fleet import Fleet  # noqa: E402
from slow_line import SlowLine  # noqa: E402

PEOPLE = """
from django.contrib.auth.models import User
for name in ("ann", "bob"):
    User.objects.create_user(name, password=name)
"""


class CasesFleet(Fleet):
    """A fleet whose project serves every folder of tests/cases/sites. settings: Python that settings.py runs at its
    end. workers, env, broker, worker: as Fleet has them.
    """

    name = "cases"

    def __init__(self, folder, settings="", workers=1, env=None, **options):
        env = {"CASES_DB": str(Path(folder) / "db.sqlite3"), "CASES_SETTINGS": settings, **(env or {})}
        folders = (HERE / "project", HERE / "sites", HERE.parents[1] / "python")
        env["PYTHONPATH"] = ":".join(str(folder) for folder in folders)
        options.setdefault("worker", ("--path", HERE / "sites"))
        super().__init__(folder, workers=workers, env=env, project=HERE / "project", **options)

    @property
    def url(self):
        """The site's root, with the slash."""
        return f"http://127.0.0.1:{self.port}/"

    def shell(self, code):
        """What Python code prints in a process of the project's own, with Django set up."""
        return self.manage("shell", "-v", "0", "-c", code).stdout.strip()

    def log_in(self, name):
        """The key of a new session in which that user is logged in."""
        return self.shell(
            "from django.contrib.auth.models import User\n"
            "from django.test import Client\n"
            f"client = Client()\nclient.force_login(User.objects.get(username={name!r}))\n"
            "print(client.cookies['sessionid'].value)"
        ).split()[-1]


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """A migrated database with ann and bob in it, whose passwords are their names; to be copied."""
    fleet = CasesFleet(tmp_path_factory.mktemp("database"), workers=0, web=False)
    fleet.front = "ipc:///nonexistent"
    fleet.manage("migrate", "--run-syncdb", "--verbosity", "0")
    fleet.shell(PEOPLE)
    return fleet.database


@pytest.fixture(scope="session")
def shared_fleet(tmp_path_factory, database):
    """One worker and an ASGI server, started once."""
    with CasesFleet(tmp_path_factory.mktemp("fleet"), database=database) as fleet:
        yield fleet


@pytest.fixture
def fleet(shared_fleet):
    """The shared fleet, its logs watched during this test: no process of it may die, no ERROR is unexpected."""
    with shared_fleet.watch_logs():
        yield shared_fleet


@pytest.fixture
def make_fleet(tmp_path, database):
    """A function that starts a fleet of this test's own, with the arguments of CasesFleet; all are stopped and
    checked.
    """
    started = []

    def make(**options):
        options.setdefault("database", database)
        fleet = CasesFleet(tmp_path / f"fleet{len(started)}", **options)
        fleet.__enter__()
        started.append(fleet)
        return fleet

    yield make
    for running in reversed(started):
        running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Chromium, headless, with a profile of its own."""
    driver = chromium.start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browse(driver):
    """A function that gives a fleet's site in Chromium, without cookies: browse(fleet), or, for a line on which each
    direction takes `delay` seconds, browse(fleet, delay=0.15). log_in: the name of a user.
    """
    lines = []

    def start(fleet, delay=0.0, log_in=None):
        port = fleet.port
        if delay:
            lines.append(SlowLine(port, delay))
            port = lines[-1].__enter__().port
        site = chromium.Site(driver, f"http://127.0.0.1:{port}/")
        driver.get(site.url + "ordinary/")
        driver.delete_all_cookies()
        if log_in:
            driver.add_cookie({"name": "sessionid", "value": fleet.log_in(log_in)})
        site.errors()
        return site

    yield start
    driver.get("about:blank")  # the page's socket closes while the relay is there
    for line in lines:
        line.__exit__()


@pytest.fixture
def site(fleet, browse):
    """The shared fleet's site in Chromium. The test fails if a page complained on the console."""
    site = browse(fleet)
    yield site
    assert not site.errors()


@pytest.fixture
def visitor(fleet):
    """Somebody without a browser, for what needs HTTP and frames only. No cookies."""
    return Visitor(fleet.port)


_numbers = itertools.count(1)


@pytest.fixture
def more_browsers(tmp_path_factory):
    """A function that starts another Chromium, with the arguments of chromium.start(); gives its driver."""
    drivers = []

    def start(*flags):
        drivers.append(chromium.start(tmp_path_factory.mktemp(f"chromium{next(_numbers)}"), *flags))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.quit()
