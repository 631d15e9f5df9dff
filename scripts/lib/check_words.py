"""Words that no file here may hold."""

import re

import check_tree

# Put together here, so that this file does not hold them itself.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
    )
)
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
RANDOM_BYTES = ("tests", "fuzz", "corpus")


def lines_with(root, path, pattern):
    """Yields "path:line: the match" for each line that the pattern is found in."""
    for number, line in enumerate(check_tree.text(root, path).splitlines(), 1):
        match = pattern.search(line)
        if match:
            yield f"{path}:{number}: {match[0]}"


def check_registries(root):
    """No package registry's host is named: which one to use is for the machine's own configuration to say."""
    pattern = re.compile("|".join(re.escape(host) for host in HOSTS), re.IGNORECASE)
    return [line for path in check_tree.files(root) for line in lines_with(root, path, pattern)]


def check_unfinished(root):
    """Nothing is left for later in a comment: it is done, or an issue."""
    return [
        line
        for path in check_tree.files(root)
        if path.parts[:3] != RANDOM_BYTES
        for line in lines_with(root, path, UNFINISHED)
    ]
