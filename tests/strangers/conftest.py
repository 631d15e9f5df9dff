"""Its own modules, and those of the random pages that tests/property renders, can be imported by name."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "property")]
