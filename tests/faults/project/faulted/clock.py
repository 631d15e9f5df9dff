"""A wall clock that can be set back, for this process: while a file exists, it is offset by the seconds in it.

Only Python's time.time() is changed. test_clocks.py lists the few files of C that read the wall clock.
"""

import time


def install(path):
    """From now on time.time() adds the seconds in the file at `path`, while it exists. path: None: does nothing."""
    if not path:
        return
    real = time.time

    def shifted():
        try:
            with open(path) as file:
                return real() + float(file.read() or 0)
        except OSError:
            return real()

    time.time = shifted
