"""Random runs with strangers, in Chromium: a server that hands the browser pages and frames, and hears what it found.

    .venv/bin/python tests/strangers/strangers.py [--runs 2000] [--seed S] [--only N]

js/main.js drives a page, js/stranger.js is the stranger, js/judge.js compares; runs.py makes pages and frames by the
real renderer.
"""

import argparse
import http.server
import json
import os
import queue
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
CLIENT = Path(os.environ.get("TROUPE_CLIENT") or TESTS.parent / "python" / "troupe" / "static" / "troupe")
FOLDERS = {"client": CLIENT, "js": HERE / "js", "shared": TESTS / "js"}
MAIN = b'<!doctype html><meta charset=utf-8><title>s</title><body><script type=module src="/js/main.js"></script>'
PATIENCE = 600  # seconds for all; nothing waits for it otherwise
WAITING = 40  # runs that are made ahead of the browser


class Site(http.server.ThreadingHTTPServer):
    """What the browser visits. runs: an iterable of runs; told: what was found, as dicts."""

    daemon_threads = True

    def __init__(self, runs):
        super().__init__(("127.0.0.1", 0), Handler)
        self.coming, self.pages, self.gates = queue.Queue(WAITING), {}, {}
        self.told, self.error = [], None
        threading.Thread(target=self._make, args=(runs,), daemon=True).start()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def _make(self, runs):
        try:
            for number, run in enumerate(runs):
                self.pages[number], self.gates[number] = run.pop("parts"), threading.Event()
                self.coming.put({**run, "number": number})
        except Exception as error:  # it is raised where the runs are waited for
            self.error = error
        self.coming.put(None)


class Handler(http.server.BaseHTTPRequestHandler):
    """Files, runs, and pages that pause while they are sent."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self):
        """http.server's."""
        _, kind, *rest = self.path.split("/")
        if kind in FOLDERS:
            self._answer((FOLDERS[kind] / rest[0]).read_bytes(), "text/javascript", "max-age=3600")
        elif kind == "run":
            self._answer(json.dumps(self.server.coming.get()).encode(), "application/json")
        elif kind == "go":
            self.server.gates[int(rest[0])].set()
            self._answer(b"", "text/plain")
        elif kind == "page":
            self._page(int(rest[0]))
        else:
            self._answer(MAIN, "text/html")

    def do_POST(self):
        """http.server's."""
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(b"", "text/plain")

    def _answer(self, data, kind, cache="no-store"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", cache)
        self.end_headers()
        self.wfile.write(data)

    def _page(self, number):
        parts = [part.encode() for part in self.server.pages.pop(number)]
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.end_headers()
        for at, part in enumerate(parts):
            if at:
                self.server.gates[number].wait(PATIENCE)
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, *args):
        """Nothing."""


def play(runs, profile):
    """What the browser tells of each run."""
    sys.path.insert(0, str(TESTS / "browser"))
    import chromium
    from selenium.webdriver.support.ui import WebDriverWait

    site = Site(runs)
    driver = chromium.start(profile)
    try:
        driver.get(f"http://127.0.0.1:{site.server_port}/")
        WebDriverWait(driver, PATIENCE, 0.05).until(lambda _: driver.title == "done" or site.error)
    finally:
        driver.quit()
        site.shutdown()
        site.server_close()
    if site.error:
        raise site.error
    return site.told


def told(one, seed):
    """A run that differs, for a reader."""
    head = f"== --seed {seed} --only {one['seed'] - seed}: {one['found']}"
    return "\n  ".join([head, *one["log"], *one["warned"], str(one["html"])])


def counts(runs):
    """What was done in runs."""
    roots, did = (sum(one[key] for one in runs) for key in ("refreshes", "did"))
    return f"{roots} times the page asked for its root; {did} lines of what happened"


def run_all(seed, numbers):
    """What the browser tells of the runs of these numbers."""
    sys.path[:0] = [str(HERE), str(TESTS / "property")]
    import run

    run.set_up()
    from runs import make_run

    with tempfile.TemporaryDirectory() as profile:
        return play((make_run(seed + number) for number in numbers), profile)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TROUPE_SEED") or random.randrange(1 << 30)))
    parser.add_argument("--only", type=int)
    parser.add_argument("--show", type=int, default=5)
    given = parser.parse_args()
    start = time.perf_counter()
    runs = run_all(given.seed, [given.only] if given.only is not None else range(given.runs))
    found = [one for one in runs if one["found"]]
    print(*(told(one, given.seed) for one in found[: given.show]), sep="\n")
    took = time.perf_counter() - start
    print(f"seed {given.seed}: {len(found)} of {len(runs)} runs differ; {counts(runs)}; {took:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
