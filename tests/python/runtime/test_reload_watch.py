"""What a worker does not reload for."""

from troupe.runtime import reload


def test_a_half_written_file_waits_until_it_compiles(monkeypatch, tmp_path):
    file = tmp_path / "models.py"
    texts = iter(["def f(:\n", "\0", "def f(): pass\n"])
    looks = iter([{str(file): stamp} for stamp in range(4)])
    monkeypatch.setattr(reload, "scan", lambda: next(looks))
    changed, lines = [], []
    thread = reload.watch(lambda: changed.append(1), pause=lambda: file.write_text(next(texts)), log=lines.append)
    thread.join(10)
    assert not thread.is_alive() and changed == [1]
    assert ["file_does_not_compile" in line for line in lines] == [True, True, False]
    assert str(file) in lines[0]


def test_a_page_can_say_what_is_wrong_with_its_view(monkeypatch, tmp_path):
    file = tmp_path / "views.py"
    file.write_text("def f(:\n")
    looks = iter([{}, {str(file): 1}, {str(file): 2}])  # imported for the page, after the start
    monkeypatch.setattr(reload, "scan", lambda: next(looks))
    changed = []
    reload.watch(lambda: changed.append(1), pause=lambda: None, log=lambda line: None).join(10)
    assert changed == [1]


def test_other_files_are_not_compiled(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("{% if %}")
    assert reload._compiles(str(page)) and reload._compiles(str(tmp_path / "gone.py"))
