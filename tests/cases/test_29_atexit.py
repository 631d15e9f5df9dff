"""A worker that ends in good order does what was registered with atexit; one whose functions hang ends all the same."""

import signal
from pathlib import Path

import pytest
from browser import Visitor

PAGE = "/case_29_atexit/V/"


@pytest.fixture
def ending(make_fleet, tmp_path):
    """A fleet whose worker writes into a folder when it ends."""
    (tmp_path / "at").mkdir()
    return make_fleet(env={"CASES_ATEXIT": str(tmp_path / "at")})


def end(fleet):
    """SIGTERM, as a supervisor sends it; the worker's pid."""
    worker = fleet.workers["w1"]
    worker.signal(signal.SIGTERM)
    assert worker.wait_exit() == 0
    return str(worker.pid)


def test_exit_functions_run_once(ending, tmp_path):
    """Behind the last task of an executor, and threads that are no daemons; then logging's buffers are flushed."""
    ending.expect_log("LookupError: in a function registered with atexit", times=1, name="w1")
    with Visitor(ending.port).open(PAGE) as page:
        page.answer_to(page.post("begin"))
    pid = end(ending)
    for name in ("executor", "thread", "atexit"):
        assert (tmp_path / "at" / name).read_text() == f"{pid}\n"
    assert (tmp_path / "at" / "log").read_text() == "buffered\n"
    assert "event=threads_left" not in ending.workers["w1"].text()


def test_one_that_never_returns(ending, tmp_path):
    """The log says where it hangs, and the worker has ended."""
    ending.expect_log("event=exit_timeout", times=1, name="w1")
    with Visitor(ending.port).open(PAGE) as page:
        page.answer_to(page.post("hang"))
    pid = end(ending)
    assert (tmp_path / "at" / "hangs").read_text() == f"{pid}\n"
    assert 'views.py", line' in ending.workers["w1"].text()


@pytest.mark.parametrize("handler", ["never", "never_either", "nor_by_sync"])
def test_a_thread_that_never_ends(ending, tmp_path, handler):
    """It is named, and does not keep what comes behind it from its flush."""
    ending.expect_log('event=threads_left names="endless"', times=1, name="w1")
    ending.expect_log("LookupError: in a function registered with atexit", times=1, name="w1")
    with Visitor(ending.port).open(PAGE) as page:
        page.answer_to(page.post(handler))
    pid = end(ending)
    assert (tmp_path / "at" / "atexit").read_text() == f"{pid}\n"
    assert (tmp_path / "at" / "log").read_text() == "buffered\n"
    assert "event=exit_timeout" not in ending.workers["w1"].text()


def test_the_time_is_a_setting(make_fleet, tmp_path):
    """Without any, nothing is run."""
    (tmp_path / "at").mkdir()
    sites = Path(__file__).parent / "sites"
    fleet = make_fleet(env={"CASES_ATEXIT": str(tmp_path / "at")}, worker=("--path", sites, "--exit-ms", "0"))
    with Visitor(fleet.port).open(PAGE) as page:
        page.answer_to(page.post("hang"))
    end(fleet)
    assert not list((tmp_path / "at").iterdir())


def test_children_of_multiprocessing(ending, tmp_path):
    ending.expect_log("LookupError: in a function registered with atexit", times=1, name="w1")
    with Visitor(ending.port).open(PAGE) as page:
        page.answer_to(page.post("child"))
    end(ending)
    child = (tmp_path / "at" / "child").read_text().strip()
    assert not Path("/proc", child).exists() or "Z" in Path("/proc", child, "stat").read_text()
