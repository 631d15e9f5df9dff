"""Does a page lose anything, whatever happens? Pages append numbers to their views' histories while a supervised fleet,
its web server, its frames, its disk and its database suffer one mishap after another (tests/faults), from a printed
seed.

    scripts/bench faults [--minutes 10]      BENCH_SEED=S repeats a run's mishaps
"""

import asyncio
import os
import random

from drive import Drive
from harness import Processes, Report, say
from judge import COUNTS
from stage import Stage


def run(quick, minutes=10):
    """The whole check; a Report."""
    report = Report("faults")
    seed = int(os.environ.get("BENCH_SEED") or random.randrange(2**32))
    say(f"seed {seed}")
    with Processes() as processes:
        stage = Stage(processes, seed=seed)
        drive = Drive(stage, random.Random(seed))
        outcome = asyncio.run(drive.for_seconds(10 if quick else 60 * minutes))
        if not outcome.faultless():
            stage.complain()
    for name in COUNTS:
        report.add(name, outcome.counts[name])
    report.add("faults", sum(outcome.happened.values()))
    report.add("events", outcome.counts["events"])
    report.add("unknown", outcome.counts["unknown"])
    report.add("joins", outcome.counts["joins"])
    report.add("answered_p99", outcome.waited[len(outcome.waited) * 99 // 100])
    report.add("answered_longest", outcome.waited[-1])
    report.note(f"seed {seed}; " + ", ".join(f"{number} x {name}" for name, number in sorted(outcome.happened.items())))
    return report
