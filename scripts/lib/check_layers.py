"""Who may include whom: the arrows of docs/ARCHITECTURE.md, read off the #include lines."""

import pathlib
import re

import check_tree

PYTHON = "worker/py/python"  # python.h, which all of worker/py includes
# A folder: the folders that its files may include; the leaves are for all. main.c has a room of its own where
# it may include more.
LEAVES = {"common", "proto"}
MAY = {
    "common": {"common"},
    "proto": LEAVES,
    "broker/routing": {"broker/routing"},
    "broker/io": {"broker/io"},
    "broker/store": {"broker/store", "broker/routing"},
    "broker": {"broker", "broker/io", "broker/routing", "broker/store"},
    "broker/main": {"broker", "broker/io"},
    "worker/page/html": {"worker/page/html"},
    "worker/page": {"worker/page", "worker/page/html"},
    "worker/actor": {"worker/actor", "worker/page"},
    "worker/io": {"worker/io", "worker/actor", "worker/page"},
    "worker/process": {"worker/process", "worker/io", "worker/actor", "worker/py"},
    "worker/main": {"worker/process"},
    "worker/module": {"worker/process"},
    PYTHON: set(),
    "worker/py/filters": {PYTHON, "worker/py/filters"},
    "worker/py/template": {PYTHON, "worker/py/filters", "worker/py/template"},
    "worker/py/live": {PYTHON, "worker/py/filters", "worker/py/template", "worker/py/live", "worker/page"},
    "worker/py": {
        PYTHON,
        "worker/py/filters",
        "worker/py/template",
        "worker/py/live",
        "worker/py",
        "worker/page",
        "worker/actor",
    },
    "fleet": {"fleet"},
    "fleet/supervisor": {"fleet", "fleet/supervisor"},
    "fleet/cli": {"fleet", "fleet/cli"},
    "fleet/main": {"fleet", "fleet/supervisor", "fleet/cli"},
}
ROOMS = tuple(sorted(MAY, key=len, reverse=True))  # the innermost first
PYTHON_ROOMS = {"worker/module", *(room for room in MAY if room.startswith("worker/py"))}
FREE = ("tests", "bench")  # may include anything
# A header from outside, and the rooms that may include it.
OUTSIDE = (
    (
        re.compile(r"(Python|structmember|frameobject|pythread|datetime|marshal)\.h$|(cpython|internal/pycore.*)/"),
        PYTHON_ROOMS,
    ),
    (re.compile(r"msgpack(\.h$|/)"), {"proto", "worker/py"}),
    (
        re.compile(r"c?zmq\w*\.h$"),
        {"worker/io", "worker/process", *(room for room in MAY if room.startswith(("broker", "fleet")))},
    ),
)
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.MULTILINE)


def room_of(path):
    """The room of a relative path, as text; None outside of all rooms."""
    name = path.as_posix()
    if name in ("broker/main.c", "worker/main.c", "worker/module.c", "fleet/main.c"):
        return name.removesuffix(".c")
    if name in ("worker/process.c", "worker/process.h"):
        return "worker/process"
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
    if target.endswith("_internal.h") and wanted != room:
        return f"{target} is for the files of its own folder"
    return None if wanted in _allowed(room) else f"{room} may not use {wanted} ({target})"


def _allowed(room):
    return MAY[room] if room in LEAVES or room == PYTHON else MAY[room] | LEAVES


def _modules(includes):
    """The module of each file: files of one stem, and all that include one x_internal.h, are one module."""
    module = {path: path.with_suffix("") for path in includes}
    for path, targets in includes.items():
        for target in targets:
            if target.stem.endswith("_internal") and target in module:
                old, new = module[path], target.with_name(target.name.removesuffix("_internal.h"))
                module = {
                    name: new if found in (old, target.with_suffix("")) else found for name, found in module.items()
                }
    return module


def circles(includes):
    """Modules that include each other, in whatever way: a line for each pair of files that closes a circle."""
    module = _modules(includes)
    uses = {name: set() for name in module.values()}
    for path, targets in includes.items():
        uses[module[path]] |= {module[target] for target in targets if target in module} - {module[path]}
    reached = {}
    for name in uses:
        found, wave = set(), uses[name]
        while wave:
            found |= wave
            wave = set().union(*(uses[step] for step in wave)) - found
        reached[name] = found
    return [
        f"{path}: {module[path]} and {module[target]} include each other"
        for path, targets in sorted(includes.items())
        for target in sorted(targets)
        if target in module and module[target] != module[path] and module[path] in reached[module[target]]
    ]


def check(root):
    """Returns the problems as lines "path:line: what"."""
    problems, includes = [], {}
    for path in check_tree.with_suffix(root, ".c", ".h", ".def"):
        if path.parts[0] in FREE:
            continue
        room = room_of(path)
        if room is None:
            problems.append(f"{path}: C outside of {', '.join(ROOMS)}")
            continue
        source = check_tree.text(root, path)
        includes[path] = {pathlib.PurePosixPath(match[2]) for match in INCLUDE.finditer(source) if match[1] == '"'}
        for match in INCLUDE.finditer(source):
            problem = problem_with(room, match[1], match[2])
            if problem:
                problems.append(f"{path}:{source.count(chr(10), 0, match.start(2)) + 1}: {problem}")
    return problems + circles(includes)
