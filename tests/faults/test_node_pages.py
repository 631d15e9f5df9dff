"""The process that the pages run in says what stands in their way: a benchmark tells these figures."""

import asyncio

from figures import BENCHES
from node_pages import Browser


def test_stalls():
    async def run():
        async with Browser() as browser:
            return [await browser.stalls() for _ in range(2)]

    first, second = asyncio.run(run())
    assert first.keys() == second.keys() and {"loop_longest_ms", "gc_longest_ms"} <= first.keys()
    for name, value in first.items():
        assert BENCHES["reload"].figure(f"client_{name}").unit == "ms" and value >= 0
