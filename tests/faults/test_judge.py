"""The judge finds what is wrong: a check that everything passes is none."""

import pytest
from history import Event
from judge import COUNTS, judge, read_trace


def page(*outcomes):
    """Events 1, 2, … that began at 10, 20, … and ended 5 later."""
    events = []
    for number, outcome in enumerate(outcomes, 1):
        event = Event(number)
        event.outcome, event.began, event.ended = outcome, 10.0 * number, 10.0 * number + 5
        event.reason = "worker_lost" if outcome == "unknown" else None
        events.append(event)
    return events


def wrong(*arguments, **more):
    """What is not 0."""
    return {name: number for name, number in judge(*arguments, **more).items() if number and name in COUNTS}


def test_nothing_is_wrong():
    rows, runs = [(1, 1), (2, 2), (3, 4)], {1: 1, 2: 1, 4: 1}
    excuses = [("worker_lost", 29.0, 31.0)]
    assert wrong(page("done", "done", "unknown", "done"), rows, runs, 0, excuses) == {}
    assert judge(page("done", "unknown"), [(1, 1)], excuses=excuses)["unknown"] == 1


@pytest.mark.parametrize(
    "rows, found",
    [
        ([(1, 1)], {"lost": 1}),
        ([(1, 1), (3, 2)], {"lost": 1}),
        ([(1, 1), (2, 2), (3, 2)], {"twice": 1}),
        ([(1, 2), (2, 1)], {"out_of_order": 1}),
        (None, {"lost": 2, "unanswered": 1}),
    ],
    ids=["lost", "a hole", "twice", "out of order", "not asked"],
)
def test_histories(rows, found):
    assert wrong(page("done", "done"), rows) == found


def test_what_ran_twice_and_is_seen_once():
    assert wrong(page("done"), [(1, 1)], {1: 2}) == {"twice": 1}


def test_outcomes():
    assert wrong(page("done", None, "failed"), [(1, 1)]) == {"unanswered": 1, "failed": 1}
    assert wrong(page("done"), [(1, 1)], fresh=1) == {"lost": 1}
    late = page("done")
    late[0].overdue = True
    assert wrong(late, [(1, 1)]) == {"overdue": 1}


@pytest.mark.parametrize("excuse", [("timeout", 0, 99), ("worker_lost", 16, 99), ("worker_lost", 0, 9)])
def test_unknown_without_an_excuse(excuse):
    assert wrong(page("unknown"), [], excuses=[excuse]) == {"unexplained": 1}


def test_trace(tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("page1 1 77 5.0\npage2 1 77 5.1\npage1 2 77 5.2\npage1 1 78 6.0\n")
    assert read_trace(trace) == {"page1": {1: 2, 2: 1}, "page2": {1: 1}}
