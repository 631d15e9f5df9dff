"""One cell of a table of 1,000 rows changes: what does it cost from the handler's return to the patch in the frame?

Beside it, in turns: Django's render of the same page alone, and djust's render and diff of the same table. Then the
same with 10,000 rows, with rows that are made anew in each event, and with plain objects as rows. The turns run in
this process: no broker, no socket.
"""

import json
import subprocess
import time

from harness import PROJECT, Processes, Report, environment, median, say
from isolation import DJUST, _djust_python

ROWS, MORE = 1000, 10000
TURNS, RENDERS, DIFFS = 60, 5, 3


class Troupe:
    """A page with a table, and what its turns took. things: rows are plain objects."""

    def __init__(self, rows, things=False, change="one_cell"):
        from benched.tables import TableView
        from turns import Page

        view = TableView()
        view.fill(rows, things=things)
        self.page, self.frame, self.change = Page(view), b"", change
        for _ in range(10):
            self.page.timed(name=change)

    def seconds(self, times):
        """The median of so many turns."""
        taken = []
        for _ in range(times):
            sample, self.frame = self.page.timed(name=self.change)
            taken.append(sample)
        return median(taken)


class Djust:
    """A peer process with djust's table. RuntimeError: it does not install."""

    def __init__(self):
        env = environment({"DJANGO_SETTINGS_MODULE": "benched_djust.settings", "PYTHONPATH": str(PROJECT)})
        self.peer = subprocess.Popen(
            [_djust_python(), "-m", "benched_djust.tables"],
            cwd=PROJECT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self.peer.stdout.readline() != "ready\n":
            raise RuntimeError(f"its peer ended with {self.peer.wait()}")

    def seconds(self, times):
        """The median of so many renders and diffs."""
        self.peer.stdin.write(json.dumps({"rows": ROWS, "times": times}) + "\n")
        self.peer.stdin.flush()
        return median(json.loads(self.peer.stdout.readline()))

    def close(self):
        """Ends the peer."""
        self.peer.stdin.close()
        self.peer.wait(10)
        self.peer.stdout.close()


class Django:
    """The render of the same page by Django alone."""

    def __init__(self):
        from benched.tables import TableView, django_render

        view = TableView()
        view.fill(ROWS)
        self.render = django_render(view)

    def seconds(self, times):
        """The median of so many."""
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            self.render()
            taken.append(time.perf_counter() - start)
        return median(taken)


def _sides(report, quick):
    sides = {"turn": (Troupe(ROWS), TURNS), "things": (Troupe(ROWS, things=True), TURNS // 3)}
    sides["anew"] = (Troupe(ROWS, change="one_cell_anew"), TURNS // 3)
    sides["ten"] = (Troupe(MORE), TURNS // 3)
    sides["django"] = (Django(), RENDERS)
    if quick:
        return sides
    try:
        sides["djust"] = (Djust(), DIFFS)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        report.note(f"djust {DJUST} is left out: {error}")
    return sides


def measure(report, quick):
    """Adds the figures, the sides in turns."""
    rounds = 2 if quick else 9
    sides = _sides(report, quick)
    seen = {name: [] for name in sides}
    for number in range(rounds):
        for name, (side, times) in sides.items():
            seen[name].append(side.seconds(times))
        say(f"round {number + 1} of {rounds}: " + ", ".join(f"{k} {v[-1] * 1e6:.0f} µs" for k, v in seen.items()))

    def ratio(over, under="turn"):
        return median([a / b for a, b in zip(seen[over], seen[under], strict=True)])

    report.add("turn_us", median(seen["turn"]) * 1e6)
    report.add("over_django_render", ratio("django"))
    if "djust" in sides:
        report.add("over_djust", ratio("djust"))
        sides["djust"][0].close()
    report.add("growth_10x", ratio("ten"))
    report.add("anew_us", median(seen["anew"]) * 1e6)
    report.add("things_us", median(seen["things"]) * 1e6)
    report.add("ten_thousand_us", median(seen["ten"]) * 1e6)
    for name in ("django", "djust"):
        if name in seen:
            report.add(f"{name}_us", median(seen[name]) * 1e6)
    report.add("frame_bytes", len(sides["turn"][0].frame))
    report.note("turn_us: rows are dicts; anew_us: all of them made anew by the handler; things_us: plain objects")
    report.note("there are no snapshots yet")


def run(quick):
    """The whole benchmark; a Report."""
    import turns

    turns.set_up()
    report = Report("row-change")
    with Processes():
        measure(report, quick)
    return report
