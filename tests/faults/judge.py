"""Compares the outcomes that a page was told with its view's state and with the trace of executed handlers."""

import time
from collections import Counter
from dataclasses import dataclass

COUNTS = (
    "lost",
    "twice",
    "out_of_order",
    "two_owners",
    "unanswered",
    "overdue",
    "failed",
    "unexplained",
    "fresh",
    "stopped",
    "problems",
)


class Event:
    """One number that a page is to append, or something else that its view can do. outcome: None until it is known;
    reason: of one that is not "done".
    """

    def __init__(self, value, name="append"):
        self.value, self.name = value, name
        self.outcome, self.reason, self.overdue = None, None, False
        self.began, self.ended = time.monotonic(), None


@dataclass(frozen=True)
class Run:
    """One line of the trace: a handler ran. token: whose turn as the session's owner it was."""

    page: str
    number: int
    pid: int
    token: int
    at: float


def judge(events, rows, runs=(), fresh=0, excuses=(), problems=()):
    """{count: number} of COUNTS, and "unknown".

    events: the page's, with value, outcome, reason, began, ended, overdue. rows: [(place, number)] that its view has in
    the end, or None: it could not be asked. runs: the page's part of the trace. fresh: how often the page met a new
    session in place of its own. excuses: [(reason, from, to)]: when an event may have become unknown for that reason.
    problems: what the page's own code did that it must not.
    """
    places, numbers = [place for place, _ in rows or ()], [number for _, number in rows or ()]
    done = [event.value for event in events if event.outcome == "done"]
    unknown = [event for event in events if event.outcome == "unknown"]
    holes = set(range(1, max(places, default=0) + 1)) - set(places)
    again = sum(count - 1 for count in Counter(run.number for run in runs).values())
    owners = {(run.token, run.pid) for run in runs}
    return {
        "lost": len(set(done) - set(numbers)) + len(holes),
        "twice": max(len(numbers) - len(set(numbers)), again),
        "out_of_order": sum(number > other for number, other in zip(numbers, numbers[1:], strict=False)),
        "two_owners": len(owners) - len({token for token, _ in owners}),
        "unanswered": sum(event.outcome is None for event in events),
        "overdue": sum(event.overdue for event in events),
        "failed": sum(event.outcome == "failed" for event in events),
        "unexplained": sum(not _is_explained(event, excuses) for event in unknown),
        "fresh": fresh,
        "stopped": int(rows is None),
        "problems": len(problems),
        "unknown": len(unknown),
    }


def _is_explained(event, excuses):
    return any(reason == event.reason and event.began <= end and event.ended >= begin for reason, begin, end in excuses)


def read_trace(path):
    """{page: [Run, …]}, in their order."""
    pages = {}
    with open(path) as lines:
        for line in lines:
            page, number, pid, token, at = line.split()
            pages.setdefault(page, []).append(Run(page, int(number), int(pid), int(token), float(at)))
    return pages
