"""A wall clock that can be set back, for this process: while a file is there, it is what the file says behind.

Only Python's time.time() is changed. In C nothing but log lines looks at the wall clock (test_clocks.py).
"""

import time


def install(path):
    """From now on time.time() heeds the file, which holds seconds. path: None: it is never there."""
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
