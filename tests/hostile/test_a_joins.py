"""A worker dies while events of a page are under way: the page joins once, keeps its state, and goes on.

The page is the real browser's side, under Node, over a line of 150 ms each way (tests/faults/node_pages.js).
"""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from fleet import PATIENCE

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from node_pages import Browser, Page  # noqa: E402

QUICK = ["--heartbeat-ms", "100", "--worker-dead-ms", "1000"]


@pytest.fixture
def fragile(make_fleet, tmp_path):
    """A fleet of one worker, whose end is noticed within a second, and a store."""
    fleet = make_fleet(workers=1, broker=[*QUICK, "--keep", str(tmp_path / "sessions")])
    fleet.expect_log(r"level=WARN .*event=worker_lost", name="broker")
    return fleet


async def lose(fleet, name):
    """Kills a worker, and waits until the broker knows: it tells the pages' sockets at once."""
    seen = len(fleet.broker.text())
    fleet.workers[name].signal(signal.SIGKILL)
    fleet.workers[name].wait_exit()
    await asyncio.to_thread(fleet.broker.wait_line, "event=worker_lost", seen)


def visit(fleet, visitor):
    """Runs `visitor(page)` with a page of /counter/5/ that has joined; returns the page."""

    async def run():
        async with Browser() as browser:
            page = Page(browser, fleet.port, 1, "page", path="/counter/5/")
            await page.start()
            assert await page.until(lambda: page.open, PATIENCE)
            await visitor(page)
            return page

    return asyncio.run(run())


async def clicks(page, count):
    """So many at once, all of them done."""
    asked = [page.ask_for("increment") for _ in range(count)]
    assert await page.until(lambda: all(event.outcome for event in asked), PATIENCE)
    assert [event.outcome for event in asked] == ["done"] * count


def test_events_that_meet_a_session_that_has_ended(fragile):
    async def visitor(page):
        await clicks(page, 3)
        for number in (1, 2):
            await lose(fragile, f"w{number}")
            asked = [page.ask_for("increment") for _ in range(8)]  # under way while the page does not know yet
            await asyncio.to_thread(fragile.start_worker, f"w{number + 1}")
            assert await page.until(lambda asked=asked: all(event.outcome for event in asked), PATIENCE)
            assert [event.outcome for event in asked] == ["done"] * 8
            await clicks(page, 1)
            assert await page.text("output") == [str(8 + 9 * number)]

    page = visit(fragile, visitor)
    assert (page.fresh, page.joins, page.problems) == (0, 3, [])
