"""Strangers insert, wrap, move and remove nodes at any time: the server's values are right, and theirs are kept."""

import os
import random

from strangers import counts, run_all, told

RUNS = int(os.environ.get("TROUPE_RUNS", "2000"))
SEED = int(os.environ.get("TROUPE_SEED") or random.randrange(1 << 30))


def test_random_runs():
    runs = run_all(SEED, range(RUNS))
    print(f"TROUPE_SEED={SEED}: {len(runs)} runs; {counts(runs)}")
    assert len(runs) == RUNS
    found = [told(one, SEED) for one in runs if one["found"]]
    assert not found, f"{len(found)} of {len(runs)} runs differ:\n" + "\n".join(found[:3])
