"""What users notice of a rolling reload: 500 pages, real ones under Node (tests/faults/node_pages.js), ask for 500
events a second while all workers of a supervised fleet are replaced, one after the other. In the end each view's
history is held against what its page was told.

    scripts/bench reload
"""

import asyncio
import time

from harness import Processes, Report, say
from judge import judge
from node_pages import Browser, Page, open_all
from stage import Stage

PAGES, QUICK_PAGES = 500, 100  # and as many events a second
OPEN = 300.0  # s in which all of them have joined
SETTLE = 60.0
WRONG = ("lost", "twice", "out_of_order", "fresh", "stopped", "problems")


async def _ask(pages, stop):
    """As many events a second as there are pages, page after page, by the clock: what is late is made up for."""
    began, asked = time.monotonic(), 0
    while not stop.is_set():
        while asked < (time.monotonic() - began) * len(pages):
            pages[asked % len(pages)].ask()
            asked += 1
        await asyncio.sleep(0.005)


async def _phase(pages, during):
    """Events while `during` runs: the seconds that each waited for its answer."""
    stop = asyncio.Event()
    before = [len(page.waited) for page in pages]
    asking = asyncio.create_task(_ask(pages, stop))
    await during
    stop.set()
    await asking
    end = time.monotonic() + SETTLE
    while any(page.waiting for page in pages) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    return sorted(second for page, count in zip(pages, before, strict=True) for second in page.waited[count:])


async def _rounds(fleet, pages, seconds, rounds):
    """(seconds that events waited without a reload, those during one, seconds that each reload took)."""
    quiet, during, took = [], [], []
    for number in range(rounds):
        quiet += await _phase(pages, asyncio.sleep(seconds))
        joins, began = sum(page.joins for page in pages), time.monotonic()
        seen = await _phase(pages, asyncio.to_thread(fleet.troupe, "reload"))
        during += seen
        took.append(time.monotonic() - began)
        joins = sum(page.joins for page in pages) - joins
        say(f"round {number + 1} of {rounds}: {len(seen)} events, p99 {_p99(seen):.0f} ms, {joins} joins")
    return sorted(quiet), sorted(during), took


async def _wrong(pages):
    """How many events were not done, or became something else than what their page was told."""
    judged = [judge(page.events, await page.look(SETTLE), fresh=page.fresh, problems=page.problems) for page in pages]
    failed = sum(event.outcome != "done" for page in pages for event in page.events)
    return failed + sum(verdict[name] for verdict in judged for name in WRONG)


async def _run(fleet, report, count, seconds, rounds):
    async with Browser(delay=0, say=say) as browser:
        pages = [Page(browser, fleet.port, number, f"page{number}", impatient=False) for number in range(count)]
        await open_all(pages, OPEN)
        await _phase(pages, asyncio.sleep(2))
        await browser.stalls()  # opening so many pages takes long
        quiet, during, took = await _rounds(fleet, pages, seconds, rounds)
        stalls = await browser.stalls()
        wrong = await _wrong(pages)
        await asyncio.gather(*(page.stop() for page in pages))
    report.add("failed", wrong)
    report.add("p99_ms", _p99(during))
    report.add("p50_ms", _p50(during))
    report.add("longest_ms", 1000 * max(during))
    report.add("quiet_p99_ms", _p99(quiet))
    report.add("events", len(during))
    report.add("joins", sum(page.joins for page in pages) - count)
    report.add("reload_s", max(took))
    for name, value in stalls.items():
        report.add(f"client_{name}", value)


def _p99(seconds):
    return 1000 * seconds[len(seconds) * 99 // 100]


def _p50(seconds):
    return 1000 * seconds[len(seconds) // 2]


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("reload")
    with Processes() as processes:
        fleet = Stage(processes, relays=False)
        count = QUICK_PAGES if quick else PAGES
        asyncio.run(_run(fleet, report, count, 3 if quick else 8, 1 if quick else 3))
    report.note(f"{count} pages, {count} events a second, three workers; joins are those after the first of each page")
    return report
