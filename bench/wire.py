"""How many bytes of text reach the browser for one change of a table of 1,000 rows, and for a page that joins.

Counted are the frames that a page's WebSocket receives, without compression: with numbers as keys, with UUIDs, as whole
HTML (what a frame with the page's root has), and from djust with the same table and the same changes.
"""

import subprocess

from harness import Processes, Report, say
from isolation import DJUST, _djust_python
from pages import DjustPage, TroupePage, serve_djust, serve_troupe

ROWS = 1000


def changes(page):
    """Name → bytes of its frame. Each change is undone before the next."""
    from benched.rows import CHANGES, UNDO

    page.change("one_cell")  # whatever is sent only once has been
    for name in ("append", "remove_last"):
        page.change(name)
    found = {}
    for name in CHANGES:
        text = page.change(name)
        found[name] = len(text.encode())
        if name in UNDO:
            page.change(UNDO[name])
    say(", ".join(f"{name} {size}" for name, size in found.items()))
    return found


def _troupe(report, processes):
    port = serve_troupe(processes)
    for keys, prefix in (("numbers", ""), ("uuids", "uuid_")):
        page = TroupePage(port, ROWS, keys)
        for name, size in changes(page).items():
            report.add(f"{prefix}{name}_bytes", size)
        if not prefix:
            report.add("join_bytes", len(page.joined.encode()))
            report.add("html_bytes", len(page.whole().encode()))
            report.add("page_bytes", len(page.html.encode()))
        page.close()


def _djust(report, processes):
    page = DjustPage(serve_djust(processes, _djust_python()), ROWS, "numbers")
    for name, size in changes(page).items():
        report.add(f"djust_{name}_bytes", size)
    report.add("djust_join_bytes", len(page.joined.encode()))
    page.close()


def run(quick):
    """The whole benchmark; a Report."""
    import sys

    from harness import PROJECT

    sys.path.insert(0, str(PROJECT))  # benched.rows
    report = Report("wire")
    with Processes() as processes:
        _troupe(report, processes)
        if not quick:
            try:
                _djust(report, processes)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                report.note(f"djust {DJUST} is left out: {error}")
    report.note("html_bytes: a frame with the whole root, which is what each change costs without slots")
    return report
