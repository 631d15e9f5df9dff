"""A worker of four is killed under load, or the broker: how long until the pages answer again? They are real
ones, under Node (tests/faults/node_pages.js), and wait for their backoff.

scripts/bench recovery
"""

import asyncio
import contextlib
import os
import random
import signal
import time

import judge
from harness import Processes, Report, say
from node_pages import Browser, Page, open_all
from stage import Stage

WORKERS, PAGES = 4, 80
EVERY = 0.25  # seconds between two events of a page
BETWEEN = 3.0  # s, once all is well again
LIVED = 11.0  # s: what ends sooner the supervisor takes for something that fails again and again, and waits longer
PATIENCE = 60.0  # s


async def _ask(pages):
    while True:
        for page in pages:
            page.ask()
        await asyncio.sleep(EVERY)


def _owners(stage):
    """{page's name: the pid that ran its last event}."""
    return {page: runs[-1].pid for page, runs in judge.read_trace(stage.trace).items()}


def _answered(page, since):
    """When it was answered what it was asked for from then on; None: not yet."""
    done = (event.ended for event in page.events if event.outcome == "done" and event.began >= since)
    return min(done, default=None)


async def _round(stage, pages, pid, between=BETWEEN):
    """Kills that process. The seconds after which each of the pages was answered again."""
    since = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while any(_answered(page, since) is None for page in pages):
                await asyncio.sleep(0.05)
    await stage.ready()
    await asyncio.sleep(between)
    return [(_answered(page, since) or since + PATIENCE) - since for page in pages]


async def _rounds(stage, pages, chosen, rounds):
    """Kills, round after round: (the seconds of the pages of killed workers, of all pages with a killed broker)."""
    worker, broker = [], []
    for _ in range(rounds):
        owners = _owners(stage)
        pid = chosen.choice([pid for pid in stage.pids("worker") if pid in owners.values()])  # not an empty one
        worker += await _round(stage, [page for page in pages if owners[page.name] == pid], pid)
        say(f"a worker: {len(worker)} pages so far, the last after {max(worker):.2f} s")
        broker += await _round(stage, pages, stage.pids("broker")[0], LIVED)
        say(f"the broker: the last page after {max(broker):.2f} s")
    return sorted(worker), sorted(broker)


async def _judge(stage, pages):
    rows = await asyncio.gather(*(page.look(PATIENCE) for page in pages))
    trace = judge.read_trace(stage.trace)
    return [
        judge.judge(page.events, has, trace.get(page.name, ()), page.fresh, problems=page.problems)
        for page, has in zip(pages, rows, strict=True)
    ]


async def _run(stage, chosen, rounds):
    """(worker, broker) as _rounds() has them, what the judge says of each page, and what stood in the pages' way."""
    async with Browser(delay=0, say=say) as browser:
        pages = [Page(browser, stage.port, chosen.random(), f"page{at}", impatient=False) for at in range(PAGES)]
        await open_all(pages, PATIENCE)
        asking = asyncio.ensure_future(_ask(pages))
        await asyncio.sleep(BETWEEN)
        await browser.stalls()  # opening so many pages takes long
        worker, broker = await _rounds(stage, pages, chosen, rounds)
        stalls = await browser.stalls()
        asking.cancel()
        judged = await _judge(stage, pages)
        await asyncio.gather(*(page.stop() for page in pages))
        return worker, broker, judged, stalls


def run(quick):
    """The whole measurement; a Report."""
    report = Report("recovery")
    seed = int(os.environ.get("BENCH_SEED") or 1)
    with Processes() as processes:
        stage = Stage(processes, workers=WORKERS, relays=False)
        worker, broker, judged, stalls = asyncio.run(_run(stage, random.Random(seed), 1 if quick else 5))
    report.add("worker_p50_s", worker[len(worker) // 2])
    report.add("worker_p99_s", worker[len(worker) * 99 // 100])
    report.add("broker_p99_s", broker[len(broker) * 99 // 100])
    for name in ("lost", "twice", "out_of_order", "unanswered", "fresh", "stopped", "problems"):
        report.add(name, sum(verdict[name] for verdict in judged))
    report.add("broker_p50_s", broker[len(broker) // 2])
    report.add("unknown", sum(verdict["unknown"] for verdict in judged))
    for name, value in stalls.items():
        report.add(f"client_{name}", value)
    report.note(f"{PAGES} pages, {len(worker)} of them on killed workers, an event every {EVERY} s each")
    report.note(f"{LIVED:.0f} s between two ends of the broker")
    return report
