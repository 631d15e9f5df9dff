"""Five times the fleet's capacity: is every event answered, is the broker's memory bounded, does throughput hold?

Handlers compute for 2 ms in a calibrated loop: sleeping ones are no load for a worker with 32 threads. One core is left
to the broker and the load generator, so that overload is measured and not contention for processors. Three rounds: the
capacity, in a closed loop; an open loop at five times that rate, from pages that have one unanswered event each and
send the next under the number that the answer asks for; then the capacity again.
"""

import json
import os
import subprocess
import threading

from harness import BUILD, START_SECONDS, Fleet, Processes, Report, group, median, say
from scaling import loops_for

MILLISECONDS = 2.0
TIMES = 5
CLOSED = 64  # in flight, for each worker
PAGES = 1000
TTL_MS = 10_000
WORKERS = max(1, (os.cpu_count() or 2) - 1)
SETTLED = 5.0  # seconds after which a process has what it needs


class Memory:
    """Resident memory of a process, seen twice a second while the block runs: `seen`, in MB."""

    def __init__(self, pid):
        self._path, self.seen = f"/proc/{pid}/statm", []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while not self._over.wait(0.5):
            with open(self._path) as figures:
                self.seen.append(int(figures.read().split()[1]) * page)

    def growth(self):
        """From when it had settled to its end."""
        settled = self.seen[int(SETTLED * 2) :] or self.seen
        quarter = max(1, len(settled) // 4)
        return median(settled[-quarter:]) - median(settled[:quarter])


def _processor_seconds(fleet):
    seconds = 0
    for pid in fleet.pids:
        with open(f"/proc/{pid}/stat") as figures:
            seconds += sum(map(int, figures.read().rpartition(")")[2].split()[11:13]))
    return seconds / os.sysconf("SC_CLK_TCK")


def flood(fleet, seconds, loops, pages, **more):
    """What troupe-bench-flood saw; `per_second` is how much was done for each second of the workers' processors."""
    load = group("flood", "spin", pages, loops=loops, **more)
    command = [BUILD / "bench" / "troupe-bench-flood", "--front", fleet.front, "--measure", round(seconds * 1000), load]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([str(part) for part in command], **pipes) as running:
        try:
            first = running.stderr.readline()
            before = _processor_seconds(fleet)
            output, errors = running.communicate(timeout=seconds + 2 * START_SECONDS)
        finally:
            running.kill()
    if running.returncode:
        raise RuntimeError(f"the load generator failed\n{first}{errors}")
    seen = json.loads(output)
    seen["per_second"] = seen["done_ever"] / (_processor_seconds(fleet) - before)
    if seen["other"] or seen["unsent"]:
        raise RuntimeError(f"{seen['other']} strange answers, {seen['unsent']} not sent\n{errors[-2000:]}")
    return seen


def _measure(processes, quick):
    """(each flood's figures, the broker's memory, each closed loop's: one before each flood and one at the end)."""
    rounds, closed, flooded = (1, 3, 10) if quick else (3, 7, 20)
    loops = loops_for(MILLISECONDS)
    say(f"{loops} rounds of the loop take {MILLISECONDS} ms")
    fleet = Fleet(processes, workers=WORKERS)
    best, floods = [flood(fleet, closed, loops, CLOSED * WORKERS)], []
    with Memory(fleet.broker.popen.pid) as memory:
        for number in range(rounds):
            rate = round(TIMES * max(load["rate"] for load in best))
            floods.append(flood(fleet, flooded, loops, PAGES * WORKERS, rate=rate))
            best.append(flood(fleet, closed, loops, CLOSED * WORKERS))
            seen = [best[-2]["rate"], floods[-1]["rate"], best[-1]["rate"]]
            say(
                f"round {number + 1} of {rounds}: {seen[0]:.0f} events/s at best; {seen[1]:.0f} of {rate}; "
                f"{seen[2]:.0f} at best again; the broker has {memory.seen[-1]:.2f} MB"
            )
    return floods, memory, best


def _ratio(floods, best, name):
    """Of a flood's figure over those of the closed loops before and after it; the median."""
    pairs = zip(best[:-1], best[1:], strict=True)
    return median([2 * flood[name] / (a[name] + b[name]) for flood, (a, b) in zip(floods, pairs, strict=True)])


def run(quick):
    """The whole benchmark; a Report."""
    report = Report("overload")
    with Processes() as processes:
        floods, memory, best = _measure(processes, quick)
    total = {name: sum(flood[name] for flood in floods) for name in ("unanswered", "asked", "done", "busy", "expired")}
    report.add("unanswered", total["unanswered"])
    report.add("goodput_ratio", _ratio(floods, best, "rate"))
    report.add("broker_growth_mb", memory.growth())
    report.add("done_p99_ms", max(flood["done_p99_ms"] for flood in floods))
    report.add("goodput_per_processor_ratio", _ratio(floods, best, "per_second"))
    for name in ("done_p50_ms", "busy_p99_ms", "retry_ms"):
        report.add(name, median([flood[name] for flood in floods]))
    for name in ("asked", "done", "busy", "expired"):
        report.add(name, total[name])
    report.add("best_rate", median([load["rate"] for load in best]))
    report.add("broker_most_mb", max(memory.seen))
    report.note(
        f"{WORKERS} worker(s), handlers of {MILLISECONDS} ms; the second ratio is of what is done in a second of the "
        "workers' own processor time, which other programs on this machine change less"
    )
    return report
