"""Markdown is wrapped, so that it can be read and compared as text."""

import check_tree

COLUMNS = 100


def check(root):
    """Lines of more than COLUMNS, those left out that hold one word and can be broken nowhere."""
    return [
        f"{path}:{number}: {len(line)} columns"
        for path in check_tree.with_suffix(root, ".md")
        for number, line in enumerate(check_tree.text(root, path).splitlines(), 1)
        if len(line) > COLUMNS and " " in line.strip()
    ]
