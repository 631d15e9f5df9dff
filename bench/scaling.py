"""Handlers that compute: what a second worker gains, against what a second plain Python process gains.

Ours: sessions on one worker and on two, each with one event in flight, so that each worker has a closed loop of
its own. The other side: one and two plain Python processes that run the same loop with nothing around it. In
turns.
"""

import subprocess
import time

from harness import PROJECT, PYTHON, Fleet, Processes, Report, environment, group, median, say

MILLISECONDS = 2.0
SESSIONS = 4  # a worker
LEAST_GAIN = 0.25  # of a second plain process: below, there is no second processor to measure with


def loops_for(milliseconds):
    """How many rounds of the loop take so long, in a process of its own."""
    code = (
        "import time; from benched.work import spin\n"
        "def once():\n start = time.perf_counter(); spin(200_000); return time.perf_counter() - start\n"
        "print(min(once() for _ in range(30)))"
    )
    done = subprocess.run([PYTHON, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    return round(200_000 * milliseconds / 1000 / float(done.stdout))


def plain_rate(processes, loops, seconds):
    """Calls a second of so many plain processes together."""
    command = [PYTHON, "-m", "benched.plain", "spin", str(loops), str(seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = []
    try:
        for _ in range(processes):
            running.append(subprocess.Popen(command, env=environment(), cwd=PROJECT, **pipes))
        for process in running:
            process.stdout.readline()
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        counted = [process.stdout.readline().split() for process in running]
        return sum(int(calls) / float(took) for calls, took in counted)
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _ours(fleet, workers, loops, seconds):
    group_seen = fleet.load(group("load", "spin", SESSIONS * workers, loops=loops), seconds=seconds)["groups"]["load"]
    placed = [worker["sessions"] for worker in group_seen["workers"].values()]
    if placed != [SESSIONS] * workers:
        raise RuntimeError(f"sessions are not spread evenly: {placed}")
    return group_seen["rate"]


def measure(report, quick):
    """Adds the figures."""
    rounds, seconds = (3, 1.0) if quick else (9, 3.0)
    loops = loops_for(MILLISECONDS)
    say(f"{loops} rounds of the loop take {MILLISECONDS} ms")
    seen = {(side, count): [] for side in ("ours", "plain") for count in (1, 2)}
    with Processes() as processes:
        fleets = {count: Fleet(processes, workers=count) for count in (1, 2)}
        time.sleep(0.5)
        for number in range(rounds):
            for count in (1, 2):
                seen["plain", count].append(plain_rate(count, loops, seconds))
                seen["ours", count].append(_ours(fleets[count], count, loops, seconds))
            say(
                f"round {number + 1} of {rounds}: "
                + "; ".join(f"{side} {count}: {rates[-1]:.0f}/s" for (side, count), rates in seen.items())
            )
    _add(report, seen, quick)


def _add(report, seen, quick):
    def ratio(over, under):
        return [a / b for a, b in zip(seen[over], seen[under], strict=True)]

    ours, plain = ratio(("ours", 2), ("ours", 1)), ratio(("plain", 2), ("plain", 1))
    gain, plain_gain = median(ours) - 1, median(plain) - 1
    if plain_gain >= LEAST_GAIN:
        report.add("workers_gain_over_plain_gain", gain / plain_gain)
    else:
        text = f"two plain processes gain only {plain_gain:.2f} over one: other programs have the processors"
        if not quick:
            raise RuntimeError(text)
        report.note(f"workers_gain_over_plain_gain is left out: {text}")
    report.note("gain: what is added, so that twice as many are a gain of 1; speedup: how many times as many")
    report.add("one_worker_over_plain", median(ratio(("ours", 1), ("plain", 1))))
    report.add("speedup_over_plain_speedup", median(ours) / median(plain))
    report.add("two_workers_over_one", median(ours))
    report.add("two_plain_over_one", median(plain))
    for (side, count), rates in seen.items():
        report.add(f"{side}_{count}_rate", median(rates))


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("scaling")
    measure(report, quick)
    return report
