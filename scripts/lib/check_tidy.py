"""clang-tidy over what is built, for scripts/check. What it found clean is not looked at again as long as nothing that
it read has changed: its version and checks, the command, and each byte of the file and of all that it includes.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import time

import check_tree

# How far clang's analyzer follows one function: a third of its default finds the same in a third of the time.
ANALYZER = ["-analyzer-config", "max-nodes=75000"]
DROPPED = {"-c", "-MD"}  # from a compile command, and these with the word behind them
DROPPED_PAIRS = {"-o", "-MF", "-MQ"}


def commands(root, folder):
    """{file: [(a compile command, the folder in which it runs)]} of the C files of the tree that are built.

    There is a command for each program that a file is a part of, and clang-tidy looks at each.
    """
    found = {}
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        file = pathlib.Path(os.path.normpath(os.path.join(entry["directory"], entry["file"])))
        found.setdefault(file, []).append((shlex.split(entry["command"]), entry["directory"]))
    return {path: found[root / path] for path in check_tree.with_suffix(root, ".c") if root / path in found}


def included(command, directory):
    """The files that clang reads for this compile command; None: it cannot tell."""
    words, skip = [], False
    for word in command[1:]:
        if not skip and word not in DROPPED | DROPPED_PAIRS:
            words.append(word)
        skip = not skip and word in DROPPED_PAIRS
    try:
        done = subprocess.run(["clang", "-M", "-w", *words], cwd=directory, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    if done.returncode:
        return None
    names = done.stdout.replace("\\\n", " ").partition(":")[2].split()
    return [os.path.join(directory, name) for name in names]


class Clean:
    """What was found clean, in a folder of empty files. general: what all findings depend on. Thread-safe."""

    def __init__(self, folder, general):
        self._folder, self._general = folder, general
        self._contents, self._used, self._start = {}, set(), time.time_ns()
        folder.mkdir(exist_ok=True)

    def _digest(self, name):
        if name not in self._contents:
            self._contents[name] = hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest()
        return self._contents[name]

    def key(self, uses):
        """A name for all that clang-tidy would read of a file, used like this; None: it cannot be told."""
        read = [included(*use) for use in uses]
        if None in read:
            return None
        facts = [self._general, uses, [[(name, self._digest(name)) for name in names] for names in read]]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def has(self, key):
        """Whether that was found clean before."""
        known = key is not None and (self._folder / key).exists()
        if known:
            self._used.add(key)
        return known

    def add(self, key, uses):
        """It was found clean. What was written meanwhile may not be what was looked at, and is looked at again."""
        read = [included(*use) for use in uses] if key is not None else [None]
        if None not in read and all(os.stat(name).st_mtime_ns < self._start for names in read for name in names):
            (self._folder / key).touch()
            self._used.add(key)

    def forget_others(self):
        """What nothing here is like any more."""
        for file in self._folder.iterdir():
            if file.name not in self._used:
                file.unlink()


def check(root, folder, clang_tidy, run):
    """What clang-tidy finds. folder: configured by meson. run(command, root): the lines of a tool that failed."""
    options = [f"--extra-arg={word}" for each in ANALYZER for word in ("-Xclang", each)]
    tidy = [clang_tidy, "--quiet", "-p", str(folder), "--warnings-as-errors=*", *options]
    version = subprocess.run([clang_tidy, "--version"], capture_output=True, text=True).stdout
    clean = Clean(folder / "clean", [version, tidy, (root / ".clang-tidy").read_text()])

    def one(item):
        path, uses = item
        key = clean.key(uses)
        if clean.has(key):
            return []
        lines = run([*tidy, str(path)], root)
        if not lines:
            clean.add(key, uses)
        return lines

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for lines in pool.map(one, commands(root, folder).items()) for line in lines]
    clean.forget_others()
    return found
