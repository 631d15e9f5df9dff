"""Each mishap once, in a fleet that is whole, in an order that is always the same: nothing that was told is lost."""

import asyncio
import random

import judge
from drive import Drive
from harness import Processes
from mishaps import MISHAPS
from stage import Stage

SEED = 4
BRIEF = [mishap for mishap in MISHAPS if mishap.brief]


def test_each_mishap_once():
    with Processes() as processes:
        stage = Stage(processes, seed=SEED, options=["--heartbeat-ms", "250", "--worker-dead-ms", "2500"])
        outcome = asyncio.run(Drive(stage, random.Random(SEED), pages=24).each_once(BRIEF))
        log = stage.up.log.read_text()
        if not outcome.faultless():
            stage.complain()
    assert {name: outcome.counts[name] for name in judge.COUNTS} == dict.fromkeys(judge.COUNTS, 0)
    assert sorted(outcome.happened) == sorted(mishap.name for mishap in BRIEF)
    assert outcome.counts["events"] > 24 * 50
    assert "event=store_failed" in log and "event=restoring" in log  # what was to break did
    assert "ASSERT" not in log and "Sanitizer" not in log
