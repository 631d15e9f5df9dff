"""The reload thread's eyes: which change counts."""

import os
import queue

from troupe.runtime import reload


def test_what_counts_as_a_change():
    before = {"/p/views.py": 1, "/p/t.html": 1}
    assert reload.changed_file(before, dict(before)) is None
    assert reload.changed_file(before, {"/p/views.py": 2, "/p/t.html": 1}) == "/p/views.py"
    assert reload.changed_file(before, {"/p/views.py": 1}) == "/p/t.html"
    assert reload.changed_file(before, {**before, "/p/new.html": 1}) == "/p/new.html"
    assert reload.changed_file(before, {**before, "/p/imported_late.py": 1}) is None
    assert reload.changed_file(before, {**before, "/p/imported_late.py": 7}, scanned_ns=7) is None
    assert reload.changed_file(before, {**before, "/p/saved_late.py": 8}, scanned_ns=7) == "/p/saved_late.py"


def test_the_projects_files_are_watched():
    stamps = reload.scan()
    assert os.path.abspath(reload.__file__) in stamps


def test_it_says_so_once(monkeypatch):
    looks = iter([{"a.py": 1}, {"a.py": 1}, {"a.py": 1, "b.py": 1}, {"a.py": 1, "b.py": 2}])
    monkeypatch.setattr(reload, "scan", lambda: next(looks))
    changed, lines = queue.Queue(), []
    thread = reload.watch(lambda: changed.put("changed"), pause=lambda: None, log=lines.append)
    assert changed.get(timeout=120) == "changed"
    thread.join(10)
    assert not thread.is_alive() and changed.empty()
    assert 'file="b.py"' in lines[0]
