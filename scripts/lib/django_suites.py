"""Django's own tests, on stock Django and through troupe.template; every test must end the same and render the same.

    scripts/test django-templates              five labels, on the oldest, the everyday and the newest Django
    python3 scripts/lib/django_suites.py [--django 5.2.19] [--more] [LABEL…]

How stock Django ended is remembered beside its sources (.django-src/); ours is run each time. What ends differently
must be in tests/django/differing.txt with a reason; what renders differently is never accepted.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import fnmatch
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

from test_counts import Counts

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATE = ROOT / "tests/django"
SOURCES = ROOT / ".django-src"
ENVIRONMENTS = {"5.2.19": ".venv", "4.2.30": ".venv-oldest", "6.1.3": ".venv-newest"}
LABELS = ("template_tests", "forms_tests", "admin_views", "auth_tests", "view_tests")
# What else renders much; by hand, with --more.
MORE = (
    "admin_widgets", "admin_inlines", "admin_changelist", "admin_utils", "flatpages_tests", "generic_views",
    "humanize_tests", "i18n", "messages_tests", "model_forms", "model_formsets", "redirects_tests", "shortcuts",
    "sitemaps_tests", "staticfiles_tests", "syndication_tests", "template_backends", "template_loader", "test_client",
    "timezones",
)  # fmt: skip
RUN_SECONDS = 1800
AT_ONCE = 2
SHOWN = 60  # differing tests of a label
SKIPPED = 77  # the exit code of "nothing could be run here"


class Unavailable(Exception):
    """Django's sources cannot be had here."""


def unpack(tar, folder):
    """Unpacks a source distribution whose hash was checked. Debian 12's Python (3.11.2) has no filters yet."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
    else:
        tar.extractall(folder)


def fetch(version):
    """The folder with Django's sources of this version; fetched once, checked by its hash. Unavailable: no registry."""
    folder, python = SOURCES / version, ROOT / ENVIRONMENTS[version] / "bin/python"
    if not python.exists():
        raise Unavailable(f"Django {version}: there is no {ENVIRONMENTS[version]}")
    asked = subprocess.run([python, "-m", "django", "--version"], capture_output=True, text=True)
    if (installed := asked.stdout.strip()) != version:
        raise Unavailable(f"{ENVIRONMENTS[version]} has Django {installed}, and {version} is wanted")
    if (folder / "tests/runtests.py").exists():
        return folder
    SOURCES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SOURCES) as scratch:
        wanted = ["--requirement", GATE / f"django-{version}.txt", "--require-hashes"]
        options = ["--no-binary", "django", "--no-deps", "--retries", "1", "--timeout", "20", "--dest", scratch]
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        done = subprocess.run([*pip, *options, *wanted], capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise Unavailable(f"the sources of Django {version}: {errors[-1]}")
        (archive,) = pathlib.Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            unpack(tar, scratch)
        (made,) = (path for path in pathlib.Path(scratch).iterdir() if path.is_dir())
        shutil.move(made, folder)
    return folder


@dataclasses.dataclass
class Outcomes:
    """How one label ended: {test: the line that gate_runner wrote}, and whether it came to its end."""

    tests: dict
    complete: bool
    log: str = ""


def read(path, log=""):
    """The Outcomes in a file of gate_runner's. A test that is named twice (by two classes) gets a number."""
    tests, complete, times = {}, False, collections.Counter()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(line)
        if entry.get("end"):
            complete = True
            continue
        times[entry["test"]] += 1
        number = times[entry["test"]]
        tests[entry["test"] + (f"#{number}" if number > 1 else "")] = entry
    return Outcomes(tests, complete, log)


def run(version, side, label, out, tests=(), dump=None):
    """Runs one label on one side; its Outcomes."""
    python = ROOT / ENVIRONMENTS[version] / "bin/python"
    command = [python, GATE / "gate.py", "--source", SOURCES / version, "--side", side, "--out", out]
    command += ["--dump", dump] if dump else []
    env = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    out.unlink(missing_ok=True)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        try:
            done = subprocess.run([*command, *(tests or [label])], env=env, stdout=log, stderr=log, timeout=RUN_SECONDS)
            outcome = f"exit code {done.returncode}"
        except subprocess.TimeoutExpired:
            outcome = f"stopped after {RUN_SECONDS} s"
        log.seek(0)
        return read(out, f"{log.read()[-4000:]}\n{outcome}")


def stock(version, label, fresh=False):
    """The Outcomes of stock Django: remembered, as long as what runs them is the same."""
    python = ROOT / ENVIRONMENTS[version] / "bin/python"
    output = subprocess.run([python, "-c", "import sys, os; print(sys.version, os.getuid())"], capture_output=True)
    files = [GATE / "gate_runner.py", GATE / "gate_renders.py", ROOT / ENVIRONMENTS[version] / ".troupe-setup"]
    parts = [output.stdout, *(path.read_bytes() for path in files if path.exists())]
    key = hashlib.sha256(b"\0".join([version.encode(), *parts])).hexdigest()[:16]
    path = SOURCES / "outcomes" / f"{version}-{label}-{key}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = read(path)
    if fresh or not found.complete:
        found = run(version, "stock", label, path)
    return found


@dataclasses.dataclass
class Difference:
    """One test that did not end or render as on stock Django."""

    test: str
    stock: str
    ours: str
    kind: str  # "outcome" or "output"
    text: str = ""


def first_difference(left, right):
    """The index of the first rendering that differs; None: none. A page that shows a traceback through Django's
    template code on one side is not compared: C has no frames to show.
    """
    for place, pair in enumerate(itertools.zip_longest(left, right)):
        if pair[0] != pair[1] and not (None not in pair and "traceback" in pair):
            return place
    return None


def compare(on_stock, ours):
    """The Differences of two {test: line}. Pure."""
    found, nothing = [], {"outcome": "not run", "renders": [], "text": ""}
    for test in sorted({*on_stock, *ours}):
        left, right = on_stock.get(test, nothing), ours.get(test, nothing)
        text = right["text"] or left["text"]
        if left["outcome"] != right["outcome"]:
            found.append(Difference(test, left["outcome"], right["outcome"], "outcome", text))
        elif left["renders"] != right["renders"]:
            place = first_difference(left["renders"], right["renders"])
            if place is not None:
                sides = (row["renders"][place] if place < len(row["renders"]) else "none" for row in (left, right))
                found.append(Difference(test, *sides, "output", f"rendering {place + 1}"))
    return found


def reasons():
    """[(Django's version or "*", test pattern, reason)] of tests/django/differing.txt."""
    rows = []
    for line in (GATE / "differing.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            version, pattern, reason = line.split(None, 2)
            rows.append((version, pattern, reason))
    return rows


def excused(version, difference, rows):
    """The reason why this difference is accepted; None if there is none. What is rendered may never differ."""
    if difference.kind == "output":
        return None
    for wanted, pattern, reason in rows:
        if fnmatch.fnmatchcase(version, wanted) and fnmatch.fnmatchcase(difference.test, pattern):
            return reason
    return None


@dataclasses.dataclass
class Row:
    """One line of the table."""

    version: str
    label: str
    same: int = 0
    accepted: list = dataclasses.field(default_factory=list)  # (Difference, reason)
    differing: list = dataclasses.field(default_factory=list)  # Difference
    varying: list = dataclasses.field(default_factory=list)  # Difference: rendered differently by stock Django too
    trouble: str = ""
    renders: int = 0  # compared
    native: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: float = 0.0

    def failed(self):
        """How many failures this comes to."""
        return len(self.differing) + bool(self.trouble)


def label_row(version, label, scratch):
    """Runs one label on our side, and on stock where that is not known; the Row."""
    start, rows = time.monotonic(), reasons()
    row = Row(version, label)
    expected = stock(version, label)
    ours = run(version, "troupe", label, pathlib.Path(scratch, f"{version}-{label}.jsonl"))
    differences = compare(expected.tests, ours.tests)
    if any(difference.kind == "output" for difference in differences):
        # Today's date in a page, or what differs at every run: what stock Django renders now tells it from ours.
        again = stock(version, label, fresh=True)
        repeated = compare(expected.tests, again.tests)
        varying = {difference.test for difference in repeated if difference.kind == "output"}
        expected, differences = again, compare(again.tests, ours.tests)
        row.varying = [
            difference for difference in differences if difference.kind == "output" and difference.test in varying
        ]
        differences = [difference for difference in differences if difference not in row.varying]
    for remaining in differences:
        reason = excused(version, remaining, rows)
        row.accepted.append((remaining, reason)) if reason else row.differing.append(remaining)
    row.same = len({*expected.tests, *ours.tests}) - len(differences)
    idle = [test for test, line in ours.tests.items() if line["renders"] and not line["native"]]
    for line in ours.tests.values():
        row.renders += len(line["renders"]) - line["renders"].count("traceback")
        row.native.update(line["native"])
    if not expected.complete:
        row.trouble = f"stock Django did not come to its end\n{expected.log}"
    elif not ours.complete:
        row.trouble = f"ours did not come to its end\n{ours.log}"
    elif idle or not row.native:
        row.trouble = f"nothing was rendered natively in {len(idle)} tests that render: {', '.join(idle[:5])}"
    row.seconds = time.monotonic() - start
    return row


def told(row):
    """The lines about one row, as it comes."""
    native = ", ".join(f"{number} {name}" for name, number in sorted(row.native.items())) or "nothing"
    word = "FAIL" if row.failed() else "ok"
    print(
        f"{word:4}  {row.version:7} {row.label:17} {row.same:5} as on stock, {len(row.accepted)} known to differ, "
        f"{len(row.differing)} differ; {row.renders} outputs; native: {native}  ({row.seconds:.0f} s)"
    )
    for difference, reason in row.accepted:
        print(f"      known  {difference.test}: {difference.stock} -> {difference.ours}: {reason}")
    for difference in row.varying:
        print(f"      stock Django renders it differently at each run: {difference.test}")
    lost = [difference for difference in row.differing if difference.ours == "not run"]
    if lost:
        print(f"      not run: {len(lost)}, the first {lost[0].test}")
    for difference in [difference for difference in row.differing if difference not in lost][:SHOWN]:
        print(f"      {difference.kind} {difference.test}: {difference.stock} -> {difference.ours}")
        print(*(f"          | {line}" for line in difference.text.splitlines()[-4:]), sep="\n")
    if row.trouble:
        print(f"      {row.trouble}")
    sys.stdout.flush()


def suite(versions, labels):
    """Runs the labels on each Django, whose sources were fetched, two at a time; the Rows."""
    done = []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [(version, label) for label in labels for version in versions]
        jobs.sort(key=lambda job: job[1] not in ("admin_views", "auth_tests"))  # the long ones first
        futures = [pool.submit(label_row, *job, scratch) for job in jobs]
        for future in concurrent.futures.as_completed(futures):
            done.append(future.result())
            told(done[-1])
    return done


def counted(rows):
    """The Counts of some Rows."""
    return Counts(passed=sum(row.same + len(row.accepted) for row in rows), failed=sum(row.failed() for row in rows))


def run_group(versions=tuple(ENVIRONMENTS), labels=LABELS):
    """For scripts/test: (Counts, exit code). A Django without sources or environment is one skipped test, and said."""
    ready, skipped = [], Counts()
    for version in versions:
        try:
            fetch(version)
            ready.append(version)
        except Unavailable as error:
            print(f"skipped: {error}", flush=True)
            skipped += Counts(skipped=1)
    counts = counted(suite(ready, labels)) + skipped
    return counts, int(bool(counts.failed))


def main():
    """Returns the exit code: 0, 1, or SKIPPED."""
    parser = argparse.ArgumentParser(description="Django's own tests, on stock Django and through troupe.template.")
    parser.add_argument("--django", choices=ENVIRONMENTS, action="append", help="only this version")
    parser.add_argument("--more", action="store_true", help="also what else of Django's tests renders much")
    parser.add_argument("labels", nargs="*", metavar="LABEL", help=", ".join(LABELS))
    given = parser.parse_args()
    labels = given.labels or LABELS + (MORE if given.more else ())
    counts, code = run_group(given.django or tuple(ENVIRONMENTS), labels)
    print(counts)
    return SKIPPED if counts.skipped and not counts.passed else code


if __name__ == "__main__":
    sys.exit(main())
