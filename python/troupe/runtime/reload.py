"""Development's reload: a thread that watches the project's modules and templates, and says once when one of
them changed.
"""

import os
import sys
import threading
import time
from pathlib import Path

from django.template import engines

SECONDS = 0.5
_SUFFIXES = {".html", ".txt", ".xml", ".svg", ".djhtml"}


def _modules():
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py"):
            yield file


def _template_folders():
    for engine in engines.all():
        yield from getattr(engine, "template_dirs", ())


def _templates():
    for folder in _template_folders():
        for root, _, names in os.walk(folder):
            for name in names:
                if Path(name).suffix in _SUFFIXES:
                    yield os.path.join(root, name)


def snapshot():
    """When each watched file was last changed: {path: ns}. A file that is gone by now is left out."""
    stamps = {}
    for file in (*_modules(), *_templates()):
        try:
            stamps[file] = os.stat(file).st_mtime_ns
        except OSError:
            continue
    return stamps


def changed_file(before, now, looked_ns=None):
    """The first file that differs: changed, gone, or a new template. None if none does.

    A module imported since does not count, unless it was saved after `looked_ns`, the time of the look before:
    it may have been imported first.
    """
    for file, stamp in before.items():
        if now.get(file) != stamp:
            return file
    for file in now.keys() - before.keys():
        if Path(file).suffix in _SUFFIXES or (looked_ns is not None and now[file] > looked_ns):
            return file
    return None


def _compiles(file):
    if not file.endswith(".py") or not os.path.exists(file):
        return True
    try:
        compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OSError):
        return False
    return True


def _run(callback, pause, log):
    looked, before = time.time_ns(), snapshot()
    # What the start itself imports, such as models: with one of these half-written there would be no worker at all,
    # while a page can be told what is wrong with its view.
    vital = before.keys()
    while True:
        pause()
        looking, now = time.time_ns(), snapshot()
        file = changed_file(before, now, looked)
        if file in vital and not _compiles(file):
            log(f'level=WARN component=worker event=file_does_not_compile file="{file}"\n')
        elif file is not None:
            log(f'level=INFO component=worker event=file_changed file="{file}"\n')
            callback()
            return
        looked, before = looking, now


def _pause():
    threading.Event().wait(SECONDS)


def watch(callback, pause=_pause, log=sys.stderr.write):
    """Call callback(), once, on another thread, when a file changed. `pause` waits between looks."""
    thread = threading.Thread(target=_run, args=(callback, pause, log), name="troupe-reload", daemon=True)
    thread.start()
    return thread
