"""Development reload: a thread polls the project's modules and templates, and reports the first change."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.template import engines

SECONDS = 0.5  # between two scans
_TEMPLATE_SUFFIXES = {".html", ".txt", ".xml", ".svg", ".djhtml"}

Stamps = dict[str, int]  # path → time of modification, ns


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py"):
            yield file


def _template_files() -> Iterator[str]:
    for engine in engines.all():
        for folder in getattr(engine, "template_dirs", ()):
            for root, _, names in os.walk(folder):
                for name in names:
                    if Path(name).suffix in _TEMPLATE_SUFFIXES:
                        yield os.path.join(root, name)


def scan() -> Stamps:
    """When each watched file was last modified. Files deleted meanwhile are left out."""
    stamps = {}
    for file in (*_module_files(), *_template_files()):
        try:
            stamps[file] = os.stat(file).st_mtime_ns
        except OSError:
            continue
    return stamps


def changed_file(before: Stamps, after: Stamps, scanned_ns: int | None = None) -> str | None:
    """The first file that differs between two scans: changed, gone, or a new template. None: none does.

    A module imported in between counts only if it was saved after `scanned_ns`, the time of the earlier scan: it may
    have been imported before it was saved.
    """
    for file, stamp in before.items():
        if after.get(file) != stamp:
            return file
    for file in after.keys() - before.keys():
        if Path(file).suffix in _TEMPLATE_SUFFIXES or (scanned_ns is not None and after[file] > scanned_ns):
            return file
    return None


def _compiles(file: str) -> bool:
    if not file.endswith(".py") or not os.path.exists(file):
        return True
    try:
        compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OSError):
        return False
    return True


def _run(callback: Callable[[], object], pause: Callable[[], object], log: Callable[[str], object]) -> None:
    scanned_ns, before = time.time_ns(), scan()
    # What the worker imports at its start, such as models. With one of these half-written no worker would start at all;
    # with another module, the page shows what is wrong with its view.
    needed_to_start = before.keys()
    while True:
        pause()
        now_ns, after = time.time_ns(), scan()
        file = changed_file(before, after, scanned_ns)
        if file in needed_to_start and not _compiles(file):
            log(f'level=WARN component=worker event=file_does_not_compile file="{file}"\n')
        elif file is not None:
            log(f'level=INFO component=worker event=file_changed file="{file}"\n')
            callback()
            return
        scanned_ns, before = now_ns, after


def _pause() -> None:
    threading.Event().wait(SECONDS)


def watch(
    callback: Callable[[], object],
    pause: Callable[[], object] = _pause,
    log: Callable[[str], object] = sys.stderr.write,
) -> threading.Thread:
    """Starts a thread that calls callback() once, after the first change. pause: waits between two scans."""
    thread = threading.Thread(target=_run, args=(callback, pause, log), name="troupe-reload", daemon=True)
    thread.start()
    return thread
