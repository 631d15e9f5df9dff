"""How many tests passed: read from what each test runner writes. Pure."""

import dataclasses
import json
import re
import xml.etree.ElementTree


@dataclasses.dataclass
class Counts:
    """What one group's tests came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def total(self):
        """All that were run or skipped."""
        return self.passed + self.failed + self.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def settled(counts, code):
    """The counts, with one failure more if the runner's exit code tells of one that they don't."""
    return counts + Counts(failed=1) if code and not counts.failed else counts


def from_junit(text):
    """pytest's --junitxml. An error in a fixture counts as a failure; a test that only errs is not passed."""
    counts = Counts()
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            counts.failed += 1
        elif "skipped" in kinds:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def from_node(text):
    """The summary of node's test runner, as TAP ("# pass 3") or as its spec reporter writes it."""
    found = dict(
        re.findall(r"^(?:#|\u2139) (pass|fail|cancelled|skipped|todo) (\d+)\s*$", text, re.MULTILINE)
    )
    number = {key: int(value) for key, value in found.items()}
    failed = number.get("fail", 0) + number.get("cancelled", 0)
    return Counts(number.get("pass", 0), failed, number.get("skipped", 0) + number.get("todo", 0))


def from_unit(text):
    """The last "N passed, N failed" of a CUnit program; None without one."""
    found = re.findall(r"^(\d+) passed, (\d+) failed\s*$", text, re.MULTILINE)
    return Counts(int(found[-1][0]), int(found[-1][1])) if found else None


def from_meson(text):
    """meson's testlog.json: a JSON object a line and program, each with what the program printed.

    A program that says no counts is one test. One that fails after all its tests passed (a leak) adds one.
    """
    counts = Counts()
    for line in text.splitlines():
        entry = json.loads(line)
        result = entry["result"]
        if result == "SKIP":
            counts.skipped += 1
            continue
        good = result in ("OK", "EXPECTEDFAIL")
        unit_counts = from_unit(entry.get("stdout", ""))
        if unit_counts is None:
            counts += Counts(passed=int(good), failed=int(not good))
        else:
            counts += settled(unit_counts, not good)
    return counts


def from_gates(text):
    """The lines of scripts/check, a gate each."""
    words = re.findall(r"^(ok|FAIL|skip) +[\w-]+ +[\d.]+ s", text, re.MULTILINE)
    return Counts(words.count("ok"), words.count("FAIL"), words.count("skip"))
