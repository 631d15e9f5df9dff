"""Django's test runner, with a result that is written to a file as the tests end."""

import json
import os
import unittest

import gate_renders
from django.test.runner import DiscoverRunner

TEXT_BYTES = 4000  # of a traceback: its end says what went wrong


class Recorder(unittest.TextTestResult):
    """Writes a line a test. What fails outside a test (setUpClass) is written as a test of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._out = open(os.environ["GATE_OUT"], "w", encoding="utf-8")  # noqa: SIM115 (for the whole run)
        self._current = None

    def _write(self, line):
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()

    def startTest(self, test):
        super().startTest(test)
        self._current = {"test": test.id(), "outcome": "", "text": ""}
        gate_renders.begin(test.id())

    def stopTest(self, test):
        self._write({**self._current, **gate_renders.end()})
        self._current = None
        super().stopTest(test)

    def _note(self, test, outcome, text=""):
        if self._current is None:
            self._write({"test": test.id(), "outcome": outcome, "text": text, "renders": [], "native": {}})
        elif outcome not in self._current["outcome"].split("+"):
            said = self._current["outcome"]
            self._current["outcome"] = f"{said}+{outcome}" if said else outcome
            self._current["text"] = self._current["text"] or text

    def _trouble(self, test, outcome, err):
        self._note(test, outcome, self._exc_info_to_string(err, test)[-TEXT_BYTES:])

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._trouble(test, "failed", err)

    def addError(self, test, err):
        super().addError(test, err)
        self._trouble(test, "error", err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            outcome = "failed" if issubclass(err[0], test.failureException) else "error"
            self._trouble(test, f"{outcome} {subtest._subDescription()}", err)

    def finish(self):
        """All tests ended."""
        self._write({"end": True})
        self._out.close()


class Runner(DiscoverRunner):
    """Puts our engine in Django's place once Django has changed what it changes for tests, and before the test
    modules are imported: their `from django.template import Engine` then gets ours.
    """

    def build_suite(self, *args, **kwargs):
        if os.environ["GATE_SIDE"] == "troupe":
            import gate_hook

            gate_hook.install()
        gate_renders.install(os.environ["GATE_DUMP"])
        return super().build_suite(*args, **kwargs)

    def get_resultclass(self):
        return Recorder

    def run_suite(self, suite, **kwargs):
        result = super().run_suite(suite, **kwargs)
        result.finish()
        return result
