"""What strangers, damaged files and unlucky moments do, from outside: real processes, as in tests/scenarios, whose
fixtures and helpers these tests use.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))  # fleet, raw, browser, fixtures

from fixtures import *  # noqa: E402, F403
