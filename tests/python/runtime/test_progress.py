"""A handler is paused between two of its steps, because it asks for it or because the worker does."""

import asyncio
from types import SimpleNamespace

import pytest

from troupe.runtime import housekeeping
from troupe.runtime.progress import VIEW, PauseSwitch, Steps
from troupe.runtime.turn import EVENT, TURN, begin_turn, end


class Worker:
    """What has a handler paused: `pauses` is how often it was, and it goes on when `release()` is called."""

    def __init__(self):
        self.pauses = 0
        self.go_on = None
        self.paused = asyncio.Event()
        self.switch = PauseSwitch()

    def pause(self, go_on):
        """Steps calls it."""
        self.pauses += 1
        self.go_on = go_on
        self.paused.set()

    def release(self):
        """Let it go on."""
        self.paused.clear()
        self.go_on(0)

    def start(self, handler):
        """Its task."""

        async def run():
            async with asyncio.timeout(None) as limit:
                return await Steps(handler, self.pause, limit, switch=self.switch)

        return asyncio.create_task(run())


async def spin(times=20):
    """Give everybody else several turns of the loop."""
    for _ in range(times):
        await asyncio.sleep(0)


def run(scenario):
    """Run a coroutine function with a Worker."""

    async def begin():
        await asyncio.wait_for(scenario(Worker()), 60)

    asyncio.run(begin())


@pytest.fixture(autouse=True)
def _no_housekeeping(monkeypatch):
    monkeypatch.setattr(housekeeping, "_enabled", False)


def test_asked_before_it_begins():
    async def scenario(worker):
        steps = []

        async def handler():
            for step in range(2):
                steps.append(step)
                await asyncio.sleep(0)

        worker.switch.ask()
        task = worker.start(handler())
        await worker.paused.wait()
        await spin()
        assert len(steps) == 1
        worker.release()
        await task
        assert worker.pauses == 1
        assert len(steps) == 2

    run(scenario)


def test_asked_while_it_awaits():
    """What it awaits is there, and yet it makes no step before it is let go on."""

    async def scenario(worker):
        gate, steps = asyncio.Event(), []

        async def handler():
            await gate.wait()
            steps.append(1)
            return "over"

        task = worker.start(handler())
        await spin()
        worker.switch.ask()
        await worker.paused.wait()
        gate.set()
        await spin()
        assert not steps
        worker.release()
        assert await task == "over"
        assert worker.pauses == 1

    run(scenario)


def test_asked_again_and_again():
    """It makes a step between two pauses."""

    async def scenario(worker):
        steps = 0

        async def handler():
            nonlocal steps
            while True:
                steps += 1
                await asyncio.sleep(0)

        task = worker.start(handler())
        await spin()
        worker.switch.ask()
        for _ in range(50):
            await worker.paused.wait()
            before = steps
            worker.switch.ask()  # has no effect: it is paused
            worker.release()
            worker.switch.ask()
            await worker.paused.wait()
            assert steps > before
        worker.release()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario)


def test_asked_when_it_is_over():
    async def scenario(worker):
        async def handler():
            await asyncio.sleep(0)

        await worker.start(handler())
        worker.switch.ask()
        await spin()
        assert worker.pauses == 0

    run(scenario)


def test_it_can_be_cancelled_while_it_is_paused():
    async def scenario(worker):
        async def handler():
            await asyncio.Event().wait()

        task = worker.start(handler())
        await spin()
        worker.switch.ask()
        await worker.paused.wait()
        task.cancel()
        await spin()
        assert not task.done()
        worker.release()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario)


@pytest.mark.parametrize("logs_in", [False, True])
def test_it_keeps_its_request(logs_in):
    """The one that the page has joined with is there from the next turn on, unless the handler knows better."""

    async def scenario(worker):
        own, joined = SimpleNamespace(_troupe_facts={"user": None}), SimpleNamespace(_troupe_facts={"user": None})
        view, gate, seen = SimpleNamespace(request=own), asyncio.Event(), []
        VIEW.set(view)
        begin_turn(view, EVENT, "handler")

        async def handler():
            await gate.wait()
            seen.append(view.request)

        task = worker.start(handler())
        await spin()
        worker.switch.ask()
        await worker.paused.wait()
        view.request = joined
        worker.release()
        gate.set()
        await task
        assert seen == [own]
        assert view.request is own
        if logs_in:
            own._troupe_facts = {"user": "7"}
        end()
        assert view.request is (own if logs_in else joined)
        TURN.set(None)

    run(scenario)
