"""The cost of storing snapshots, so that state outlives its worker: events a second with and without a store.

Two fleets, each of a broker and a worker, run all the time and are loaded in turns with 64 events in flight: a counter;
a view with 64 KB of rows and a number, where an event changes the number; and the same where it changes each row.
"""

from harness import Fleet, Processes, Report, group, median, say

LOADS = {
    "counter": group("load", "increment", 64, view="Counter"),
    "state64k_small": group("load", "increment", 64, view="Stocked"),
    "state64k_whole": group("load", "rewrite", 64, view="Stocked"),
}


def measure(report, quick):
    """Adds the figures."""
    rounds, seconds = (2, 1.0) if quick else (7, 2.5)
    seen = {(side, workload): [] for side in ("kept", "plain") for workload in LOADS}
    with Processes() as processes:
        sides = {"plain": Fleet(processes, workers=1), "kept": Fleet(processes, workers=1, state=True)}
        for number in range(rounds):
            for workload, load in LOADS.items():
                for name, side in sides.items():
                    seen[name, workload].append(side.load(load, seconds=seconds)["groups"]["load"])
            last = [f"{key} {seen['kept', key][-1]['rate'] / seen['plain', key][-1]['rate']:.2f}" for key in LOADS]
            say(f"round {number + 1} of {rounds}: {', '.join(last)}")
    for workload in LOADS:
        pairs = zip(seen["kept", workload], seen["plain", workload], strict=True)
        report.add(f"{workload}_ratio", median([kept["rate"] / plain["rate"] for kept, plain in pairs]))
    for side, name in (("kept", ""), ("plain", "plain_")):
        for workload in LOADS:
            report.add(f"{name}{workload}_rate", median([figures["rate"] for figures in seen[side, workload]]))
            report.add(f"{name}{workload}_p99", median([figures["p99_us"] for figures in seen[side, workload]]))


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("snapshot")
    measure(report, quick)
    report.note("64 sessions, one event in flight each; rates over those of the same fleet without a store")
    return report
