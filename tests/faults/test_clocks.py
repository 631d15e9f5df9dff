"""The wall clock may be set back: nothing in C decides by it; in Python it is time.time(), which a mishap sets back."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("common", "proto", "broker", "worker", "fleet")
READS = re.compile(r"CLOCK_REALTIME|CLOCK_TAI|gettimeofday|\btime\((NULL|0)\)|timespec_get|zclock_time")
MAY = {
    "common/log.c",  # what a line says
    "broker/store/set_aside.c",  # the date in the name of what is set aside
    "broker/main.c",  # where the epochs of a start begin; store and workers tell where it was set back
}
ALSO_IN_PYTHON = re.compile(r"datetime\.(now|utcnow)\(|timezone\.now\(|time\.time_ns\(|from time import|localtime\(")


def readers(pattern, rooms, suffixes):
    """The files that read a clock so."""
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in suffixes]
    assert len(files) > 20
    return {str(path.relative_to(ROOT)) for path in files if pattern.search(path.read_text())}


def test_c():
    assert readers(READS, ROOMS, (".c", ".h")) == MAY


def test_python():
    assert readers(ALSO_IN_PYTHON, ["python"], (".py",)) == {
        "python/troupe/runtime/reload.py"
    }  # a file's age, while developing
