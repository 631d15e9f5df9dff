"""The table of options in docs/guide.md is that of common/options.def."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^OPTION\((.*)\)$", re.MULTILINE)
FIELD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]+)\s*(?:,|$)')
GUIDE_ROW = re.compile(r"^\| `--([\w-]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def settings():
    """What `troupe up` can be set to: (key, default), in the order of the table."""
    rows = [FIELD.findall(row) for row in ROW.findall((ROOT / "common/options.def").read_text())]
    assert len(rows) > 30 and all(len(row) == 11 for row in rows)
    for _, key, _, _, _, variable, _, _, fallback, _, _ in rows:
        if "FLEET" in variable:
            yield key.strip('"'), "" if fallback == "NULL" else fallback.strip('"')


def test_the_guide_has_every_option_with_its_default():
    guide = (ROOT / "docs/guide.md").read_text()
    shown = [(key, default.strip().strip("`")) for key, default, _ in GUIDE_ROW.findall(guide)]
    assert shown == list(settings())
