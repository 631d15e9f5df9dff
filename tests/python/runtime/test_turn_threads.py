"""Threads for the sync code of coroutines: one a turn, shared only when there are no more, and never within a
transaction.
"""

import asyncio
import threading

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async

from troupe.runtime import entry, executors, housekeeping


@pytest.fixture
def transactions(monkeypatch):
    """The ids of the threads that have a transaction open."""
    opened = set()

    def settle():
        if threading.get_ident() in opened:
            opened.discard(threading.get_ident())
            raise LookupError("left open")

    monkeypatch.setattr(housekeeping, "is_in_transaction", lambda: threading.get_ident() in opened)
    monkeypatch.setattr(housekeeping, "settle", settle)
    monkeypatch.setattr(housekeeping, "clean", lambda: opened.discard(threading.get_ident()))
    monkeypatch.setattr(housekeeping, "end", lambda close_obsolete_too: opened.discard(threading.get_ident()))
    return opened


@pytest.fixture
def run(monkeypatch):
    """run(limit, main): runs main(turn) on a loop that has that many threads; turn(coroutine) is a task that is awaited
    as a worker awaits a handler.
    """
    monkeypatch.setattr(SyncToAsync, "single_thread_executor", None)
    monkeypatch.setattr(executors, "_turn_threads", None)

    def run(limit, main):
        async def everything():
            executors.use_executors(asyncio.get_running_loop(), limit)
            return await main(lambda coroutine: asyncio.create_task(entry.await_handler(coroutine)))

        return asyncio.run(asyncio.wait_for(everything(), 120))

    return run


thread_id = sync_to_async(threading.get_ident)


def test_a_turn_keeps_its_thread(run):
    async def handler():
        await asyncio.sleep(0)
        first = await thread_id()
        at_once = await asyncio.gather(thread_id(), thread_id(), asyncio.create_task(thread_id()))
        return {first, *at_once}

    async def main(turn):
        pool = executors._turn_threads
        for _ in range(20):
            (ok, seen), (ok_too, seen_too) = await asyncio.gather(turn(handler()), turn(handler()))
            assert ok and ok_too and len(seen) == len(seen_too) == 1 and seen != seen_too
            while len(pool._idle) < len(pool):
                await asyncio.sleep(0)
        return len(pool)

    assert run(8, main) == 2  # a thread that is free is used again


def test_a_call_that_takes_long_delays_no_other_turn(run):
    async def main(turn):
        gate = threading.Event()
        slow = turn(sync_to_async(gate.wait)())
        assert (await turn(thread_id()))[0]
        assert not slow.done()
        gate.set()
        assert await slow == (True, True)

    run(2, main)


def test_turns_that_only_wait_hold_up_nobody(run):
    """More turns than threads, each of which waits for the last one: they share threads, and each keeps its own."""

    async def main(turn):
        arrived, everybody = 0, asyncio.Event()

        async def handler():
            nonlocal arrived
            before = await thread_id()
            arrived += 1
            if arrived == 20:
                everybody.set()
            await everybody.wait()
            return before == await thread_id()

        results = await asyncio.gather(*(turn(handler()) for _ in range(20)))
        assert results == [(True, True)] * 20
        return len(executors._turn_threads)

    assert run(3, main) == 3


def test_no_call_runs_inside_of_another_turns_transaction(run, transactions):
    def open_transaction():
        transactions.add(threading.get_ident())

    def close_transaction():
        transactions.discard(threading.get_ident())

    async def main(turn):
        shared, opened, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def holds():
            await thread_id()
            await shared.wait()
            await sync_to_async(open_transaction)()
            opened.set()
            await go_on.wait()
            inside = await sync_to_async(lambda: threading.get_ident() in transactions)()
            await sync_to_async(close_transaction)()
            return inside

        async def writes(had_a_thread):
            if had_a_thread:
                await thread_id()
            shared.set()
            await opened.wait()
            return await sync_to_async(lambda: threading.get_ident() in transactions)()

        holding, old, new = turn(holds()), turn(writes(True)), turn(writes(False))
        await opened.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert not old.done() and not new.done()
        go_on.set()
        assert await asyncio.gather(holding, old, new) == [(True, True), (True, False), (True, False)]

    run(1, main)


def test_it_moves_out_of_the_way_where_there_is_another_thread(run, transactions):
    async def main(turn):
        ready, opened, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def holds():
            await thread_id()
            await ready.wait()
            await sync_to_async(lambda: transactions.add(threading.get_ident()))()
            opened.set()
            await done.wait()
            await sync_to_async(transactions.clear)()

        async def waits():
            await thread_id()
            await done.wait()

        async def writes():
            await thread_id()
            ready.set()
            await opened.wait()
            return await sync_to_async(lambda: threading.get_ident() in transactions)()

        holding, waiting = turn(holds()), turn(waits())
        while len(executors._turn_threads) < 2:
            await asyncio.sleep(0)
        assert await turn(writes()) == (True, False)
        done.set()
        assert await asyncio.gather(holding, waiting) == [(True, None)] * 2

    run(2, main)


def test_a_transaction_may_span_the_calls_of_its_turn_but_not_outlive_it(run, transactions):
    async def leaves():
        await sync_to_async(lambda: transactions.add(threading.get_ident()))()
        assert await sync_to_async(lambda: threading.get_ident() in transactions)()

    async def main(turn):
        ok, error = await turn(leaves())
        assert not ok and isinstance(error, LookupError)
        assert not transactions

    run(1, main)


def test_sync_code_may_call_async_code_that_calls_sync_code(run):
    """With one thread, which all three levels use."""

    def outer():
        return threading.get_ident(), async_to_sync(inner)()

    async def inner():
        return await asyncio.gather(thread_id(), asyncio.create_task(thread_id()), sync_to_async(innermost)())

    def innermost():
        return async_to_sync(thread_id)()

    async def main(turn):
        results = await asyncio.gather(*(turn(sync_to_async(outer)()) for _ in range(3)))
        for ok, (own, others) in results:
            assert ok and others == [own] * 3

    run(1, main)


def test_a_task_that_outlives_its_turn(run):
    """It goes on with whichever thread is free, each call looked after by itself."""

    async def main(turn):
        over, left = asyncio.Event(), []

        async def later():
            await over.wait()
            return [await thread_id(), await thread_id()]

        async def handler():
            left.append(asyncio.create_task(later()))
            return await thread_id()

        ok, own = await turn(handler())
        over.set()
        assert ok and await left[0] == [own, own]
        assert (await turn(thread_id())) == (True, own)
        return len(executors._turn_threads)

    assert run(1, main) == 1


def test_a_turn_that_ends_before_its_call(run):
    """A handler that was cancelled: its thread is not another turn's before the call has returned."""

    async def main(turn):
        gate, seen = threading.Event(), []

        def slow():
            seen.append(threading.get_ident())
            gate.wait()

        async def handler():
            call = asyncio.create_task(sync_to_async(slow)())
            while not seen:
                await asyncio.sleep(0)
            call.cancel()
            await call

        ok, error = await asyncio.create_task(entry.await_handler(handler()))
        assert not ok and isinstance(error, asyncio.CancelledError)
        assert (await turn(thread_id()))[1] != seen[0]
        gate.set()

    run(2, main)


def test_a_call_that_fails_takes_nothing_with_it(run):
    async def main(turn):
        def fail():
            raise SystemExit(3)

        async def handler():
            with pytest.raises(SystemExit):
                await asyncio.wrap_future(executors._turn_threads.enter_scope().submit(fail))
            return await thread_id()

        assert (await turn(handler()))[0] and (await turn(thread_id()))[0]

    run(1, main)


def test_outside_of_a_turn_there_is_one_thread(run):
    async def main(turn):
        return await asyncio.gather(thread_id(), asyncio.create_task(thread_id()))

    first, second = run(4, main)
    assert first == second


@pytest.mark.parametrize("call", [sync_to_async(next), lambda each: asyncio.to_thread(next, each)], ids=["turn", "any"])
def test_a_stop_iteration_is_told(run, call):
    """asyncio would wait for ever before Python 3.12."""

    async def handler():
        await call(iter(()))

    async def main(turn):
        return await turn(handler())

    done, error = run(1, main)
    assert not done and isinstance(error, RuntimeError)
