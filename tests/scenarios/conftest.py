"""The fixtures of the scenarios are in fixtures.py, which tests/hostile uses as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # fleet, raw, browser, fixtures

from fixtures import *  # noqa: E402, F403
