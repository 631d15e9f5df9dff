"""The benchmarks, and every figure that they give: its name, unit and mark. bench/README.md shows these tables.

`python bench/figures.py` prints them as Markdown. A benchmark that gives another figure fails. Needs no packages.
"""

import fnmatch
import operator
import re
from dataclasses import dataclass

COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "": operator.eq}
MARK = re.compile(r"(<=|>=|<|>|) ?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Figure:
    """name: may have `*` in it, for a family. mark: what the project asks of it ("<= 1.8"; "0" is equality)."""

    name: str
    unit: str
    mark: str = ""
    meaning: str = ""

    def reached(self, value):
        """Whether the value is as good as the mark; None where there is none."""
        if not self.mark:
            return None
        comparison, limit = MARK.fullmatch(self.mark).groups()
        return COMPARISONS[comparison](value, float(limit))


@dataclass(frozen=True)
class Bench:
    """question: what it answers. setup: the parts of scripts/setup that it needs. minutes: its usual length, where
    --minutes can change it. fleet_of_faults: it drives the fleet of tests/faults.
    """

    question: str
    other: str
    figures: tuple
    setup: tuple = ()
    minutes: int = 0
    fleet_of_faults: bool = False

    def figure(self, name):
        """The Figure of that name. KeyError: it is not in the table."""
        for known in sorted(self.figures, key=lambda figure: "*" in figure.name):
            if fnmatch.fnmatchcase(name, known.name):
                return known
        raise KeyError(name)


# What stood in the way of the pages, which share one thread of Node (tests/faults/node_pages.js).
CLIENT = (
    Figure("client_loop_p99_ms", "ms", "", "lateness of the event loop's 1 ms timer"),
    Figure("client_loop_longest_ms", "ms"),
    Figure("client_gc_longest_ms", "ms", "", "of one garbage collection"),
    Figure("client_gc_ms", "ms", "", "of all of them"),
    Figure("client_ran_ms", "ms", "", "that its thread had a processor"),
    Figure("client_queued_ms", "ms", "", "that its thread waited for one"),
)


def _zero(*names, unit="events"):
    return tuple(Figure(name, unit, "0") for name in names)


BENCHES = {
    "roundtrip": Bench(
        "what does a trivial event cost?",
        "a bare ZeroMQ chain (`bare.c`)",
        (
            Figure("p50_over_bare_zmq", "ratio", "<= 1.8", "lone event, over a two-hop ping-pong"),
            Figure("rate_over_bare_broker", "ratio", ">= 0.20", "events a second with 64 in flight"),
            Figure("p99_over_bare_zmq", "ratio"),
            Figure("*lone_p50", "us"),
            Figure("*lone_p99", "us"),
            Figure("*rate_64", "events/s"),
            Figure("*p50_64", "us"),
            Figure("*p99_64", "us"),
        ),
    ),
    "scaling": Bench(
        "what does a second worker gain?",
        "plain Python processes with the same loop",
        (
            Figure("workers_gain_over_plain_gain", "ratio", ">= 0.9", "a second one's gain, both kinds"),
            Figure("one_worker_over_plain", "ratio", ">= 0.93", "2 ms of Python an event"),
            Figure("speedup_over_plain_speedup", "ratio"),
            Figure("two_workers_over_one", "ratio"),
            Figure("two_plain_over_one", "ratio"),
            Figure("ours_*_rate", "events/s", "", "by workers"),
            Figure("plain_*_rate", "events/s", "", "by processes"),
        ),
    ),
    "isolation": Bench(
        "what do slow handlers cost others?",
        "without them; Channels; djust",
        (
            Figure("sleep_p99_ratio", "ratio", "<= 1.5", "8 handlers sleep, 200 await; over without"),
            Figure("burn_other_p99_ratio", "ratio", "<= 1.5", "other worker; over a burner outside"),
            Figure("burn_same_p99_ms", "ms", "< 25", "the same, on its own worker"),
            Figure("*_sleep_p99_ratio", "ratio", "", "over WebSockets, to one uvicorn each"),
            Figure("*_p50_ms", "ms"),
            *(Figure(f"{name}_p99_ms", "ms") for name in ("quiet", "sleep", "burn_other", "outside_other")),
            Figure("*_*_p99_ms", "ms", "", "over WebSockets"),
        ),
    ),
    "render": Bench(
        "what does rendering a template cost?",
        "Django's backend in the same process; djust",
        (
            Figure("table1000_over_django", "ratio", ">= 25", "Django's time over ours"),
            Figure("page_over_django", "ratio", ">= 6", "inheritance and dates"),
            Figure("counter_over_django", "ratio", ">= 2"),
            Figure("*_over_django", "ratio"),
            Figure("*_over_djust", "ratio"),
            Figure("*_*_p50_us", "us"),
            Figure("*_*_p99_us", "us"),
        ),
    ),
    "row-change": Bench(
        "how long from handler to patch?",
        "Django's render; djust's render and diff",
        (
            Figure("turn_us", "us", "<= 150", "rows are dicts"),
            Figure("over_django_render", "ratio", ">= 100"),
            Figure("over_djust", "ratio", ">= 20"),
            Figure("growth_10x", "ratio", "< 11", "10,000 rows over 1,000"),
            Figure("anew_us", "us", "", "the handler makes all rows anew"),
            Figure("things_us", "us", "", "rows are plain objects"),
            Figure("ten_thousand_us", "us"),
            Figure("django_us", "us"),
            Figure("djust_us", "us"),
            Figure("frame_bytes", "bytes"),
        ),
    ),
    "wire": Bench(
        "how many bytes is a change, and a join?",
        "the whole root as HTML; djust",
        (
            Figure("one_cell_bytes", "bytes", "<= 64", "of 1,000 rows"),
            Figure("join_bytes", "bytes", "<= 300", "a page that has its HTML already"),
            Figure("uuid_*_bytes", "bytes", "", "with UUIDs as keys"),
            Figure("djust_*_bytes", "bytes"),
            Figure("*_bytes", "bytes"),
        ),
    ),
    "apply": Bench(
        "what does a change cost in the browser?",
        "idiomorph on the whole root",
        (
            *(Figure(f"{name}_ms", "ms", "<= 0.5") for name in ("one_cell", "append", "prepend", "swap")),
            Figure("*_p95_ms", "ms"),
            Figure("idiomorph_*_ms", "ms"),
            Figure("*_ms", "ms"),
        ),
        setup=("--browser",),
    ),
    "packages": Bench(
        "how large is a patch on packages' pages?",
        "the page's HTML; stock Django",
        (
            Figure("worst_patch_over_html", "ratio", "<= 0.1", "one changed value; without `components`"),
            Figure("states_that_differ", "states", "0", "of its DOM from a parse of Django's page"),
            Figure("*_patch_over_html", "ratio", "", "one changed value: bytes over the page's HTML"),
            Figure("*_over_django", "ratio", "", "rendering: Django's time over ours"),
            Figure("*_html_bytes", "bytes"),
            Figure("*_patch_bytes", "bytes"),
            Figure("*_*_p50_us", "us"),
            Figure("*_*_p99_us", "us"),
        ),
        setup=("--browser",),
    ),
    "memory": Bench(
        "what does a session cost beyond user objects?",
        "the same objects in plain Python",
        (
            Figure("counter_bytes", "bytes", "<= 12288"),
            Figure("table1000_bytes", "bytes", "<= 204800"),
            Figure("*_own_bytes", "bytes", "", "the same views in a plain Python process"),
            Figure("*_sessions", "sessions"),
        ),
    ),
    "snapshot": Bench(
        "what does it cost that state outlives its worker?",
        "the same fleet without a store",
        (
            Figure("counter_ratio", "ratio", ">= 0.90", "events a second with a store over without"),
            Figure("state64k_small_ratio", "ratio", ">= 0.80", "64 KB of state beside the number"),
            Figure("state64k_whole_ratio", "ratio", "", "all of it changes"),
            Figure("*_rate", "events/s"),
            Figure("*_p99", "us"),
        ),
    ),
    "reload": Bench(
        "what do pages notice of a rolling reload?",
        "the same fleet before it",
        (
            Figure("failed", "events", "0", "not done, lost, run twice or out of order"),
            Figure("p99_ms", "ms", "< 250"),
            Figure("p50_ms", "ms"),
            Figure("longest_ms", "ms"),
            Figure("quiet_p99_ms", "ms"),
            Figure("events", "events"),
            Figure("joins", "joins"),
            Figure("reload_s", "s"),
            *CLIENT,
        ),
        setup=("--node",),
        fleet_of_faults=True,
    ),
    "recovery": Bench(
        "how long until pages answer again after a kill?",
        "–",
        (
            Figure("worker_p50_s", "s", "<= 1", "a worker of four is killed"),
            Figure("worker_p99_s", "s", "<= 3"),
            Figure("broker_p99_s", "s", "<= 3", "the broker is killed"),
            *_zero("lost", "twice", "out_of_order", "unanswered"),
            *_zero("fresh", unit="sessions"),
            *_zero("stopped", unit="pages"),
            Figure("problems", "faults", "0", "of the browser's side"),
            Figure("broker_p50_s", "s"),
            Figure("unknown", "events"),
            *CLIENT,
        ),
        setup=("--node",),
        fleet_of_faults=True,
    ),
    "overload": Bench(
        "what happens at five times the fleet's capacity?",
        "its best, in a closed loop",
        (
            *_zero("unanswered"),
            Figure("goodput_ratio", "ratio", ">= 0.9", "done, over the best"),
            Figure("broker_growth_mb", "MB", "< 1"),
            Figure("done_p99_ms", "ms", "< 10000"),
            Figure("goodput_per_processor_ratio", "ratio", "", "per second of processor time"),
            *(Figure(name, "ms") for name in ("done_p50_ms", "busy_p99_ms", "retry_ms")),
            *(Figure(name, "events") for name in ("asked", "done", "busy", "expired")),
            Figure("best_rate", "events/s"),
            Figure("broker_most_mb", "MB"),
        ),
    ),
    "faults": Bench(
        "does a page lose anything?",
        "what its page was told (`tests/faults`)",
        (
            *_zero("lost", "twice", "out_of_order", "two_owners", "unanswered", "overdue", "failed", "unexplained"),
            Figure("fresh", "sessions", "0", "without a reason"),
            Figure("stopped", "pages", "0", "that do not answer in the end"),
            Figure("problems", "faults", "0", "of the browser's side: exceptions, two joins at a time"),
            Figure("faults", "faults"),
            Figure("events", "events"),
            Figure("unknown", "events"),
            Figure("joins", "joins"),
            Figure("answered_p99", "s"),
            Figure("answered_longest", "s"),
        ),
        setup=("--node",),
        minutes=10,
        fleet_of_faults=True,
    ),
    "soak": Bench(
        "does a fleet grow?",
        "itself, when it is warm",
        (
            Figure("rss_growth_percent", "%", "<= 2", "of broker and workers"),
            Figure("fd_growth", "files", "<= 0"),
            Figure("*_mb", "MB"),
            Figure("*_growth_percent", "%"),
            *(Figure(name, "events", "> 0") for name in ("done", "failed", "pushed")),
            Figure("problems", "faults", "0", "of the browser's side"),
        ),
        setup=("--node",),
        minutes=30,
        fleet_of_faults=True,
    ),
}


def table(headings, rows):
    """Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def tables():
    """{heading: Markdown}: of the benchmarks, and of their figures."""
    benches = [
        (f"`{name}`", bench.question + (f" `--minutes {bench.minutes}`" if bench.minutes else ""), bench.other)
        for name, bench in BENCHES.items()
    ]
    figures = [
        (f"`{name}`", f"`{figure.name}`", figure.unit, figure.mark or "–", figure.meaning)
        for name, bench in BENCHES.items()
        for figure in bench.figures
    ]
    return {
        "benches": table(("bench", "question", "the other side"), benches),
        "figures": table(("bench", "figure", "unit", "mark", "what it says"), figures),
    }


if __name__ == "__main__":
    print("\n\n".join(tables().values()))
