"""The table of faults injected into a fleet. A fault ends when its `do` returns; its consequences may last longer."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass

from bad import Bad

# Why a page may be told that nobody knows what became of an event.
DEATH = ("worker_lost",)  # of a worker, perhaps in the middle of it
LOSS = ("worker_lost", "timeout", "forgotten", "lost")  # of frames
NEVER = ()


def _kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


async def _pids(stage, kind):
    return await asyncio.to_thread(stage.pids, kind)


async def worker_dies(stage, chosen):
    _kill([chosen.choice(await _pids(stage, "worker"))])


async def all_workers_die(stage, chosen):
    _kill(await _pids(stage, "worker"))


async def broker_dies(stage, chosen):
    _kill(await _pids(stage, "broker"))


async def all_die(stage, chosen):
    _kill([*await _pids(stage, "broker"), *await _pids(stage, "worker")])


async def web_dies(stage, chosen):
    await stage.kill_web()


async def web_and_workers_die(stage, chosen):
    """Its pages were about to join again when it dies."""
    _kill(await _pids(stage, "worker"))
    await asyncio.sleep(chosen.uniform(0, 1))
    await stage.kill_web()


def _stands_still(kind, seconds):
    async def stands_still(stage, chosen):
        async with stage.stopped(chosen.choice(await _pids(stage, kind))):
            await asyncio.sleep(seconds)

    return stands_still


async def web_stands_still(stage, chosen):
    async with stage.stopped(stage.web.popen.pid):
        await asyncio.sleep(2)


def _frames(side, kind, chance, seconds=1):
    async def frames(stage, chosen):
        await stage.relays[side].trouble(kind, chance, seconds)

    return frames


def _frames_and_deaths(kind, chance):
    """Nobody has a second to make up for it."""
    trouble = _frames("back", kind, chance)

    async def frames_and_deaths(stage, chosen):
        await trouble(stage, chosen)
        await all_workers_die(stage, chosen)

    return frames_and_deaths


def _handler(name):
    """One of faulted.views.Bad, on a page of its own."""

    async def handler(stage, chosen):
        with contextlib.suppress(OSError):
            await Bad(stage.port).ask(name)

    return handler


async def logs_full(stage, chosen):
    """A worker dies as well, so that there is something to say."""
    async with stage.full(stage.up.popen.pid, stage.up.log):
        await worker_dies(stage, chosen)
        await asyncio.sleep(1)


async def store_full(stage, chosen):
    """What is done meanwhile need not outlive its worker; what is done after it must."""
    (pid,) = await _pids(stage, "broker")
    async with stage.full(pid, stage.state / "sessions" / "data.mdb"):
        for _ in range(3):
            await _handler("grows")(stage, chosen)
            await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    await worker_dies(stage, chosen)


async def database_gone(stage, chosen):
    async with stage.without_database():
        await asyncio.sleep(2)


async def database_gone_at_a_reconnect(stage, chosen):
    async with stage.without_database():
        await stage.kill_web()
        await asyncio.sleep(1)


async def clock_set_back(stage, chosen):
    """An hour. All pages join meanwhile, and once more when it is right again."""
    async with stage.clock_set_back(3600):
        await stage.kill_web()
        await asyncio.sleep(1)
    await stage.kill_web()


async def reload(stage, chosen):
    await asyncio.to_thread(stage.troupe, "reload")


async def scale(stage, chosen):
    await asyncio.to_thread(stage.troupe, "scale", chosen.choice((1, 2, 4)))
    await asyncio.sleep(1)
    await asyncio.to_thread(stage.troupe, "scale", stage.workers)


async def reload_and_a_death(stage, chosen):
    going = asyncio.ensure_future(asyncio.to_thread(stage.troupe, "reload"))
    await asyncio.sleep(chosen.uniform(0.2, 2))
    with contextlib.suppress(IndexError, ProcessLookupError):
        await worker_dies(stage, chosen)
    with contextlib.suppress(RuntimeError):  # a successor was killed: the old ones stay
        await going


@dataclass(frozen=True)
class Mishap:
    """One row. unknown: the reasons for which events may become unknown by it. relays: it needs them. brief: it belongs
    to the run that has each of them once.
    """

    name: str
    do: object
    unknown: tuple = NEVER
    relays: bool = False
    brief: bool = True


MISHAPS = (
    Mishap("a worker dies", worker_dies, DEATH),
    Mishap("all workers die", all_workers_die, DEATH),
    Mishap("the broker dies", broker_dies, DEATH),
    Mishap("broker and workers die", all_die, DEATH),
    Mishap("the web server dies", web_dies),
    Mishap("web server and workers die", web_and_workers_die, DEATH),
    Mishap("a worker stands still for 2 s", _stands_still("worker", 2)),
    Mishap("a worker stands still for 6 s", _stands_still("worker", 6), DEATH, brief=False),
    Mishap("a worker stands still for 20 s", _stands_still("worker", 20), DEATH, brief=False),
    Mishap("the broker stands still for 2 s", _stands_still("broker", 2)),
    Mishap("the broker stands still for 6 s", _stands_still("broker", 6), DEATH, brief=False),
    Mishap("the web server stands still for 2 s", web_stands_still),
    Mishap("clients' frames dropped", _frames("front", "drop", 0.05), LOSS, relays=True, brief=False),
    Mishap("clients' frames doubled", _frames("front", "double", 0.2), relays=True),
    Mishap("clients' frames late", _frames("front", "hold", 0.05), relays=True),
    Mishap("clients' connections cut", _frames("front", "cut", 0.02), LOSS, relays=True),
    Mishap("workers' frames dropped", _frames("back", "drop", 0.05), LOSS, relays=True, brief=False),
    Mishap("workers' frames doubled", _frames("back", "double", 0.2), relays=True),
    Mishap("workers' frames late", _frames("back", "hold", 0.05), relays=True),
    Mishap("workers' connections cut", _frames("back", "cut", 0.02), LOSS, relays=True),
    Mishap("workers' frames dropped, then all die", _frames_and_deaths("drop", 0.05), LOSS + DEATH, relays=True),
    Mishap("workers' frames doubled, then all die", _frames_and_deaths("double", 0.2), DEATH, True, brief=False),
    Mishap("workers' frames late, then all die", _frames_and_deaths("hold", 0.05), LOSS + DEATH, True, brief=False),
    Mishap("a handler sleeps", _handler("sleeps"), brief=False),
    Mishap("a handler burns", _handler("burns")),
    Mishap("a handler leaks", _handler("leaks")),
    Mishap("a handler exits", _handler("exits"), DEATH),
    Mishap("a handler crashes the interpreter", _handler("crashes"), DEATH),
    Mishap("a handler forks", _handler("forks")),
    Mishap("the disk is full for logs", logs_full, DEATH),
    Mishap("the disk is full for the store", store_full, DEATH),
    Mishap("the database is gone", database_gone),
    Mishap("the database is gone when all join", database_gone_at_a_reconnect),
    Mishap("the clock is set back an hour", clock_set_back),
    Mishap("reload", reload),
    Mishap("scale", scale),
    Mishap("reload, and a worker dies", reload_and_a_death, DEATH),
)
