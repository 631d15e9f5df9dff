#!/usr/bin/env python3
"""The dj-* attributes for the browser's console: writes live-attributes.js, which pages load with DEBUG only.

    scripts/lib/attributes_table.py     after a change of template/live_attributes.py; then commit what it wrote
"""

import json
import pathlib
import runpy

SOURCE = "python/troupe/template/live_attributes.py"
JAVASCRIPT = "python/troupe/static/troupe/live-attributes.js"
NAMES = ("HANDLERS", "KNOWN", "PREFIXES", "INSTEAD", "TYPES", "KEYS", "KEY_INSTEAD")


def made(root):
    """The text of JAVASCRIPT as the source in `root` makes it."""
    table = runpy.run_path(str(root / SOURCE))
    lines = [f"// Made from {SOURCE.removeprefix('python/')} by scripts/lib/attributes_table.py. Don't edit."]
    for name in NAMES:
        value = table[name]
        ordered = sorted(value) if isinstance(value, frozenset) else value
        text = json.dumps(ordered, indent=1, ensure_ascii=False)
        lines.append(f"export const {name} = {text}")
    return "\n".join(lines) + "\n"


def check(root):
    """Returns the problems as lines."""
    if not (root / SOURCE).exists():
        return []
    path = root / JAVASCRIPT
    if path.is_file() and path.read_text() == made(root):
        return []
    return [f"{JAVASCRIPT}: not what {SOURCE} makes of it; run scripts/lib/attributes_table.py"]


def main():
    """Writes the file."""
    root = pathlib.Path(__file__).resolve().parents[2]
    (root / JAVASCRIPT).write_text(made(root))


if __name__ == "__main__":
    main()
