"""A lone trivial event, and 64 in flight, against a bare two-hop ZeroMQ chain with frames of the same size.

Ours: the broker, one worker, a counter rendered by Django, events as a browser's. Both sides stand
ready all the time and are loaded in turns by the same client.
"""

from harness import Bare, Fleet, Processes, Report, group, median, say

LONE = group("load", "increment", 1, view="Counter")
MANY = group("load", "increment", 64, view="Counter")


def measure(report, quick):
    """Adds the figures."""
    rounds, seconds = (3, 1.0) if quick else (9, 2.5)
    seen = {("ours", "lone"): [], ("bare", "lone"): [], ("ours", "many"): [], ("bare", "many"): []}
    with Processes() as processes:
        fleet = Fleet(processes, workers=1)
        first = fleet.load(LONE, seconds=0.5)
        sides = {"bare": Bare(processes, first["reply_bytes"]), "ours": fleet}
        for number in range(rounds):
            for load_name, load in (("lone", LONE), ("many", MANY)):
                for name, side in sides.items():
                    seen[name, load_name].append(side.load(load, seconds=seconds)["groups"]["load"])
            last = {key: values[-1] for key, values in seen.items()}
            say(
                f"round {number + 1} of {rounds}: lone p50 {last['ours', 'lone']['p50_us']:.0f} µs, bare "
                f"{last['bare', 'lone']['p50_us']:.0f}; 64 in flight {last['ours', 'many']['rate']:.0f}/s, bare "
                f"{last['bare', 'many']['rate']:.0f}"
            )
    report.note(f"frames: 40 + {first['request_bytes']} bytes there, 40 + {first['reply_bytes']} back")
    _add(report, seen)


def _ratio(seen, name, key):
    pairs = zip(seen["ours", name], seen["bare", name], strict=True)
    return median([ours[key] / bare[key] for ours, bare in pairs])


def _add(report, seen):
    report.add("p50_over_bare_zmq", _ratio(seen, "lone", "p50_us"))
    report.add("rate_over_bare_broker", _ratio(seen, "many", "rate"))
    report.add("p99_over_bare_zmq", _ratio(seen, "lone", "p99_us"))
    for side, name in (("ours", ""), ("bare", "bare_")):
        lone, many = seen[side, "lone"], seen[side, "many"]
        report.add(f"{name}lone_p50", median([load["p50_us"] for load in lone]))
        report.add(f"{name}lone_p99", median([load["p99_us"] for load in lone]))
        report.add(f"{name}rate_64", median([load["rate"] for load in many]))
        report.add(f"{name}p50_64", median([load["p50_us"] for load in many]))
        report.add(f"{name}p99_64", median([load["p99_us"] for load in many]))


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("roundtrip")
    measure(report, quick)
    report.note("where the time goes: perf record -g -p PID of troupe-worker while troupe-bench-load runs")
    return report
