"""No file over 600 lines and no function over 80, in C, Python and JavaScript; few C functions over 30 lines; no folder
that is too full to be read at a glance.
"""

import ast
import collections
import re

import check_tree

MAX_FILE = 600
MAX_FUNCTION = 80
MAX_USUAL = 30  # of 95 C functions in 100
FEW = 100  # functions, of fewer no such thing is asked
MAX_FOLDER = 40  # files
# Fuzz corpora are no reading, and each file of tests/python tests one module of a package that is read apart.
FULL_FOLDERS = ("tests/fuzz/corpus", "tests/python")
C_NAME = re.compile(r"^(?:\w[\w\s*]*[\s*])?(\w+)\(")
JS_START = re.compile(
    r"^(?P<indent>\s*)(?!(?:if|for|while|switch|catch|else|try|do|return|class|\})\b)"
    r"(?P<head>.*(?:\bfunction\b.*|=>|\)))\s*\{\s*$"
)


def c_functions(source):
    """Yields (name, first line, lines) of each function; clang-format puts its braces alone into column 0."""
    lines = source.splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            above = next((at for at in range(start - 1, -1, -1) if C_NAME.match(lines[at])), start)
            match = C_NAME.match(lines[above])
            yield (match[1] if match else "?", start + 1, number - start + 1)
            start = None


def python_functions(source):
    """Yields (name, first line, lines) of each function, nested ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def js_functions(source):
    """Yields (head, first line, lines) of each function: its line to the brace at its indentation.

    Functions in it count for themselves, with the comments above them: a module's instance is often a function with
    all of its functions inside, as in other languages a class.
    """
    lines = source.splitlines()
    found = []  # [head, first, last, lines of functions in it]
    for number, line in enumerate(lines):
        match = JS_START.match(line)
        if not match or match["head"].lstrip().startswith(("//", "*")):
            continue
        close = match["indent"] + "}"
        for end in range(number + 1, len(lines)):
            if lines[end].startswith(close):
                found.append([match["head"].strip()[:60], number, end, 0])
                break
    for index, (_, first, last, _) in enumerate(found):
        around = [each for each in found[:index] if each[1] < first and last <= each[2]]
        if around:
            around[-1][3] += last - _with_comment(lines, first) + 1
    for head, first, last, inside in found:
        yield head, first + 1, last - first + 1 - inside


def _with_comment(lines, number):
    """The first line of the comment that stands right above a line, or that line."""
    while number and lines[number - 1].lstrip().startswith(("/**", "*", "//")):
        number -= 1
    return number


READERS = {
    ".c": c_functions,
    ".h": c_functions,
    ".py": python_functions,
    ".js": js_functions,
    ".mjs": js_functions,
}


def folders(root):
    """The problems with folders of too many files."""
    counts = collections.Counter(path.parent for path in check_tree.files(root))
    for folder, count in sorted(counts.items()):
        if count > MAX_FOLDER and not folder.as_posix().startswith(FULL_FOLDERS):
            yield f"{folder}: {count} files, more than {MAX_FOLDER}"


def usual(root):
    """The problem, if any, with the length of most C functions outside of tests."""
    paths = [path for path in check_tree.with_suffix(root, ".c") if path.parts[0] not in ("tests", "bench")]
    lengths = sorted(lines for path in paths for _, _, lines in c_functions(check_tree.text(root, path)))
    if len(lengths) >= FEW and lengths[(len(lengths) - 1) * 95 // 100] > MAX_USUAL:
        yield f"{lengths[(len(lengths) - 1) * 95 // 100]} lines is the 95th percentile of functions, over {MAX_USUAL}"


def check(root):
    """Returns the problems as lines."""
    problems = [*folders(root), *usual(root)]
    for path in check_tree.with_suffix(root, *READERS):
        source = check_tree.text(root, path)
        length = len(source.splitlines())
        if length > MAX_FILE:
            problems.append(f"{path}: {length} lines, more than {MAX_FILE}")
        try:
            functions = list(READERS[path.suffix](source))
        except SyntaxError as error:
            problems.append(f"{path}:{error.lineno}: {error.msg}")
            continue
        for name, line, lines in functions:
            if lines > MAX_FUNCTION:
                problems.append(f"{path}:{line}: {name} has {lines} lines, more than {MAX_FUNCTION}")
    return problems
