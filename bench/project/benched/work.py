"""Pure Python that computes: the same in a view, in a plain process and in the peers that are measured beside."""

import time


def spin(loops):
    """Computes for so many rounds; returns what came out, so that nothing can be left out."""
    value = 0
    for number in range(loops):
        value = (value * 31 + number) & 0xFFFF
    return value


def burn_seconds(seconds):
    """Computes until so many seconds have passed on the wall."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spin(1000)
