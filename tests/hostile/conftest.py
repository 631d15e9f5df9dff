"""Attacks, damaged files and unlucky timing, seen from outside: real processes, with the fixtures and helpers of
tests/scenarios.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))  # fleet, raw, browser, fixtures

from fixtures import *  # noqa: E402, F403
