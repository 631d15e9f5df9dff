#!/usr/bin/env python3
"""common/limits.def for Python and JavaScript: writes the two files that are made from it.

    scripts/lib/limits_table.py     after a change of common/limits.def; then commit what it wrote
"""

import pathlib
import re
import sys

SOURCE = "common/limits.def"
PYTHON = "python/troupe/_limits.py"
JAVASCRIPT = "python/troupe/static/troupe/limits.js"
ROW = re.compile(r'^(BROWSER_)?LIMIT\((\w+), ([\d\s<*+()-]+), "([^"]+)"\)$', re.MULTILINE)


def rows(source):
    """[(name, expression, what it bounds, whether the browser's side has it)] of limits.def's text."""
    return [(name, value, comment, bool(browser)) for browser, name, value, comment in ROW.findall(source)]


def values(source):
    """{name: number} of limits.def's text."""
    return {name: eval(value, {"__builtins__": {}}) for name, value, _, _ in rows(source)}


def _python(source):
    lines = [f"{name} = {value}  # {comment}" for name, value, comment, _ in rows(source)]
    return "\n".join([f'"""Made from {SOURCE} by scripts/lib/limits_table.py. Don\'t edit."""', "", *lines, ""])


def _javascript(source):
    lines = [f"export const {name} = {value} // {comment}" for name, value, comment, browser in rows(source) if browser]
    return "\n".join([f"// Made from {SOURCE} by scripts/lib/limits_table.py. Don't edit.", *lines, ""])


def made(source):
    """{path: text} of the files that limits.def's text makes."""
    return {PYTHON: _python(source), JAVASCRIPT: _javascript(source)}


def check(root):
    """Returns the problems as lines: rows that cannot be read, files that are older than the table."""
    path = root / SOURCE
    if not path.exists():
        return []
    source = path.read_text()
    found = len(re.findall(r"^(?:BROWSER_)?LIMIT\(", source, re.MULTILINE))
    if found != len(rows(source)):
        return [f"{SOURCE}: {found} rows, but {len(rows(source))} of the form LIMIT(NAME, integer, \"what\")"]
    return [
        f"{name}: not what {SOURCE} makes of it; run scripts/lib/limits_table.py"
        for name, text in made(source).items()
        if not (root / name).is_file() or (root / name).read_text() != text
    ]


def main():
    """Writes the files; returns the exit code."""
    root = pathlib.Path(__file__).resolve().parents[2]
    for name, text in made((root / SOURCE).read_text()).items():
        (root / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
