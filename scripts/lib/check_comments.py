"""Every C file says on top what it is for, under its own name, and enough of its lines are comments."""

import re

import check_tree

NAMED_FILE = re.compile(r"(?<![\w/.<-])([a-z_0-9]+\.(?:c|h|def))\b(?!\()")
LEAST = 0.10  # of the lines of all .c files that are not empty


def comment_lines(source):
    """How many lines are nothing but comment. Comments that stand behind code do not count."""
    count, inside = 0, False
    for line in map(str.strip, source.splitlines()):
        starts = line.startswith(("//", "/*"))
        count += starts or inside
        if starts and line.startswith("/*") or inside:
            inside = "*/" not in line
    return count


def measure(root):
    """(comment lines, lines that are not empty) of all .c files outside of tests."""
    sources = [check_tree.text(root, path) for path in own(root)]
    return sum(map(comment_lines, sources)), sum(1 for text in sources for line in text.splitlines() if line.strip())


def own(root):
    """The .c files of what is shipped."""
    return [path for path in check_tree.with_suffix(root, ".c") if path.parts[0] not in ("tests", "bench")]


def misnamed(root):
    """Lines for headers that open with another module's name, and for files in comments that are not there."""
    names = {path.name for path in check_tree.files(root)}
    for path in check_tree.with_suffix(root, ".c", ".h", ".def"):
        text = check_tree.text(root, path)
        opening = re.match(r"// (\w+) - ", text)
        if path.suffix == ".h" and opening and opening[1] != path.stem:
            yield f"{path}:1: opens as {opening[1]}"
        for number, line in enumerate(text.splitlines(), 1):
            comment = re.search(r"//.*|^ ?\*.*|/\*.*", line)
            for name in NAMED_FILE.findall(comment[0]) if comment else ():
                if name not in names:
                    yield f"{path}:{number}: no file {name}"


def check(root, least=LEAST):
    """Returns the problems as lines."""
    problems = [
        f"{path}: no comment on top that says what it is for"
        for path in check_tree.with_suffix(root, ".c")
        if not check_tree.text(root, path).lstrip().startswith(("//", "/*"))
    ]
    problems += misnamed(root)
    comments, lines = measure(root)
    if comments < least * lines:
        problems.append(f"{comments} of {lines} lines of C are comments: {comments / lines:.1%}, less than {least:.0%}")
    return problems
