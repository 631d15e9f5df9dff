"""The judge finds what is wrong: a check that everything passes is none."""

import pytest
from judge import COUNTS, Event, Run, judge, read_trace


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


def ran(*runs):
    """A trace of (number, pid, token)."""
    return [Run("page1", *run, at) for at, run in enumerate(runs)]


def test_nothing_is_wrong():
    rows, runs = [(1, 1), (2, 2), (3, 4)], ran((1, 77, 5), (2, 77, 5), (4, 78, 6))
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
        (None, {"lost": 2, "stopped": 1}),
    ],
    ids=["lost", "a hole", "twice", "out of order", "not asked"],
)
def test_histories(rows, found):
    assert wrong(page("done", "done"), rows) == found


def test_what_ran_twice_and_is_seen_once():
    assert wrong(page("done"), [(1, 1)], ran((1, 77, 5), (1, 78, 6))) == {"twice": 1}


def test_two_workers_that_own_it():
    runs = ran((1, 77, 5), (2, 78, 5))
    assert wrong(page("done", "done"), [(1, 1), (2, 2)], runs) == {"two_owners": 1}


def test_outcomes():
    assert wrong(page("done", None, "failed"), [(1, 1)]) == {"unanswered": 1, "failed": 1}
    assert wrong(page("done"), [(1, 1)], fresh=1, problems=["x"]) == {"fresh": 1, "problems": 1}
    late = page("done")
    late[0].overdue = True
    assert wrong(late, [(1, 1)]) == {"overdue": 1}


@pytest.mark.parametrize("excuse", [("timeout", 0, 99), ("worker_lost", 16, 99), ("worker_lost", 0, 9)])
def test_unknown_without_an_excuse(excuse):
    assert wrong(page("unknown"), [], excuses=[excuse]) == {"unexplained": 1}


def test_trace(tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("page1 1 77 5 1.5\npage2 1 77 6 1.6\npage1 2 78 7 1.7\n")
    assert read_trace(trace) == {
        "page1": [Run("page1", 1, 77, 5, 1.5), Run("page1", 2, 78, 7, 1.7)],
        "page2": [Run("page2", 1, 77, 6, 1.6)],
    }
