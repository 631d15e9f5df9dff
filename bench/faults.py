"""Does a page lose anything, whatever dies? Pages append numbers to their views' histories while processes of a
supervised fleet are killed, stopped and replaced, one fault after another from a printed seed. In the end each view's
history is held against what its page was told.

    scripts/bench faults [--minutes 10]      BENCH_SEED=S repeats a run's faults
"""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import time

from harness import BUILD, PROJECT, PYTHON, ROOT, Processes, Report, say
from history import History

WORKERS, PAGES = 3, 60
EVERY = 0.25  # seconds between two events of a page
SETTLE = 60.0  # seconds that everything has to be answered in, once nothing breaks any more
TROUPE = BUILD / "fleet" / "troupe"


class Supervised:
    """A fleet of `troupe up`, and an ASGI server in front of it."""

    def __init__(self, processes):
        self.state = processes.folder / "fleet"
        front = {"TROUPE_FRONT": f"ipc://{self.state}/front"}
        command = [TROUPE, "up", "--state", self.state, "--workers", WORKERS, "--settings", "benched.settings"]
        command += ["--path", PROJECT, "--path", ROOT / "python", "--python", PYTHON]
        self.up = processes.start("troupe up", command, ready="event=up")
        web = [PYTHON, "-m", "uvicorn", "benched.asgi:application", "--host", "127.0.0.1", "--port", "0"]
        web += ["--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "1"]
        self.web = processes.start("web", web, ready="running on http://", env=front)
        self.port = int(re.search(r"running on http://127\.0\.0\.1:(\d+)", self.web.log.read_text())[1])

    def troupe(self, *words):
        """Runs a command of troupe's; its output."""
        command = [TROUPE, *map(str, words), "--state", self.state]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"troupe {words} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def pids(self, kind):
        """Of its processes that are ready and whose name begins with that."""
        rows = json.loads(self.troupe("status", "--json"))["processes"]
        return [row["pid"] for row in rows if row["name"].startswith(kind) and row["state"] == "ready"]


def _kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


async def _worker_dies(fleet, chosen):
    _kill([chosen.choice(fleet.pids("worker"))])


async def _all_workers_die(fleet, chosen):
    _kill(fleet.pids("worker"))


async def _broker_dies(fleet, chosen):
    _kill(fleet.pids("broker"))


async def _all_die(fleet, chosen):
    _kill([*fleet.pids("broker"), *fleet.pids("worker")])


async def _worker_stands_still(fleet, chosen):
    pid = chosen.choice(fleet.pids("worker"))
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(chosen.choice((2, 6, 12)))
    finally:
        os.kill(pid, signal.SIGCONT)


async def _broker_stands_still(fleet, chosen):
    (pid,) = fleet.pids("broker")
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(chosen.choice((1, 4)))
    finally:
        os.kill(pid, signal.SIGCONT)


async def _reload(fleet, chosen):
    await asyncio.to_thread(fleet.troupe, "reload")


async def _scale(fleet, chosen):
    await asyncio.to_thread(fleet.troupe, "scale", chosen.choice((1, 2, 4)))
    await asyncio.sleep(1)
    await asyncio.to_thread(fleet.troupe, "scale", WORKERS)


FAULTS = (
    _worker_dies, _worker_dies, _all_workers_die, _broker_dies, _all_die, _worker_stands_still, _broker_stands_still,
    _reload, _scale,
)  # fmt: skip


async def _ask(pages, until):
    while time.monotonic() < until:
        for page in pages:
            if len(page.waiting) < 2 * WORKERS:
                page.ask()
        await asyncio.sleep(EVERY)


async def _break(fleet, chosen, until, count):
    while time.monotonic() < until:
        fault = chosen.choice(FAULTS)
        say(f"fault {sum(count.values()) + 1}: {fault.__name__[1:].replace('_', ' ')}")
        try:
            await fault(fleet, chosen)
            count[fault.__name__] = count.get(fault.__name__, 0) + 1
        except (IndexError, ValueError, ProcessLookupError):
            pass  # nobody of that kind was ready: the one before is not over
        await asyncio.sleep(chosen.uniform(0.5, 4))


async def _run(fleet, chosen, seconds):
    pages = [History(fleet.port, chosen.random()) for _ in range(PAGES)]
    for page in pages:
        await page.start()
    count, until = {}, time.monotonic() + seconds
    await asyncio.gather(_ask(pages, until), _break(fleet, chosen, until, count))
    end = time.monotonic() + SETTLE
    while any(page.waiting for page in pages) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    judged = [page.judge(await page.look(SETTLE)) for page in pages]
    for page, one in zip(pages, judged, strict=True):
        if one["lost"] or one["twice"] or one["out_of_order"] or one["unanswered"]:
            say(f"page {page.view}: {one}, {page.joins} joins, {page.fresh} fresh")
    await asyncio.gather(*(page.stop() for page in pages))
    return pages, judged, count


def run(quick, minutes=10):
    """The whole check; a Report."""
    report = Report("faults")
    seed = int(os.environ.get("BENCH_SEED") or random.randrange(2**32))
    say(f"seed {seed}")
    with Processes() as processes:
        fleet = Supervised(processes)
        pages, judged, count = asyncio.run(_run(fleet, random.Random(seed), 30 if quick else 60 * minutes))
    for name in ("lost", "twice", "out_of_order", "unanswered"):
        report.add(name, sum(one[name] for one in judged), "events", "0")
    report.add("faults", sum(count.values()), "faults")
    report.add("events", sum(len(page.events) for page in pages), "events")
    report.add("unknown", sum(one["unknown"] for one in judged), "events")
    report.add("joins", sum(page.joins for page in pages), "joins")
    waited = sorted(second for page in pages for second in page.waited)
    report.add("answered_p99", waited[len(waited) * 99 // 100], "s")
    report.add("answered_longest", waited[-1], "s")
    report.note(f"seed {seed}; " + ", ".join(f"{number} {name[1:]}" for name, number in sorted(count.items())))
    return report
