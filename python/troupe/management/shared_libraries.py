"""Which shared libraries the programs of a build from source need and this machine lacks. A wheel brings its own."""

import re
import subprocess
from collections.abc import Iterable

# Debian's and Ubuntu's packages, by the beginning of the library's name.
_PACKAGES = {
    "libczmq.so.4": "libczmq4",
    "libzmq.so.5": "libzmq5",
    "libmsgpackc.so.2": "libmsgpackc2",
    "libmsgpack-c.so.2": "libmsgpack-c2",
    "libxxhash.so.0": "libxxhash0",
    "liblmdb.so.0": "liblmdb0",
    "libsodium.so.23": "libsodium23",
}
_MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


def missing(programs: Iterable[str]) -> list[str]:
    """The names of the libraries that these programs would not find, by the dynamic linker's own account."""
    found: dict[str, None] = {}
    for program in programs:
        try:
            done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        except OSError:
            return []  # no ldd here: the programs say it themselves, one library at a time
        found.update(dict.fromkeys(_MISSING.findall(done.stdout)))
    return sorted(found)


def advice(libraries: list[str]) -> str:
    """What to do about them."""
    packages = sorted({_PACKAGES[name] for name in libraries if name in _PACKAGES})
    install = f" On Debian and Ubuntu: apt-get install {' '.join(packages)}." if packages else ""
    return f"missing shared libraries: {', '.join(libraries)}.{install} A wheel (scripts/wheel) has them all in it."
