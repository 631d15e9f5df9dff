"""Every C header has an include guard around all of it, and no two have the same: the second would be empty."""

import re

import check_tree

GUARD = re.compile(r"^#ifndef (\w+)\n#define \1\b.*^#endif[^\n]*\s*\Z", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def check(root):
    """Returns the problems as lines."""
    problems, seen = [], {}
    for path in check_tree.with_suffix(root, ".h"):
        match = GUARD.match(COMMENT.sub("", check_tree.text(root, path)).strip())
        if not match:
            problems.append(f"{path}: no include guard around all of it")
        elif match[1] in seen:
            problems.append(f"{path}: the include guard {match[1]} is {seen[match[1]]}'s")
        else:
            seen[match[1]] = path
    return problems
