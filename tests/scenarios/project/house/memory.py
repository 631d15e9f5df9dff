"""What a worker's memory holds, as seen from inside of it."""

import asyncio
import ctypes
import gc
import json
import sys
from collections import Counter

from troupe import LiveView, event_handler


class _Mallinfo(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def _malloc():
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = _Mallinfo
    info = library.mallinfo2()
    return {"used": info.uordblks + info.hblkhd, "free": info.fordblks}


async def _drop_timers():
    """asyncio keeps timers that were cancelled, with what they were for, until most of a hundred are: have it look."""
    loop = asyncio.get_running_loop()
    for _ in range(300):
        loop.call_later(3600, int).cancel()
    for _ in range(2):
        await asyncio.sleep(0)


class Memory(LiveView):
    """Its figures, as JSON."""

    template_string = "<p dj-root>{{ figures }}</p>"

    def mount(self, request=None):
        self.figures = ""

    @event_handler
    async def measure(self, most=0):
        await _drop_timers()
        for _ in range(3):
            gc.collect()
        kinds = Counter(f"{type(value).__module__}.{type(value).__qualname__}" for value in gc.get_objects())
        figures = {"blocks": sys.getallocatedblocks(), "objects": sum(kinds.values()), **_malloc()}
        figures["kinds"] = dict(kinds.most_common(most))
        self.figures = json.dumps(figures)
