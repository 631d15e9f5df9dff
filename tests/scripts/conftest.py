"""The helpers of scripts/ are imported as they are run: from scripts/lib."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))
