"""scripts/check markdown: a line that is too long is found, whatever it holds."""

import check_markdown


def test_lines_that_fit(tmp_path):
    (tmp_path / "a.md").write_text("x" * 100 + "\n[1]:" + "y" * 120 + "\n")
    (tmp_path / "a.py").write_text("# " + "x" * 200)
    assert check_markdown.check(tmp_path) == []


def test_lines_that_are_too_long(tmp_path):
    (tmp_path / "a.md").write_text("é" * 50 + " " + "é" * 49 + "\nb " + "b" * 99 + "\n| c | " + "c" * 100 + " |\n")
    assert check_markdown.check(tmp_path) == ["a.md:2: 101 columns", "a.md:3: 108 columns"]
