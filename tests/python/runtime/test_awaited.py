"""What the worker is told of handlers that are awaited: the real await_handler(), and a list in place of the worker."""

import asyncio

import pytest

from troupe import HandlerTimeout, errors
from troupe.runtime import entry
from troupe.runtime.awaited import GOES_ON, OVERDUE, STEP_BEGINS, STEP_ENDS


@pytest.fixture
def limits():
    """set_limits(), until the end of the test."""
    yield errors.set_limits
    errors.set_limits(0, 0, 0)


class Worker:
    """Collects what it is told; `enough` is set when it was told `wanted` a few times."""

    def __init__(self, wanted):
        self.told = []
        self.wanted = wanted
        self.enough = asyncio.Event()

    def note(self, what):
        self.told.append(what)
        if self.told.count(self.wanted) == 3:
            self.enough.set()

    def reports(self):
        """Without the steps."""
        return [what for what in self.told if what in (GOES_ON, OVERDUE)]


def test_one_that_awaits_for_long(limits):
    """It is reported as long as it is there, and never afterwards; another loop starts with nothing."""
    limits(0.01, 0.08, 0)

    async def main():
        worker, quick = Worker(GOES_ON), Worker(GOES_ON)
        done = await asyncio.gather(
            entry.await_handler(worker.enough.wait(), None, worker.note),
            entry.await_handler(asyncio.sleep(0, "quick"), None, quick.note),
        )
        assert done == [(True, True), (True, "quick")]
        assert set(worker.reports()) == {GOES_ON} and quick.reports() == []
        later, before = Worker(GOES_ON), len(worker.told)
        await entry.await_handler(later.enough.wait(), None, later.note)
        assert len(worker.told) == before

    asyncio.run(main())
    asyncio.run(main())


def test_one_that_ignores_its_cancellation(limits):
    limits(0, 0.08, 0.02)

    async def main():
        worker = Worker(OVERDUE)

        async def goes_on():
            while not worker.enough.is_set():
                try:
                    await worker.enough.wait()
                except asyncio.CancelledError:
                    continue

        await entry.await_handler(goes_on(), None, worker.note)
        reports = worker.reports()
        assert reports == sorted(reports) and reports.count(OVERDUE) >= 3  # GOES_ON only before it was cancelled

    asyncio.run(main())


def test_the_limit_of_what_is_awaited(limits):
    """However short the hard limit is, and with none as well."""
    for hard in (0.01, 0):
        limits(0.01, hard, 0.05)
        ok, error = asyncio.run(entry.await_handler(asyncio.sleep(1000)))
        assert not ok and type(error) is HandlerTimeout and str(error) == "it took longer than 0.05 s"


def test_steps_come_in_pairs(limits):
    async def main():
        worker = Worker(STEP_ENDS)

        async def handler():
            for _ in range(2):
                assert worker.told[-1] == STEP_BEGINS
                await asyncio.sleep(0)
            raise LookupError

        assert not (await entry.await_handler(handler(), None, worker.note))[0]
        assert worker.told == [STEP_BEGINS, STEP_ENDS] * 3

    asyncio.run(main())
