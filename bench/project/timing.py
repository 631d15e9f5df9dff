"""How long a call takes, in the process that renders."""

import time


def timed(render, count):
    """(how long each of so many renderings takes, the processor's time of one: their mean), in microseconds."""
    times, cpu = [], time.process_time_ns()
    for _ in range(count):
        start = time.perf_counter_ns()
        render()
        times.append((time.perf_counter_ns() - start) / 1000)
    return times, (time.process_time_ns() - cpu) / 1000 / count
