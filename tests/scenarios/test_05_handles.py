"""Trusted Python: session actors through the broker, as project code uses them."""

import asyncio
import datetime
import decimal
import os
import uuid

import pytest

pytestmark = pytest.mark.usefixtures("troupe")


def run(coroutine):
    """Run a coroutine to its end on a loop of its own."""
    return asyncio.run(coroutine)


async def actor(path="house.views.Counter", params=None):
    """(handle, what mount gave) of a session of its own."""
    from troupe import create_session_actor

    handle = await create_session_actor(str(uuid.uuid4()))
    return handle, await handle.mount(path, params or {})


def test_life_of_a_handle():
    async def scenario():
        handle, mounted = await actor(params={"start": 5})
        assert "<output>5</output>" in mounted["html"]
        assert mounted["session_id"] == handle.session_id
        done = await handle.event("increment", {})
        assert "<output>6</output>" in done["html"]
        assert done["version"] == mounted["version"] + 1
        assert done["patches"] == {"2": "6"}
        assert (await handle.event("add", {"by": 0}))["patches"] is None
        assert "<output>16</output>" in (await handle.event("later", {}))["html"]
        assert await handle.ping() is True
        await handle.unmount()
        await handle.shutdown()
        with pytest.raises(Exception, match="session") as caught:
            await handle.ping()
        assert (caught.value.kind, caught.value.outcome) == ("unknown_session", "not_executed")

    run(scenario())


def test_many_handles_at_once():
    async def one(number):
        handle, _ = await actor(params={"start": number * 1000})
        for _ in range(20):
            done = await handle.event("increment", {})
        assert f"<output>{number * 1000 + 20}</output>" in done["html"]
        await handle.shutdown()

    async def scenario():
        await asyncio.gather(*[one(number) for number in range(40)])

    run(scenario())


def test_events_of_one_handle_run_in_order():
    async def scenario():
        handle, _ = await actor()
        texts = [str(number) for number in range(30)]
        await asyncio.gather(*[handle.event("say", {"text": text}) for text in texts])
        assert "</output>29</div>" in (await handle.event("add", {"by": 0}))["html"]
        await handle.shutdown()

    run(scenario())


def test_two_handles_of_one_session():
    from troupe import create_session_actor

    async def scenario():
        name = f"shared {uuid.uuid4()}"
        first = await create_session_actor(name)
        await first.mount("house.views.Counter", {"start": 1})
        await first.event("increment", {})
        second = await create_session_actor(name)
        await second.mount("house.views.Counter", {"start": 90})
        assert ">91<" in (await second.event("increment", {}))["html"]
        await second.shutdown()

    run(scenario())


def test_undecorated_handlers_are_for_trusted_callers():
    async def scenario():
        handle, _ = await actor()
        assert ">-1<" in (await handle.event("undecorated", {}))["html"]
        await handle.shutdown()

    run(scenario())


def test_values_travel():
    async def scenario():
        handle, _ = await actor()
        values = [
            datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
            datetime.date(2025, 1, 2),
            decimal.Decimal("1.50"),
            uuid.UUID(int=7),
            datetime.timedelta(days=1, microseconds=3),
            2**63,
            -(2**63),
            b"bytes",
        ]
        html = (await handle.event("say", {"text": values}))["html"]
        from django.utils.html import escape

        assert escape(str(values)) in html
        await handle.shutdown()

    run(scenario())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "cannot be sent to a worker"),
        ({1, 2}, "cannot be sent to a worker"),
        (2**64, "Integer|int"),
        ("\ud800", "surrogates"),
        ("x" * (2 << 20), "over the limit"),
    ],
)
def test_values_that_cannot_travel_are_refused_here(value, words):
    async def scenario():
        handle, _ = await actor()
        from troupe import ActorError

        with pytest.raises(ActorError, match=words) as caught:
            await handle.event("say", {"text": value})
        assert (caught.value.kind, caught.value.outcome) == ("params", "not_executed")
        assert ">1<" in (await handle.event("increment", {}))["html"]
        await handle.shutdown()

    run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "os.path.join",
        "subprocess.Popen",
        "house.views.Nobody",
        "house.nowhere.View",
        "house.views.Row",
        "house.views",
        "troupe.views.LiveView",
        "troupe.LiveView",
        "django.views.View",
        "house.bad.views.Counter",
        "Counter",
        "",
        ".",
        "..",
        "house..views",
        "house.views.Counter.mount",
        "hou\0se.views.Counter",
    ],
)
def test_paths_that_are_no_views_are_refused(fleet, path):
    from troupe import ActorError

    async def scenario():
        with pytest.raises(ActorError) as caught:
            await actor(path)
        assert (caught.value.kind, caught.value.outcome) == ("view_refused", "failed"), caught.value
        assert caught.value.message

    run(scenario())


def test_python_view_is_for_inproc(fleet):
    from troupe import ActorError, create_session_actor

    async def scenario():
        handle = await create_session_actor("own instance")
        with pytest.raises(ActorError, match="inproc"):
            await handle.mount("house.views.Counter", {}, python_view=object())

    run(scenario())


def test_handles_from_threads_and_after_fork(run_python):
    out = run_python(
        """
import os, threading
from troupe.sync import create_session_actor
def work(name, out):
    actor = create_session_actor(name)
    actor.mount("house.views.Counter", {"start": 1})
    out.append(">2<" in actor.event("increment", {})["html"])
    actor.shutdown()
out = []
threads = [threading.Thread(target=work, args=(f"thread {n}", out)) for n in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
pid = os.fork()
if pid == 0:
    work("child", out)
    os._exit(0 if out == [True] * 9 else 1)
assert os.waitpid(pid, 0)[1] == 0
work("parent", out)
print(out == [True] * 9)
"""
    )
    assert out == "True\n"


def test_no_broker_is_unreachable(fleet, tmp_path):
    from django.test import override_settings

    from troupe import ActorError

    async def scenario():
        with pytest.raises(ActorError, match="no broker answers") as caught:
            await actor()
        assert (caught.value.kind, caught.value.outcome) == ("unreachable", "not_executed")
        assert caught.value.retry_ms

    with override_settings(TROUPE={"BROKER": f"ipc://{tmp_path}/nobody"}):
        run(scenario())


@pytest.mark.parametrize("address", ["http://127.0.0.1:80", "ipc://", "tcp://127.0.0.1:notaport", "nonsense"])
def test_wrong_address_is_unreachable(fleet, address):
    from django.test import override_settings

    from troupe import ActorError

    async def scenario():
        with pytest.raises(ActorError, match="BROKER") as caught:
            await actor()
        assert caught.value.kind == "unreachable"

    with override_settings(TROUPE={"BROKER": address}):
        run(scenario())


def test_workers_are_other_processes():
    async def scenario():
        handle, mounted = await actor("house.views.Where")
        assert f"<b>{os.getpid()}</b>" not in mounted["html"]
        await handle.shutdown()

    run(scenario())
