"""The browser's side, as the one small file that pages load, stays under 12 KiB when it is sent (gzip -9)."""

import gzip
import pathlib
import subprocess
import tempfile

MOST = 12_288
MINIFY = "scripts/lib/minify"


def check(root):
    """Returns the problems as lines. esbuild must be there."""
    if not (root / MINIFY).exists():
        return []
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch, "troupe.min.js")
        done = subprocess.run([root / MINIFY, file], capture_output=True, text=True)
        if done.returncode:
            return done.stderr.splitlines() or [f"{MINIFY} exits {done.returncode}"]
        size = len(gzip.compress(file.read_bytes(), 9))
    return [f"{MINIFY}: {size} bytes gzipped, {MOST} or more"] if size >= MOST else []
