"""Holds what a page was told against what its view has, and against what ran."""

COUNTS = ("lost", "twice", "out_of_order", "unanswered", "overdue", "failed", "unexplained")


def judge(events, rows, runs=None, fresh=0, excuses=()):
    """{count: number} of COUNTS, and "unknown".

    events: the page's, with value, outcome, reason, began, ended, overdue. rows: [(place, number)] that its view has in
    the end, or None: it could not be asked. runs: {number: how often it ran}. fresh: how often the page met a new
    session in place of its own. excuses: [(reason, from, to)]: when an event may have become unknown for that reason.
    """
    places, numbers = [place for place, _ in rows or ()], [number for _, number in rows or ()]
    done = [event.value for event in events if event.outcome == "done"]
    unknown = [event for event in events if event.outcome == "unknown"]
    holes = set(range(1, max(places, default=0) + 1)) - set(places)
    again = sum(count - 1 for count in (runs or {}).values())
    return {
        "lost": len(set(done) - set(numbers)) + len(holes) + fresh,
        "twice": max(len(numbers) - len(set(numbers)), again),
        "out_of_order": sum(one > other for one, other in zip(numbers, numbers[1:], strict=False)),
        "unanswered": sum(event.outcome is None for event in events) + (rows is None),
        "overdue": sum(event.overdue for event in events),
        "failed": sum(event.outcome == "failed" for event in events),
        "unexplained": sum(not _is_explained(event, excuses) for event in unknown),
        "unknown": len(unknown),
    }


def _is_explained(event, excuses):
    return any(
        reason == event.reason and event.began <= end and event.ended >= begin for reason, begin, end in excuses
    )


def read_trace(path):
    """{page: {number: how often it ran}}."""
    runs = {}
    for page, number, _, _ in trace_lines(path):
        of = runs.setdefault(page, {})
        of[int(number)] = of.get(int(number), 0) + 1
    return runs


def trace_lines(path):
    """[page, number, pid, seconds] of each run, in their order."""
    with open(path) as lines:
        return [line.split() for line in lines]
