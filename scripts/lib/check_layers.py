"""Who may include whom: the arrows of docs/ARCHITECTURE.md, read off the #include lines."""

import pathlib
import re

import check_tree

PYTHON_ROOMS = ("worker/py/filters", "worker/py/template", "worker/py/live", "worker/py")  # each may use those before
PYTHON = "worker/py/python"  # python.h, which all of them include
ROOMS = ("common", "proto", "broker", *PYTHON_ROOMS, "worker", "fleet")
# room: the rooms that its files may include.
MAY = {
    "common": {"common"},
    "proto": {"common", "proto"},
    "broker": {"common", "proto", "broker"},
    "worker": {"common", "proto", "worker"},
    "worker/main": {"common", "proto", "worker", "worker/py"},
    PYTHON: set(),
    **{
        room: {"common", "proto", "worker", PYTHON, *PYTHON_ROOMS[: at + 1]} for at, room in enumerate(PYTHON_ROOMS)
    },
    "fleet": {"common", "proto", "fleet"},
}
FREE = ("tests", "bench")  # may include anything
# A header from outside, and the rooms that may include it.
OUTSIDE = (
    (
        re.compile(
            r"(Python|structmember|frameobject|pythread|datetime|marshal)\.h$|(cpython|internal/pycore.*)/"
        ),
        {PYTHON, *PYTHON_ROOMS},
    ),
    (re.compile(r"msgpack(\.h$|/)"), {"proto", "worker/py"}),
    (re.compile(r"c?zmq\w*\.h$"), {"broker", "worker", "worker/main", "fleet"}),
)
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.MULTILINE)


def room_of(path):
    """The room of a relative path, as text; None outside of all rooms."""
    name = path.as_posix()
    if name == "worker/main.c":
        return "worker/main"
    if name == PYTHON + ".h":
        return PYTHON
    return next((room for room in ROOMS if name.startswith(room + "/")), None)


def problem_with(room, quote, target):
    """Why a file in this room may not include target; None if it may."""
    for pattern, allowed in OUTSIDE:
        if quote == "<" or "/" not in target:
            if pattern.match(target):
                return None if room in allowed else f"{target} belongs to {', '.join(sorted(allowed))} only"
    if quote == "<":
        return None
    wanted = room_of(pathlib.PurePosixPath(target))
    if wanted is None:
        return f'"{target}" names no folder of the project'
    return None if wanted in MAY[room] else f"{room} may not use {wanted} ({target})"


def check(root):
    """Returns the problems as lines "path:line: what"."""
    problems = []
    for path in check_tree.with_suffix(root, ".c", ".h", ".def"):
        if path.parts[0] in FREE:
            continue
        room = room_of(path)
        if room is None:
            problems.append(f"{path}: C outside of {', '.join(ROOMS)}")
            continue
        source = check_tree.text(root, path)
        for match in INCLUDE.finditer(source):
            problem = problem_with(room, match[1], match[2])
            if problem:
                problems.append(f"{path}:{source.count(chr(10), 0, match.start(2)) + 1}: {problem}")
    return problems
