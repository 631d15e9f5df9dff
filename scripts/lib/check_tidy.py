"""clang-tidy over what is built, for scripts/check.

What it found clean is remembered, and not analyzed again as long as nothing that it read has changed: its version and
checks, the command, and each byte of the file and of all that it includes. The memory is a folder of empty files, named
by a hash of all that, without the checkout's own path: all clones on a machine share it, and CI may carry it along. So
a change costs what it touches, and no fault can hide: a file is skipped only in the state in which it passed.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import time

import check_tree

UNUSED_SECONDS = 30 * 86400  # after which a remembered state is forgotten

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


def cache_folder():
    """Where it is remembered what was clean: TROUPE_CACHE, or the user's folder for such things."""
    folder = os.environ.get("TROUPE_CACHE")
    if folder:
        return pathlib.Path(folder)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "troupe", "clang-tidy")


class Clean:
    """What was found clean, in a folder of empty files. general: what all findings depend on. Thread-safe."""

    def __init__(self, folder, root, general):
        self._folder, self._root, self._general = folder, str(root), general
        self._contents, self._start = {}, time.time_ns()
        folder.mkdir(parents=True, exist_ok=True)

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
        return hashlib.sha256(json.dumps(facts).replace(self._root, "").encode()).hexdigest()

    def has(self, key):
        """Whether that was found clean before."""
        if key is None:
            return False
        try:
            os.utime(self._folder / key)
        except FileNotFoundError:
            return False
        return True

    def add(self, key, uses):
        """It was found clean. What was written meanwhile may not be what was looked at, and is looked at again."""
        read = [included(*use) for use in uses] if key is not None else [None]
        if None not in read and all(os.stat(name).st_mtime_ns < self._start for names in read for name in names):
            (self._folder / key).touch()

    def forget_unused(self):
        """What nobody has met for long."""
        for file in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another run forgets as well
                if file.stat().st_mtime < time.time() - UNUSED_SECONDS:
                    file.unlink()


def changed(root, revision):
    """The files that differ from what they were where this branch left `revision`, committed or not; None: all may."""
    git = ["git", "-C", str(root)]
    base = subprocess.run([*git, "merge-base", revision, "HEAD"], capture_output=True, text=True)
    if base.returncode:
        raise RuntimeError(f"git knows no common ancestor of {revision} and HEAD: {base.stderr.strip()}")
    listed = subprocess.run(
        [*git, "diff", "--name-only", "-z", base.stdout.strip()], capture_output=True, text=True, check=True
    )
    new = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard", "-z"], capture_output=True, text=True, check=True
    )
    names = {pathlib.PurePosixPath(name) for name in (listed.stdout + new.stdout).split("\0") if name}
    # What decides how everything is compiled or checked touches everything.
    if any(name.name in ("meson.build", "meson_options.txt", ".clang-tidy") for name in names):
        return None
    return {str(root / name) for name in names}


def touched(uses, names):
    """Whether a file that is used like this reads one of those named; names None: yes."""
    if names is None:
        return True
    read = [included(*use) for use in uses]
    return None in read or any(os.path.normpath(name) in names for inputs in read for name in inputs)


def check(root, folder, clang_tidy, run, since=None, everything=False):
    """What clang-tidy finds. folder: configured by meson. run(command, root): the lines of a tool that failed.

    since: a revision; only files that read something which changed since it. everything: nothing is taken for known.
    """
    options = [f"--extra-arg={word}" for each in ANALYZER for word in ("-Xclang", each)]
    tidy = [clang_tidy, "--quiet", "-p", str(folder), "--warnings-as-errors=*", *options]
    version = subprocess.run([clang_tidy, "--version"], capture_output=True, text=True).stdout
    clean = Clean(cache_folder(), root, [version, tidy, (root / ".clang-tidy").read_text()])
    names = changed(root, since) if since else None

    def analyze(item):
        path, uses = item
        if not touched(uses, names):
            return []
        key = clean.key(uses)
        if not everything and clean.has(key):
            return []
        lines = run([*tidy, str(path)], root)
        if not lines:
            clean.add(key, uses)
        return lines

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for lines in pool.map(analyze, commands(root, folder).items()) for line in lines]
    clean.forget_unused()
    return found
