"""--reload: a worker starts anew by itself when the code or a template changes, and the page shows it."""

import shutil

import pytest
from browser import Visitor
from fleet import PROJECT


@pytest.fixture
def edited(make_fleet, tmp_path):
    """(fleet, folder) with a copy of the project that may be edited."""
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return make_fleet(workers=1, project=copy, worker=["--reload"]), copy


def edit(path, old, new):
    """Replace a text in a file."""
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))


def test_reload(edited):
    fleet, folder = edited
    worker = fleet.workers["w1"]
    with Visitor(fleet.port).open("/reloaded/") as page:
        assert "template one, before <output>1</output>" in page.shows("increment")
        for path, old, new, shown in [
            (folder / "house/templates/house/reloaded.html", "template one", "template two", "template two, before"),
            (folder / "house/views.py", '"before"', '"after"', "template two, after"),
        ]:
            start = len(worker.text())
            edit(path, old, new)
            worker.wait_line("event=file_changed", start)
            worker.wait_line("event=reloading", start)
            worker.wait_line("event=registered", start)
            assert page.wait_type("lost")["reason"] == "worker_left"
            joined = page.join()
            assert joined["fresh"] is True
            assert shown in joined["views"][0]["html"]
            assert f"{shown} <output>1</output>" in page.shows("increment")
        assert worker.alive  # the same process


def test_edit_that_does_not_parse(edited):
    """The worker says what is wrong and is gone; with the file mended, a new one serves again."""
    fleet, folder = edited
    worker = fleet.workers["w1"]
    with Visitor(fleet.port).open("/reloaded/") as page:
        page.shows("increment")
        worker.may_die = worker.signalled = True
        start = len(worker.text())
        edit(folder / "house/views.py", "class Counter(LiveView):", "class Counter(LiveView:")
        worker.wait_line("event=reloading", start)
        assert page.wait_type("lost")["reason"] == "worker_left"
        # Views are imported when they are asked for, so the worker may live on.
        edit(folder / "house/views.py", "class Counter(LiveView:", "class Counter(LiveView):")
        if not worker.alive:
            fleet.start_worker("w1")
        joined = join_until_shown(page)
        assert "<output>0</output>" in joined["views"][0]["html"]
    fleet.expect_log("SyntaxError|view_not_joined|join_failed|file_changed")


def join_until_shown(page):
    """Join until the view is there again."""
    from fleet import wait_until

    def join():
        frame = page.reconnect()
        return frame if frame["t"] == "joined" and "html" in frame["views"][0] else None

    return wait_until(join, "the page to be joined again", 30)
