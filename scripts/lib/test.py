"""scripts/test: sets up, builds, runs the groups, and adds up. Needs /usr/bin/python3 and no packages."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import django_suites
from test_counts import Counts, from_gates, from_junit, from_meson, from_node, settled

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUP_SECONDS = 3600  # a group that takes longer hangs
SKIPPED = django_suites.SKIPPED
GRACE_SECONDS = 10  # between asking it to stop and killing it


class SkippedError(Exception):
    """A group cannot be run here, and need not be: why."""


@dataclasses.dataclass
class Group:
    """One row of the table: what it needs, and how it is run."""

    folder: str  # without it the group is skipped, and said to be
    build: str  # the words of STEPS that make what it needs; "": nothing is built
    run: object  # callable() -> (Counts, exit code)


def stop(process):
    """Ends a process and all of its process group; returns what it had printed."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=GRACE_SECONDS)[0]
    return ""


def call(command, capture=False):
    """Runs a command in the checkout, in a process group of its own. Returns (exit code, output if capture).

    What takes over GROUP_SECONDS is stopped with all that it started; the exit code is then negative.
    """
    output = subprocess.PIPE if capture else None
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(timeout=GROUP_SECONDS)
    except BaseException as error:  # Ctrl-C as well: nothing that a test started stays behind
        text = stop(process)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        print(f"test: {command[0]} took more than {GROUP_SECONDS} s and was stopped", flush=True)
    return process.returncode, text or ""


def run_c():
    """The CUnit programs of build-asan/, and the fuzz corpora."""
    log = ROOT / "build-asan/meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    own = ROOT / ".venv/bin/meson"  # scripts/setup knows why
    meson = str(own) if own.exists() else "meson"
    code, _ = call([meson, "test", "-C", "build-asan", "--no-rebuild", "--print-errorlogs"])
    return (from_meson(log.read_text()) if log.exists() else Counts()), code


def pytest(folder, environment, *variables, processes=1, only=()):
    """A function that runs a folder's tests with an environment's Python. variables: "NAME=value", for its tests.
    only: these files of the folder.
    """

    def run():
        if environment == NEWEST and not (ROOT / NEWEST).is_dir():
            raise SkippedError("no newer CPython is here; scripts/setup --tests says what to do")
        with tempfile.TemporaryDirectory() as scratch:
            report = pathlib.Path(scratch, "junit.xml")
            command = ["env", *variables, f"./{environment}/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            if processes > 1:  # each reads the settings that its folder names before its conftest.py
                path = f"pythonpath=python scripts/lib tests/plans {folder}"
                command += ["-n", str(processes), "--dist", "worksteal", "-o", path]
            paths = [f"{folder}/{name}" for name in only] or [folder]
            code, _ = call([*command, f"--junitxml={report}", *paths])
            return (from_junit(report.read_text()) if report.exists() else Counts()), code

    return run


def each_django(folder):
    """A function that runs a folder's tests with the oldest, the everyday and the newest Django."""
    runs = [pytest(folder, environment, processes=CORES) for environment in (OLDEST, ".venv", NEWEST)]

    def run():
        counts, code = Counts(), 0
        for one in runs:
            with contextlib.suppress(SkippedError):
                some, status = one()
                counts, code = counts + some, code or status
        return counts, code

    return run


def run_js():
    """npm test: node's own test runner."""
    code, text = call(["npm", "test", "--silent", "--prefix", "tests/js"], capture=True)
    if code:  # some 10 lines a test: only worth reading when one failed
        print(text, end="", flush=True)
    return from_node(text), code


def run_django(*choice):
    """A function that runs Django's own template tests; what stock Django came to is remembered."""

    def run():
        return django_suites.run_group(*choice)

    return run


def run_check():
    """scripts/check, a gate a test."""
    code, text = call(["scripts/check"], capture=True)
    print(text, end="", flush=True)
    return from_gates(text), code


# The same cases each time, so that a change is judged by what it changed; new ones are dom-property's to draw.
QUICK_CASES = ("TROUPE_CASES=300", "TROUPE_SEED=1")

# Processes that share a group's tests: as many as compute at once, and one more where they mostly wait for processes.
CORES = len(os.sched_getaffinity(0))
WAITING = CORES + 1

# The environments of the oldest and the newest versions that Troupe supports; scripts/setup --tests makes them.
OLDEST, NEWEST = ".venv-oldest", ".venv-newest"

# A page, its events, a reload of the code, crashes, snapshots and pushes: what an interpreter may break.
SMOKE = (
    "test_01_page.py", "test_02_event.py", "test_04_handlers.py", "test_08_request.py", "test_15_reload.py",
    "test_18_survival.py", "test_23_push.py",
)  # fmt: skip

GROUPS = {
    "check": Group("scripts", "", run_check),
    "c": Group("tests/common", "sanitize", run_c),
    "python": Group("tests/python", "plain", pytest("tests/python", ".venv", processes=CORES)),
    "python-oldest": Group("tests/python", "plain", pytest("tests/python", OLDEST, processes=CORES)),
    "python-newest": Group("tests/python", "newest", pytest("tests/python", NEWEST, processes=CORES)),
    "scripts": Group("tests/scripts", "plain", pytest("tests/scripts", ".venv")),
    "js": Group("tests/js", "", run_js),
    "scenarios": Group("tests/scenarios", "plain", pytest("tests/scenarios", ".venv", processes=WAITING)),
    "scenarios-newest": Group(
        "tests/scenarios",
        "newest",
        pytest("tests/scenarios", NEWEST, "TROUPE_BUILD=build-newest", processes=WAITING, only=SMOKE),
    ),
    "hostile": Group("tests/hostile", "plain", pytest("tests/hostile", ".venv", processes=WAITING)),
    "postgres": Group("tests/postgres", "plain", pytest("tests/postgres", ".venv")),
    "postgres-newest": Group(
        "tests/postgres", "newest", pytest("tests/postgres", NEWEST, "TROUPE_BUILD=build-newest")
    ),
    "faults": Group("tests/faults", "plain", pytest("tests/faults", ".venv")),
    "django-quick": Group("tests/django", "plain", run_django(("5.2.19",), ("template_tests",))),
    "django-newest": Group("tests/django", "newest", run_django(("6.1.3",), ("template_tests",))),
    "django-templates": Group("tests/django", "plain newest", run_django()),
    "dom-quick": Group("tests/property", "plain", pytest("tests/property", ".venv", *QUICK_CASES, processes=CORES)),
    "dom-property": Group("tests/property", "plain", pytest("tests/property", ".venv", "TROUPE_CASES=10000")),
    "strangers": Group("tests/strangers", "plain", pytest("tests/strangers", ".venv", "TROUPE_RUNS=2000")),
    "browser": Group("tests/browser", "plain", pytest("tests/browser", ".venv", processes=CORES)),
    "cases": Group("tests/cases", "plain", pytest("tests/cases", ".venv", processes=WAITING)),
    "idioms": Group("tests/idioms", "plain newest", each_django("tests/idioms")),
    "first-hour": Group("tests/first_hour", "", pytest("tests/first_hour", ".venv")),
}
WHAT = {
    "check": "the gates of scripts/check",
    "c": "the CUnit programs and the fuzz corpora, under sanitizers",
    "python": "the package, against a worker in plain Python",
    "python-oldest": "the same, with the oldest Django and Channels",
    "python-newest": "the same, with the newest Django and CPython",
    "scripts": "scripts/ itself: gates, counts, benchmarks, the demo's processes",
    "js": "the browser's side, in jsdom",
    "scenarios": "real fleets, driven over WebSockets and ZeroMQ",
    "scenarios-newest": "some of them, with the newest Django and CPython",
    "hostile": "real fleets under attack: floods, damaged files, malformed frames",
    "postgres": "a PostgreSQL of its own: transactions, lost connections",
    "postgres-newest": "the same, with the newest Django and CPython",
    "faults": "a fleet that breaks in every known way under the eyes of real pages",
    "django-quick": "Django's own template tests, with the everyday Django",
    "django-newest": "the same, with the newest Django and CPython",
    "django-templates": "its template, form, admin and auth tests, every Django",
    "dom-quick": "300 random templates: what is patched is what would be rendered",
    "dom-property": "the same, 10,000 of them (TROUPE_SEED gives a seed)",
    "strangers": "2,000 random pages among other scripts' nodes",
    "browser": "the demo in Chromium",
    "cases": "situations from reports, on real fleets and in Chromium",
    "idioms": "what Django offers, row by row, on the Djangos that are supported",
    "first-hour": "README.md's recipe, pasted into an empty environment",
}
ALL = [name for name in GROUPS if name not in ("check", "django-templates", "dom-property", "strangers")]
FAST = ["c", "python", "scripts", "js"]
STEPS = {
    "setup": ["scripts/setup", "--tests"],
    "plain": ["scripts/build"],
    "sanitize": ["scripts/build", "--sanitize"],
    "newest": ["scripts/build", "--newest"],
}


class Session:
    """The rows of the table as they come, and which steps were done."""

    def __init__(self, build):
        self.rows = []  # (name, Counts, seconds, note)
        self.steps = {} if build else dict.fromkeys(STEPS, True)

    def step(self, name):
        """Does a step once; a step that fails is a failed row. Returns whether it succeeded."""
        if name not in self.steps:
            start = time.monotonic()
            code, _ = call(STEPS[name])
            self.steps[name] = code == 0
            if code:
                self.rows.append((" ".join(STEPS[name]), Counts(failed=1), time.monotonic() - start, "failed"))
        return self.steps[name]

    def group(self, name):
        """Runs one group, or says why not."""
        group, start = GROUPS[name], time.monotonic()
        inside = ROOT / group.folder
        if not inside.is_dir() or not any(path for path in inside.iterdir() if path.name != "__pycache__"):
            self.rows.append((name, Counts(skipped=1), 0.0, f"skipped: {group.folder} is not there yet"))
            return
        if not all(self.step(step) for step in ("setup", *group.build.split())):
            self.rows.append((name, Counts(failed=1), 0.0, "not run"))
            return
        print(f"\n== {name}", flush=True)
        note = ""
        try:
            counts, code = group.run()
        except SkippedError as why:
            self.rows.append((name, Counts(skipped=1), 0.0, f"skipped: {why}"))
            return
        except Exception as error:  # a defect in one group's harness: the other groups run all the same
            traceback.print_exc()
            counts, code, note = Counts(), 1, repr(error)
        if counts.total() == 0:
            note = note or "ran no tests"
            code = code or 1
        self.rows.append((name, settled(counts, code), time.monotonic() - start, note))

    def summary(self):
        """Prints the table and the last line; returns the exit code: SKIPPED when nothing could be run."""
        print()
        width = max(len(row[0]) for row in self.rows)
        for name, counts, seconds, note in self.rows:
            print(f"{name:{width}}  {seconds:7.1f} s  {counts}" + (f"  ({note})" if note else ""))
        total = sum((row[1] for row in self.rows), Counts())
        print(total, flush=True)
        return 1 if total.failed else 0 if total.passed else SKIPPED


def main():
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Sets up, builds, and runs the tests.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="groups:\n" + "\n".join(f"  {name:<17} {summary}" for name, summary in WHAT.items()),
    )
    parser.add_argument("--fast", action="store_true", help=", ".join(FAST))
    parser.add_argument("--no-build", action="store_true", help="take what is set up and built already")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of those below, or all: {', '.join(ALL)}")
    args = parser.parse_args()
    wanted = args.groups or (FAST if args.fast else ALL)
    names = [name for word in wanted for name in (ALL if word == "all" else [word])]
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    session = Session(build=not args.no_build)
    for name in dict.fromkeys(names):
        session.group(name)
    return session.summary()


if __name__ == "__main__":
    sys.exit(main())
