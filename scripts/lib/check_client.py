"""The browser's side stays small when it is sent (gzip -9): what every page loads, and its parts."""

import gzip
import pathlib
import subprocess
import tempfile

MOST = 12_288
MOST_OF_A_PART = 4_096
CORE = "troupe.min.js"
MINIFY = "scripts/lib/minify"


def check(root):
    """Returns the problems as lines. esbuild must be there."""
    if not (root / MINIFY).exists():
        return []
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([root / MINIFY, scratch], capture_output=True, text=True)
        if done.returncode:
            return done.stderr.splitlines() or [f"{MINIFY} exits {done.returncode}"]
        files = sorted(pathlib.Path(scratch).glob("*.js"))
        sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in files}
    limits = {name: MOST if name == CORE else MOST_OF_A_PART for name in sizes}
    return [
        f"{MINIFY}: {name} has {size} bytes gzipped, {limits[name]} or more"
        for name, size in sizes.items()
        if size >= limits[name]
    ]
