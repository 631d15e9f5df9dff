"""Does a fleet leak? Real pages under Node (tests/faults/node_pages.js) come and go for a long time; they raise, await
and tick, and some load without ever joining. The memory and the file descriptors of the broker and its workers are
sampled once a second.

    scripts/bench soak [--minutes 30]

Growth is the difference between the medians of the first and the last third of the time after the warm-up, which lasts
until the first pages that were closed have left the workers (after 60 s) and the store.
"""

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections import Counter
from pathlib import Path

from harness import Processes, Report, median, say
from node_pages import Browser, Page, get
from stage import Stage

WORKERS, PAGES = 2, 24
WARM_UP = 80.0  # s: a page that went stays for 60
PASSIVE = 10  # s, in the store
EVERY = 0.1  # s between two events of a page
LIFE = (1.0, 8.0)  # s of a page
EVENTS = ("count_up",) * 7 + ("awaits", "raises", "list", "ticks")


async def _visit(page, chosen, settled):
    """A page's life. settled: how many events ended how."""
    await page.start()
    asked, leaves_at = [], time.monotonic() + chosen.uniform(*LIFE)
    while time.monotonic() < leaves_at:
        asked.append(page.ask_for(chosen.choice(EVENTS)))
        await asyncio.sleep(EVERY)
    await page.stop()
    settled.update(event.outcome for event in asked)
    settled["pushed"] += page.pushed
    settled["problems"] += len(page.problems)


async def _pages(browser, port, number, until, settled):
    """One page after the other."""
    chosen, names = random.Random(number), (f"page{number}.{visit}" for visit in itertools.count())
    while time.monotonic() < until:
        with contextlib.suppress(OSError, RuntimeError):
            if chosen.random() < 0.1:  # a crawler's, and one that nothing comes of
                await asyncio.to_thread(get, port, chosen.choice(("/history/", "/broken/")))
                continue
            known = chosen.random() < 0.3
            await _visit(Page(browser, port, chosen.random(), next(names), known, impatient=False), chosen, settled)


def _figures(pid):
    """(resident bytes that are its own, open files) of a process: what is mapped of the store is the system's."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"/proc/{pid}/fd"))


async def _watch(pids, samples, until):
    while time.monotonic() < until:
        samples.append({pid: _figures(pid) for pid in pids})
        await asyncio.sleep(1)


async def _run(stage, warm_up, seconds):
    pids = {"web": [stage.web.popen.pid], "broker": stage.pids("broker"), "workers": stage.pids("worker")}
    samples, settled, start = [], Counter(), time.monotonic()
    until = start + warm_up + seconds
    async with Browser(delay=0, say=say) as browser:
        pages = [asyncio.ensure_future(_pages(browser, stage.port, at, until, settled)) for at in range(PAGES)]
        await asyncio.sleep(warm_up)
        say("warm")
        await _watch([pid for some in pids.values() for pid in some], samples, until)
        await asyncio.gather(*pages)
    return pids, samples, settled


def _thirds(samples, pids, which):
    """The medians of their sum, in the first and the last third."""
    sums = [sum(sample[pid][which] for pid in pids) for sample in samples]
    third = max(1, len(sums) // 3)
    return median(sums[:third]), median(sums[-third:])


def run(quick, minutes=30):
    """The whole measurement; a Report."""
    report = Report("soak")
    warm_up, seconds = (8.0, 10.0) if quick else (WARM_UP, 60 * minutes)
    with Processes() as processes:
        stage = Stage(processes, workers=WORKERS, relays=False, options=["--passive-s", PASSIVE])
        pids, samples, settled = asyncio.run(_run(stage, warm_up, seconds))
    fleet = pids["broker"] + pids["workers"]
    first, last = _thirds(samples, fleet, 0)
    report.add("rss_growth_percent", 100 * (last - first) / first)
    files = [_thirds(samples, [pid], 1) for some in pids.values() for pid in some]
    report.add("fd_growth", max(last - first for first, last in files))
    for name, some in pids.items():
        first, last = _thirds(samples, some, 0)
        report.add(f"{name}_mb", last / 2**20)
        report.add(f"{name}_growth_percent", 100 * (last - first) / first)
    for outcome in ("done", "failed", "pushed", "problems"):
        report.add(outcome, settled[outcome])
    report.note(f"{PAGES} pages at a time, each for {LIFE[0]:g} to {LIFE[1]:g} s; {seconds:g} s after {warm_up:g} s")
    if quick:
        report.note("--quick: pages that went are still there, so that it grows; only whether it works is seen")
    return report
