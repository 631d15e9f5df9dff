"""Settings of Django's own tests: Django's test_sqlite, and the runner that writes down how each test ended."""

from test_sqlite import *  # noqa: F403 (of Django's tests folder, which gate.py puts on the path)

TEST_RUNNER = "gate_runner.Runner"
