"""Injects faults into a fleet while pages use it, and checks the promises made to each page.

python tests/faults/drive.py SECONDS [SEED [NAME…]]    NAME: only mishaps whose names have that in them
"""

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import judge
from mishaps import MISHAPS
from node_pages import ANSWER_SECONDS, Browser, Page
from stage import Stage, say

IN_FLIGHT = 8  # events of each page, all the time
SETTLE = 60.0  # seconds that everything has to be answered in, once nothing breaks any more
TRIES = 3  # to let a mishap happen that must
PAUSE = (0.5, 4.0)  # between two mishaps
NOTICED = {"worker_lost": 25.0}  # seconds after a mishap in which its events may still become unknown


@dataclass
class Outcome:
    """What a run came to: {count: number} over all pages, what happened how often, and how long answers took."""

    counts: Counter = field(default_factory=Counter)
    happened: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)  # of what failed or became unknown
    waited: list = field(default_factory=list)

    def faultless(self):
        """Whether every promise was kept."""
        return not any(self.counts[name] for name in judge.COUNTS)


class Drive:
    """One run of a stage. chosen: a random.Random; all that happens comes from it."""

    def __init__(self, stage, chosen, pages=24):
        self.stage, self.chosen = stage, chosen
        self.browser = Browser(say=say)
        self.pages = [Page(self.browser, stage.port, chosen.random(), f"page{at}", at % 4 == 0) for at in range(pages)]
        self.excuses, self.outcome = [], Outcome()

    async def for_seconds(self, seconds, mishaps=MISHAPS):
        """One mishap after the other, for so long."""

        async def some():
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await self.break_(self.chosen.choice(mishaps))
                await asyncio.sleep(self.chosen.uniform(*PAUSE))

        return await self._during(some())

    async def each_once(self, mishaps):
        """Each of them, each in a fleet that is whole."""

        async def all_of_them():
            for mishap in self.chosen.sample(mishaps, len(mishaps)):
                for _ in range(TRIES):  # what the one before led to may not have been noticed yet
                    await self.stage.ready()
                    if await self.break_(mishap):
                        break

        return await self._during(all_of_them())

    async def break_(self, mishap):
        """Lets it happen; returns whether it could."""
        before = self.outcome.happened[mishap.name]
        begin = time.monotonic()
        try:
            await mishap.do(self.stage, self.chosen)
            self.outcome.happened[mishap.name] += 1
        except (IndexError, ValueError, ProcessLookupError, RuntimeError) as error:
            say(f"not now: {error!r}")  # nobody of that kind was ready: the one before is not over
        end = time.monotonic()
        say(f"{sum(self.outcome.happened.values())}: {mishap.name} ({begin:.3f} to {end:.3f})")
        self.excuses += [(reason, begin, end + NOTICED.get(reason, ANSWER_SECONDS + 5)) for reason in mishap.unknown]
        return self.outcome.happened[mishap.name] > before

    async def _ask(self):
        while True:
            for page in self.pages:
                for _ in range(IN_FLIGHT - len(page.waiting)):
                    page.ask()
            await asyncio.sleep(0.02)

    async def _during(self, breaking):
        async with self.browser:
            return await self._during_pages(breaking)

    async def _during_pages(self, breaking):
        for page in self.pages:
            await page.start()
        asking = asyncio.ensure_future(self._ask())
        try:
            await breaking
        finally:
            asking.cancel()
        end = time.monotonic() + SETTLE
        while any(page.waiting for page in self.pages) and time.monotonic() < end:
            await asyncio.sleep(0.1)
        rows = await asyncio.gather(*(page.look(SETTLE) for page in self.pages))
        self._judge(rows)
        await asyncio.gather(*(page.stop() for page in self.pages))
        return self.outcome

    def _judge(self, rows):
        trace = judge.read_trace(self.stage.trace)
        for page, has in zip(self.pages, rows, strict=True):
            verdict = judge.judge(page.events, has, trace.get(page.name, ()), page.fresh, self.excuses, page.problems)
            self.outcome.counts.update(verdict)
            self.outcome.reasons.update(str(event.reason) for event in page.events if event.reason)
            if any(verdict[name] for name in judge.COUNTS):
                wrong = {name: number for name, number in verdict.items() if number}
                say(f"{page.name}: {wrong}, {page.joins} joins, {page.fresh} fresh")
                self._tell(page, has, trace.get(page.name, ()))
        self.outcome.counts["events"] = sum(len(page.events) for page in self.pages)
        self.outcome.counts["joins"] = sum(page.joins for page in self.pages)
        self.outcome.waited = sorted(second for page in self.pages for second in page.waited)

    def _tell(self, page, has, runs):
        """What is known of the events that something is wrong with."""
        seen = {number for _, number in has or ()}
        for event in page.events:
            lost = event.outcome == "done" and event.value not in seen
            ran = [run for run in runs if run.number == event.value]
            if lost or event.overdue or event.outcome not in ("done", "unknown") or len(ran) > 1:
                say(f"  {vars(event)}, {ran}")


def main():
    from harness import Processes

    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    chosen = [mishap for mishap in MISHAPS if not sys.argv[3:] or any(word in mishap.name for word in sys.argv[3:])]
    say(f"seed {seed}")
    with Processes() as processes:
        stage = Stage(processes, seed=seed)
        drive = Drive(stage, random.Random(seed))
        outcome = asyncio.run(drive.for_seconds(seconds, chosen) if seconds else drive.each_once(chosen))
        if not outcome.faultless():
            stage.complain()
            for log in (stage.up.log, stage.web.log):
                (Path("/tmp") / f"faults-{log.name}").write_text(log.read_text())
    print(dict(outcome.counts), dict(outcome.happened), dict(outcome.reasons), sep="\n")
    return 0 if outcome.faultless() else 1


if __name__ == "__main__":
    sys.exit(main())
