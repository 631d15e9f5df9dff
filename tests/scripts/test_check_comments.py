"""scripts/check comments: what a C file lacks on top, or names wrongly, is found."""

import check_comments


def write(root, path, text):
    """A file of the tree."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_comments_on_top(tmp_path):
    write(tmp_path, "broker/a.c", "// What it is for.\nint a;\n")
    write(tmp_path, "broker/b.c", "/* What it is for. */\nint b;\n")
    assert check_comments.check(tmp_path, 0) == []
    write(tmp_path, "broker/c.c", '#include "a.h"\n// What follows.\n')
    assert check_comments.check(tmp_path, 0) == ["broker/c.c: no comment on top that says what it is for"]


def test_comments_are_enough(tmp_path):
    write(tmp_path, "broker/a.c", "// Why.\n" + "int a; // not counted\n\n" * 9)
    write(tmp_path, "tests/a.c", "// Not counted either.\n" + "int a;\n" * 90)
    assert check_comments.check(tmp_path, 0.1) == []
    write(tmp_path, "broker/b.c", "/* Why,\n   at length. */\n" + "int b;\n" * 19)
    assert check_comments.check(tmp_path, 0.1) == ["3 of 31 lines of C are comments: 9.7%, less than 10%"]


def test_comments_name_what_is_there(tmp_path):
    write(tmp_path, "broker/a.h", "// a - beside b.c.\nint a; /* Of b.c. */\n")
    write(tmp_path, "broker/b.c", "// What it is for; <time.h>, x/y.c and f.c() are no files of ours.\nint b;\n")
    assert check_comments.check(tmp_path, 0) == []
    write(tmp_path, "broker/c.h", "// b - what it was.\nint c; // see a.c\n")
    assert check_comments.check(tmp_path, 0) == ["broker/c.h:1: opens as b", "broker/c.h:2: no file a.c"]
