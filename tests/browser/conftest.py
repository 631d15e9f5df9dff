"""The demo's whole fleet, and Chromium to visit it with. Screenshots go to pytest's temporary directory."""

import sys
from pathlib import Path

import pytest
from demo_fleet import DemoFleet, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(Path(__file__).resolve().parent))  # chromium, slow_line

import chromium  # noqa: E402
from chromium import Site  # noqa: E402


@pytest.fixture(scope="session")
def fleet():
    """A broker, two workers and the demo on a free port."""
    said = []
    with DemoFleet(ROOT, free_port(), sink=lambda name, line: said.append(f"{name}: {line}")) as fleet:
        yield fleet
    unexpected = [line for line in said if "level=error" in line.lower() or "Traceback" in line]
    assert not unexpected, "\n".join(said[-100:])


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Chromium, headless, with a profile of its own."""
    driver = chromium.start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def site(fleet, driver):
    """The demo in the browser. The test fails if a page complained on the console."""
    site = Site(driver, fleet.url)
    site.errors()
    yield site
    driver.switch_to.default_content()
    assert not site.errors()


@pytest.fixture
def fragile(driver):
    """(Site, DemoFleet) of a demo with one worker, whose end the broker notices within a second."""
    quick = ("--heartbeat-ms", "100", "--worker-dead-ms", "1000")
    with DemoFleet(ROOT, free_port(), workers=1, broker=quick) as fleet:
        yield Site(driver, fleet.url), fleet
