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


def save(path, old, new, worker, start):
    """Edit a file and wait until the worker says that it saw it."""
    edit(path, old, new)
    worker.wait_line("event=file_changed", start)


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
            save(path, old, new, worker, start)
            worker.wait_line("event=reloading", start)
            worker.wait_line("event=registered", start)
            assert page.wait_type("lost")["reason"] == "worker_left"
            joined = page.join()
            assert joined["fresh"] is True
            assert shown in joined["views"][0]["html"]
            assert f"{shown} <output>1</output>" in page.shows("increment")
        assert worker.alive  # the same process


def test_edit_that_does_not_parse(edited):
    """The page is told that it cannot be shown, the log says why; with the file mended, it can."""
    fleet, folder = edited
    worker = fleet.workers["w1"]
    with Visitor(fleet.port).open("/reloaded/") as page:
        page.shows("increment")
        start = len(worker.text())
        save(folder / "house/views.py", "class Counter(LiveView):", "class Counter(LiveView:", worker, start)
        worker.wait_line("event=registered", start)
        fleet.expect_reports(1, "SyntaxError")
        fleet.expect_log("event=view_not_joined view=house.views.Reloaded kind=python .*views.py", times=1, name="web")
        joined = page.join()
        assert joined["views"][0]["error"]["kind"] == "python"
        edit(folder / "house/views.py", "class Counter(LiveView:", "class Counter(LiveView):")
        joined = page.reconnect()
        assert "<output>0</output>" in joined["views"][0]["html"]
