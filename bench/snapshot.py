"""What it costs that what a user has seen outlives its worker: events a second with and without a store.

Two fleets, a broker and a worker each, stand ready all the time and are loaded in turns with 64 events in flight: the
seed's counter; a view with 64 KB of rows of which an event changes a number beside them; and the same when it changes
each row.
"""

from harness import Fleet, Processes, Report, group, median, say

LOADS = {
    "counter": group("load", "increment", 64, view="Seed"),
    "state64k_small": group("load", "increment", 64, view="Stocked"),
    "state64k_whole": group("load", "rewrite", 64, view="Stocked"),
}


def measure(report, quick):
    """Adds the figures."""
    rounds, seconds = (2, 1.0) if quick else (7, 2.5)
    seen = {(side, what): [] for side in ("kept", "plain") for what in LOADS}
    with Processes() as processes:
        sides = {"plain": Fleet(processes, workers=1), "kept": Fleet(processes, workers=1, state=True)}
        for number in range(rounds):
            for what, load in LOADS.items():
                for name, side in sides.items():
                    seen[name, what].append(side.load(load, seconds=seconds)["groups"]["load"])
            last = [f"{what} {seen['kept', what][-1]['rate'] / seen['plain', what][-1]['rate']:.2f}" for what in LOADS]
            say(f"round {number + 1} of {rounds}: {', '.join(last)}")
    for what in LOADS:
        pairs = zip(seen["kept", what], seen["plain", what], strict=True)
        report.add(f"{what}_ratio", median([kept["rate"] / plain["rate"] for kept, plain in pairs]))
    for side, name in (("kept", ""), ("plain", "plain_")):
        for what in LOADS:
            report.add(f"{name}{what}_rate", median([one["rate"] for one in seen[side, what]]))
            report.add(f"{name}{what}_p99", median([one["p99_us"] for one in seen[side, what]]))


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("snapshot")
    measure(report, quick)
    report.note("64 sessions, one event in flight each; rates over those of the same fleet without a store")
    return report
