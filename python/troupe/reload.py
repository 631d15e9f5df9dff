"""Development's reload: a thread that watches the project's modules and templates, and says once when one of
them changed.
"""

import os
import sys
import threading
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


def changed_file(before, now):
    """The first file that differs: changed, gone, or a new template. None if none does. A module imported
    since does not count.
    """
    for file, stamp in before.items():
        if now.get(file) != stamp:
            return file
    for file in now.keys() - before.keys():
        if Path(file).suffix in _SUFFIXES:
            return file
    return None


def _run(callback, pause, log):
    before = snapshot()
    while True:
        pause()
        now = snapshot()
        file = changed_file(before, now)
        if file is not None:
            log(f'level=INFO component=worker event=file_changed file="{file}"\n')
            callback()
            return
        before = now


def _pause():
    threading.Event().wait(SECONDS)


def watch(callback, pause=_pause, log=sys.stderr.write):
    """Call callback(), once, on another thread, when a file changed. `pause` waits between looks."""
    thread = threading.Thread(target=_run, args=(callback, pause, log), name="troupe-reload", daemon=True)
    thread.start()
    return thread
