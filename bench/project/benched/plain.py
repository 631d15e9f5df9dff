"""A plain Python process: the loop of `work` in a for loop, with nothing around it.

`python -m benched.plain spin LOOPS SECONDS` writes "ready", starts at a line on standard input, and prints how many
calls it made, and in how many seconds. `python -m benched.plain burn` computes until it is ended.
"""

import sys
import time

from benched.work import burn_seconds, spin


def count_spins(loops, seconds):
    """(calls, seconds) of spin(loops), for about so long."""
    calls = 0
    start = time.perf_counter()
    end = start + seconds
    now = start
    while now < end:
        for _ in range(20):
            spin(loops)
        calls += 20
        now = time.perf_counter()
    return calls, now - start


def main():
    if sys.argv[1] == "burn":
        print("ready", flush=True)
        while True:
            burn_seconds(1)
    loops, seconds = int(sys.argv[2]), float(sys.argv[3])
    print("ready", flush=True)
    sys.stdin.readline()
    print(*count_spins(loops, seconds), flush=True)


if __name__ == "__main__":
    main()
