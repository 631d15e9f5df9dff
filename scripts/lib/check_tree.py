"""Which files a gate looks at."""

import os
import pathlib
import subprocess

NOT_OURS = {"node_modules", "vendor", "__pycache__", ".git"}


def ours(path):
    """Whether a relative path is source of this repository: nothing built, installed or vendored."""
    return not any(
        part in NOT_OURS or part.startswith((".venv", "build-")) or part == "build"
        for part in path.parts[:-1]
    )


def files(root):
    """Relative paths of all files that are or could be committed: tracked ones, and new ones not ignored.

    Outside of git: all files. Sorted; what was deleted or is a link is left out.
    """
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        found = {pathlib.Path(name) for name in names if name}
    else:
        found = {
            pathlib.Path(folder, name).relative_to(root)
            for folder, _, inside in os.walk(root)
            for name in inside
        }
    return sorted(
        path for path in found if ours(path) and (root / path).is_file() and not (root / path).is_symlink()
    )


def with_suffix(root, *suffixes):
    """Those of files(root) whose name ends so."""
    return [path for path in files(root) if path.suffix in suffixes]


def text(root, path):
    """The file's text; bytes that are no UTF-8 become replacement characters."""
    return (root / path).read_text(encoding="utf-8", errors="replace")


def shell_scripts(root):
    """Files named *.sh, and those without a suffix whose first line asks for sh or bash."""
    found = []
    for path in files(root):
        if path.suffix == ".sh":
            found.append(path)
        elif not path.suffix:
            with open(root / path, "rb") as file:
                first = file.readline(80)
            if first.startswith(b"#!") and first.split()[-1].rsplit(b"/", 1)[-1] in (b"sh", b"bash"):
                found.append(path)
    return found
